-- What the consumer may do beyond plain rows.

-- The fence: moves every source on from the offset that its consumer expects, or fails as a whole. What is added to its
-- totals is given beside it.
CREATE FUNCTION advance_offsets(
    source_ids integer[], expected bigint[], advanced bigint[], more_readings integer[], more_anomalies integer[],
    more_rejected integer[]
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    moved integer;
BEGIN
    UPDATE kafka_offsets AS o
       SET next_offset = a.advanced_offset, readings = o.readings + a.readings, anomalies = o.anomalies + a.anomalies,
           rejected = o.rejected + a.rejected, updated_at = now()
      FROM unnest(source_ids, expected, advanced, more_readings, more_anomalies, more_rejected)
           AS a (source_id, expected_offset, advanced_offset, readings, anomalies, rejected)
     WHERE o.source_id = a.source_id AND o.next_offset = a.expected_offset;
    GET DIAGNOSTICS moved = ROW_COUNT;
    IF moved <> cardinality(source_ids) THEN
        RAISE EXCEPTION 'fenced: another consumer owns % of % partitions', cardinality(source_ids) - moved,
            cardinality(source_ids) USING ERRCODE = 'HB001';
    END IF;
END
$$;

-- Takes a batch's customers over: those who are new, and everybody's latest reading by its time stamp; of two with the
-- same one the later in the log. In the order of ids, so that consumers wait for each other in one order only.
CREATE FUNCTION record_customers(
    ids text[], times timestamptz[], rates smallint[], reasons text[], more_readings integer[], more_anomalies integer[]
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO customers (customer_id)
    SELECT id FROM unnest(ids) AS c (id)
     WHERE NOT EXISTS (SELECT 1 FROM customers WHERE customer_id = id)
     ORDER BY id COLLATE "C"
        ON CONFLICT DO NOTHING;
    INSERT INTO customer_state AS s
           (customer_id, recorded_at, heart_rate, is_anomaly, anomaly_reason, readings, anomalies)
    SELECT c.id, c.recorded_at, c.heart_rate, c.reason IS NOT NULL, c.reason, c.readings, c.anomalies
      FROM unnest(ids, times, rates, reasons, more_readings, more_anomalies)
           AS c (id, recorded_at, heart_rate, reason, readings, anomalies)
     ORDER BY c.id COLLATE "C"
        ON CONFLICT (customer_id) DO UPDATE
       SET heart_rate = CASE WHEN excluded.recorded_at >= s.recorded_at THEN excluded.heart_rate ELSE s.heart_rate END,
           is_anomaly = CASE WHEN excluded.recorded_at >= s.recorded_at THEN excluded.is_anomaly ELSE s.is_anomaly END,
           anomaly_reason =
               CASE WHEN excluded.recorded_at >= s.recorded_at THEN excluded.anomaly_reason ELSE s.anomaly_reason END,
           recorded_at = greatest(s.recorded_at, excluded.recorded_at),
           readings = s.readings + excluded.readings, anomalies = s.anomalies + excluded.anomalies;
END
$$;

-- Adds a batch's readings to their minutes.
CREATE FUNCTION record_minutes(
    consumer_name text, minutes timestamptz[], more_readings integer[], more_anomalies integer[], lowest smallint[],
    highest smallint[], sums bigint[]
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO readings_per_minute AS r
           (minute, consumer, readings, anomalies, heart_rate_min, heart_rate_max, heart_rate_sum)
    SELECT m.start, consumer_name, m.readings, m.anomalies, m.low, m.high, m.total
      FROM unnest(minutes, more_readings, more_anomalies, lowest, highest, sums)
           AS m (start, readings, anomalies, low, high, total)
        ON CONFLICT (minute, consumer) DO UPDATE
       SET readings = r.readings + excluded.readings, anomalies = r.anomalies + excluded.anomalies,
           heart_rate_min = least(r.heart_rate_min, excluded.heart_rate_min),
           heart_rate_max = greatest(r.heart_rate_max, excluded.heart_rate_max),
           heart_rate_sum = r.heart_rate_sum + excluded.heart_rate_sum;
END
$$;

-- Counts a batch in the row of this minute; an empty one says that the consumer was there.
CREATE FUNCTION log_messages(consumer_name text, valid integer, anomaly integer, invalid integer) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO pipeline_log AS l
           (logged_at, consumer, messages_read, messages_valid, messages_anomaly, messages_invalid)
    VALUES (date_trunc('minute', now()), consumer_name, valid + anomaly + invalid, valid, anomaly, invalid)
        ON CONFLICT (logged_at, consumer) DO UPDATE
       SET messages_read = l.messages_read + excluded.messages_read,
           messages_valid = l.messages_valid + excluded.messages_valid,
           messages_anomaly = l.messages_anomaly + excluded.messages_anomaly,
           messages_invalid = l.messages_invalid + excluded.messages_invalid;
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
