-- What the consumer may do beyond plain rows.

-- The fence: moves every source on from the offset that its consumer expects, or fails as a whole.
CREATE FUNCTION advance_offsets(source_ids integer[], expected bigint[], advanced bigint[]) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    moved integer;
BEGIN
    UPDATE kafka_offsets AS o
       SET next_offset = a.advanced_offset, updated_at = now()
      FROM unnest(source_ids, expected, advanced) AS a (source_id, expected_offset, advanced_offset)
     WHERE o.source_id = a.source_id AND o.next_offset = a.expected_offset;
    GET DIAGNOSTICS moved = ROW_COUNT;
    IF moved <> cardinality(source_ids) THEN
        RAISE EXCEPTION 'fenced: another consumer owns % of % partitions', cardinality(source_ids) - moved,
            cardinality(source_ids) USING ERRCODE = 'HB001';
    END IF;
END
$$;

-- Makes the partition of one UTC day; false when there is none to make: it is there, or the default partition already has
-- rows of that day, which then stay there, or somebody holds the default partition, which ATTACH wants for a moment.
-- That may be a consumer that was stopped in mid-COPY, for which no timeout of the server counts: nobody waits for it, the
-- day's readings go to the default partition instead.
-- The consumer may call it but owns no table: it runs with the owner's rights.
-- ATTACH takes a weaker lock on the parent than CREATE TABLE ... PARTITION OF, so batches go on meanwhile.
CREATE FUNCTION create_readings_partition(day date) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET lock_timeout = '1s' AS $$
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
        name, midnight, midnight + interval '1 day');
    RETURN true;
EXCEPTION
    WHEN check_violation OR lock_not_available THEN
        RETURN false;
END
$$;
REVOKE EXECUTE ON FUNCTION create_readings_partition(date) FROM PUBLIC;
