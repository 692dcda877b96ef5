-- What each batch and each look of a consumer costs, and one rule for the names of groups.

-- Raised with each change of limits, before the change itself, so that whoever changes several waits in one order only. A
-- consumer looks at it every few seconds, and reads limits again when it is another one.
CREATE TABLE limits_version (
    version bigint NOT NULL
);
CREATE UNIQUE INDEX idx_limits_version_only ON limits_version ((true));
COMMENT ON TABLE limits_version IS 'one row: how often customer_limits and limit_profiles have changed';
INSERT INTO limits_version VALUES (1);

CREATE FUNCTION raise_limits_version() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE limits_version SET version = version + 1;
    RETURN NULL;
END
$$;
CREATE TRIGGER customer_limits_version BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON customer_limits
   FOR EACH STATEMENT EXECUTE FUNCTION raise_limits_version();
CREATE TRIGGER limit_profiles_version BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON limit_profiles
   FOR EACH STATEMENT EXECUTE FUNCTION raise_limits_version();
GRANT SELECT ON limits_version TO "heartbeat-consumer", "heartbeat-dashboard";

-- The customers of the transaction that is being written, which come by COPY: as arrays in a statement, text that has to be
-- parsed, 20,000 of them take three times as long. Nothing of it is ever committed, so nobody sees another one's rows. A
-- temporary table would have to be made in each session, which rights or event triggers may forbid. The rows are found by the
-- transaction, since those that are dead are removed only now and then.
CREATE UNLOGGED TABLE customer_changes (
    customer_id    varchar(50)  COLLATE "C" NOT NULL,
    recorded_at    timestamptz  NOT NULL,
    heart_rate     smallint     NOT NULL,
    anomaly_reason text,
    readings       integer      NOT NULL,
    anomalies      integer      NOT NULL,
    source_id      integer      NOT NULL,
    detector       bytea,
    transaction_id xid8         NOT NULL DEFAULT pg_current_xact_id()
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000, autovacuum_vacuum_cost_delay = 0);
CREATE INDEX idx_customer_changes_transaction ON customer_changes (transaction_id);
COMMENT ON TABLE customer_changes IS 'empty but for what transactions that are not committed have put there';
GRANT SELECT, INSERT, DELETE ON customer_changes TO "heartbeat-consumer";
GRANT SELECT ON customer_changes TO "heartbeat-dashboard";

-- As in 0005, but from that table. Without a detector the stored one stays.
DROP FUNCTION record_customers(
    text[], timestamptz[], smallint[], text[], integer[], integer[], integer[], bytea[]);
CREATE FUNCTION record_customers() RETURNS void LANGUAGE plpgsql SET enable_seqscan = off AS $$
BEGIN
    INSERT INTO customers (customer_id)
    SELECT customer_id FROM customer_changes AS c
     WHERE transaction_id = pg_current_xact_id()
       AND NOT EXISTS (SELECT FROM customers AS k WHERE k.customer_id = c.customer_id)
     ORDER BY customer_id
        ON CONFLICT DO NOTHING;
    INSERT INTO customer_state AS s
           (customer_id, recorded_at, heart_rate, is_anomaly, anomaly_reason, readings, anomalies, source_id, stored_at,
            detector)
    SELECT customer_id, recorded_at, heart_rate, anomaly_reason IS NOT NULL, anomaly_reason, readings, anomalies,
           source_id, now(), detector
      FROM customer_changes
     WHERE transaction_id = pg_current_xact_id()
     ORDER BY customer_id
        ON CONFLICT (customer_id) DO UPDATE
       SET heart_rate = CASE WHEN excluded.recorded_at >= s.recorded_at THEN excluded.heart_rate ELSE s.heart_rate END,
           is_anomaly = CASE WHEN excluded.recorded_at >= s.recorded_at THEN excluded.is_anomaly ELSE s.is_anomaly END,
           anomaly_reason =
               CASE WHEN excluded.recorded_at >= s.recorded_at THEN excluded.anomaly_reason ELSE s.anomaly_reason END,
           recorded_at = greatest(s.recorded_at, excluded.recorded_at),
           readings = s.readings + excluded.readings, anomalies = s.anomalies + excluded.anomalies,
           source_id = excluded.source_id, stored_at = excluded.stored_at,
           detector = coalesce(excluded.detector, s.detector);
    DELETE FROM customer_changes WHERE transaction_id = pg_current_xact_id();
END
$$;

-- Whether a text can be the name of a group: 1 to 50 characters, none of them a comma, by which the page separates names, or a
-- control character, and no blank of any kind at an end. Whoever takes names asks this function.
CREATE FUNCTION is_group_name(name text) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT char_length(name) BETWEEN 1 AND 50 AND name !~ '[\u0001-\u001f\u007f-\u009f,]'
       AND name !~ '^[ \u00a0\u1680\u2000-\u200b\u2028\u2029\u202f\u205f\u3000\ufeff]'
       AND name !~ '[ \u00a0\u1680\u2000-\u200b\u2028\u2029\u202f\u205f\u3000\ufeff]$'
$$;

-- What is stored and is none becomes one, as far as that is possible.
ALTER TABLE customer_groups DROP CONSTRAINT customer_groups_group_name_check;
WITH wrong AS (
    DELETE FROM customer_groups WHERE NOT is_group_name(group_name) RETURNING customer_id, group_name),
tidy AS (
    SELECT customer_id, btrim(regexp_replace(
               group_name, '[\u0001-\u0020\u007f-\u00a0,\u1680\u2000-\u200b\u2028\u2029\u202f\u205f\u3000\ufeff]+', ' ', 'g'))
               AS name
      FROM wrong)
INSERT INTO customer_groups SELECT DISTINCT customer_id, name FROM tidy WHERE is_group_name(name) ON CONFLICT DO NOTHING;
ALTER TABLE customer_groups ADD CONSTRAINT customer_groups_group_name_check CHECK (is_group_name(group_name));

-- As in 0012, without changing a name.
CREATE OR REPLACE FUNCTION set_customer_groups(customer text, person text, names text[]) RETURNS boolean
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
    INSERT INTO customer_groups SELECT DISTINCT customer, name FROM unnest(names) AS name;
    SELECT string_agg(group_name, ', ' ORDER BY group_name) INTO after
      FROM customer_groups WHERE customer_id = customer;
    INSERT INTO care_log (person, action, customer_id, old_value, new_value)
    VALUES (btrim(person), 'set groups', customer, before, after);
    RETURN true;
END
$$;
