-- Partitions are UTC days, whatever the session's time zone is; and one whose bounds are not holds nothing up.

-- As in 0002; a day that another partition reaches into gets none: its readings go to the default partition.
CREATE OR REPLACE FUNCTION create_readings_partition(day date) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp SET timezone = 'UTC' SET datestyle = 'ISO, YMD' SET lock_timeout = '1s' AS $$
DECLARE
    name text := 'heart_rate_readings_' || to_char(day, 'YYYYMMDD');
    midnight timestamptz := day::timestamp AT TIME ZONE 'UTC';
BEGIN
    IF day > (now() AT TIME ZONE 'UTC')::date + 31 THEN
        RAISE EXCEPTION 'no partition is made more than 31 days ahead: %', day;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('create_readings_partition'));
    IF to_regclass(name) IS NOT NULL THEN
        RETURN false;
    END IF;
    EXECUTE format('CREATE TABLE %I (LIKE heart_rate_readings INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', name);
    EXECUTE format('ALTER TABLE heart_rate_readings ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
        name, midnight, midnight + interval '24 hours');
    RETURN true;
EXCEPTION
    WHEN check_violation OR lock_not_available OR invalid_object_definition THEN
        RETURN false;
END
$$;

-- Drops empty partitions whose bounds are not those of their UTC day, as earlier versions made them in other time zones
-- around a change of the clocks. Returns the names of those that have readings: they stay, with all that is in them.
CREATE FUNCTION drop_misplaced_partitions() RETURNS SETOF text
LANGUAGE plpgsql SET search_path = public, pg_temp SET timezone = 'UTC' SET datestyle = 'ISO, YMD' SET lock_timeout = '1s'
AS $$
DECLARE
    found record;
    midnight timestamptz;
    is_empty boolean;
BEGIN
    FOR found IN
        SELECT c.relname AS name, pg_get_expr(c.relpartbound, c.oid) AS bounds
          FROM pg_inherits JOIN pg_class AS c ON c.oid = inhrelid
         WHERE inhparent = 'heart_rate_readings'::regclass AND c.relname ~ '^heart_rate_readings_[0-9]{8}$'
         ORDER BY 1
    LOOP
        midnight := to_date(right(found.name, 8), 'YYYYMMDD')::timestamp AT TIME ZONE 'UTC';
        CONTINUE WHEN found.bounds
            = format('FOR VALUES FROM (%L) TO (%L)', midnight, midnight + interval '24 hours');
        BEGIN
            EXECUTE format('LOCK TABLE %I IN ACCESS EXCLUSIVE MODE', found.name);
            EXECUTE format('SELECT NOT EXISTS (SELECT FROM %I)', found.name) INTO is_empty;
            IF is_empty THEN
                EXECUTE format('DROP TABLE %I', found.name);
            ELSE
                RETURN NEXT found.name;
            END IF;
        EXCEPTION
            WHEN lock_not_available THEN
                RETURN NEXT found.name;
        END;
    END LOOP;
END
$$;
REVOKE EXECUTE ON FUNCTION drop_misplaced_partitions() FROM PUBLIC;
