-- What people of the care team set for one customer: own limits, a pause of the alarms, groups, and notes. A function does each,
-- and leaves a row in care_log with who and when.

ALTER TABLE care_log ADD COLUMN old_value text, ADD COLUMN new_value text;
COMMENT ON COLUMN care_log.old_value IS 'of limits, a pause and groups: what was set before; NULL for nothing';
COMMENT ON COLUMN care_log.new_value IS 'of limits, a pause and groups: what was set; NULL for nothing';

-- Whose alarms are paused, at most one pause a customer. One that is over has no effect.
CREATE TABLE customer_pauses (
    customer_id  varchar(50) COLLATE "C" PRIMARY KEY,
    paused_until timestamptz NOT NULL,
    paused_by    text        NOT NULL
);

-- Wards, rooms, one's own patients: a customer may be in several.
CREATE TABLE customer_groups (
    customer_id varchar(50) COLLATE "C" NOT NULL,
    group_name  varchar(50) COLLATE "C" NOT NULL CHECK (char_length(btrim(group_name)) BETWEEN 1 AND 50),
    PRIMARY KEY (customer_id, group_name)
);
CREATE INDEX idx_customer_groups_name ON customer_groups (group_name, customer_id);

-- Consumers look for limits that have changed.
CREATE INDEX idx_customer_limits_changed ON customer_limits (changed_at);

-- Lets one person at a time change a customer. False when there is no such customer.
CREATE FUNCTION lock_customer(customer text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('customer'), hashtext(customer));
    RETURN EXISTS (SELECT FROM customers WHERE customer_id = customer);
END
$$;

-- Limits in words; NULL when both are the common ones.
CREATE FUNCTION limits_text(lowest smallint, highest smallint) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN lowest IS NOT NULL OR highest IS NOT NULL
                THEN format('%s to %s bpm', coalesce(lowest::text, 'common'), coalesce(highest::text, 'common')) END
$$;

-- Sets a customer's own limits, in bpm; NULL for the common one. False when there is no such customer.
CREATE FUNCTION set_customer_limits(
    customer text, person text, lowest smallint, highest smallint, note text DEFAULT NULL
) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    before text;
BEGIN
    PERFORM require_person(person, note);
    IF NOT lock_customer(customer) THEN
        RETURN false;
    END IF;
    SELECT limits_text(heart_rate_min, heart_rate_max) INTO before FROM customer_limits WHERE customer_id = customer;
    INSERT INTO customer_limits AS l (customer_id, heart_rate_min, heart_rate_max, changed_at)
    VALUES (customer, lowest, highest, clock_timestamp())
        ON CONFLICT (customer_id) DO UPDATE
       SET heart_rate_min = excluded.heart_rate_min, heart_rate_max = excluded.heart_rate_max,
           changed_at = excluded.changed_at;
    INSERT INTO care_log (person, action, customer_id, note, old_value, new_value)
    VALUES (btrim(person), 'set limits', customer, btrim(note), before, limits_text(lowest, highest));
    RETURN true;
END
$$;

-- Pauses a customer's alarms for some minutes, at most a day, or ends a pause with 0. False when there is no such customer.
CREATE FUNCTION pause_customer(customer text, person text, minutes integer, note text DEFAULT NULL) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    before timestamptz;
    until timestamptz := now() + make_interval(mins => minutes);
BEGIN
    PERFORM require_person(person, note);
    IF minutes NOT BETWEEN 0 AND 1440 THEN
        RAISE EXCEPTION 'a pause lasts 0 to 1440 minutes' USING ERRCODE = '22023';
    END IF;
    IF NOT lock_customer(customer) THEN
        RETURN false;
    END IF;
    SELECT paused_until INTO before FROM customer_pauses WHERE customer_id = customer AND paused_until > now();
    IF minutes = 0 THEN
        DELETE FROM customer_pauses WHERE customer_id = customer;
    ELSE
        INSERT INTO customer_pauses VALUES (customer, until, btrim(person))
            ON CONFLICT (customer_id) DO UPDATE
           SET paused_until = excluded.paused_until, paused_by = excluded.paused_by;
    END IF;
    INSERT INTO care_log (person, action, customer_id, note, old_value, new_value)
    VALUES (btrim(person), CASE minutes WHEN 0 THEN 'ended the pause' ELSE 'paused' END, customer, btrim(note),
            moment_text(before), CASE WHEN minutes > 0 THEN moment_text(until) END);
    RETURN true;
END
$$;

-- A moment as RFC 3339 in UTC, to the second.
CREATE FUNCTION moment_text(moment timestamptz) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT to_char(moment AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
$$;

-- Puts a customer into these groups and no others. False when there is no such customer.
CREATE FUNCTION set_customer_groups(customer text, person text, names text[]) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    before text;
    after text;
BEGIN
    PERFORM require_person(person, NULL);
    IF cardinality(names) > 20 THEN
        RAISE EXCEPTION 'a customer is in at most 20 groups' USING ERRCODE = '22023';
    END IF;
    IF NOT lock_customer(customer) THEN
        RETURN false;
    END IF;
    SELECT string_agg(group_name, ', ' ORDER BY group_name) INTO before
      FROM customer_groups WHERE customer_id = customer;
    DELETE FROM customer_groups WHERE customer_id = customer;
    INSERT INTO customer_groups SELECT DISTINCT customer, btrim(name) FROM unnest(names) AS name;
    SELECT string_agg(group_name, ', ' ORDER BY group_name) INTO after
      FROM customer_groups WHERE customer_id = customer;
    INSERT INTO care_log (person, action, customer_id, old_value, new_value)
    VALUES (btrim(person), 'set groups', customer, before, after);
    RETURN true;
END
$$;

-- Notes something about a customer; with an episode that this person has acknowledged, it is that acknowledgement's note too.
-- False when there is no such customer, or no such acknowledgement.
CREATE FUNCTION add_note(customer text, person text, said text, episode bigint DEFAULT NULL) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM require_person(person, coalesce(said, ''));
    IF episode IS NULL THEN
        IF NOT lock_customer(customer) THEN
            RETURN false;
        END IF;
    ELSE
        UPDATE episodes SET acknowledged_note = btrim(said)
         WHERE episode_id = episode AND customer_id = customer AND acknowledged_by = btrim(person);
        IF NOT FOUND THEN
            RETURN false;
        END IF;
    END IF;
    INSERT INTO care_log (person, action, customer_id, episode_id, note)
    VALUES (btrim(person), 'noted', customer, episode, btrim(said));
    RETURN true;
END
$$;

REVOKE EXECUTE ON FUNCTION set_customer_limits(text, text, smallint, smallint, text),
    pause_customer(text, text, integer, text), set_customer_groups(text, text, text[]),
    add_note(text, text, text, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION set_customer_limits(text, text, smallint, smallint, text),
    pause_customer(text, text, integer, text), set_customer_groups(text, text, text[]),
    add_note(text, text, text, bigint) TO "heartbeat-dashboard";
GRANT SELECT ON customer_pauses, customer_groups TO "heartbeat-dashboard";
