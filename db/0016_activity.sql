-- What a customer was doing at a reading, as far as the sensor has told.

-- Rows that are there have none, so nobody has to read them: the constraint is for new ones. A row without it takes no more
-- room than before, and a row with it neither: it fills what was padding.
ALTER TABLE heart_rate_readings ADD COLUMN activity smallint;
ALTER TABLE heart_rate_readings ADD CONSTRAINT heart_rate_readings_activity_check
      CHECK (activity BETWEEN 0 AND 3) NOT VALID;
ALTER TABLE heart_rate_readings_closed ADD COLUMN activity smallint;
ALTER TABLE heart_rate_readings_retired ADD COLUMN activity smallint;
COMMENT ON COLUMN heart_rate_readings.activity IS '0 asleep, 1 at rest, 2 walking, 3 exercising; NULL when nobody told';

-- In a block without any the array is NULL, so that it costs nothing there.
ALTER TABLE sealed_readings ADD COLUMN activities smallint[] COMPRESSION pglz;
ALTER TABLE sealing_blocks ADD COLUMN activities smallint[] COMPRESSION pglz;
COMMENT ON COLUMN sealed_readings.activities IS 'the activity of each reading; NULL when none has one';

-- As in 0009. The activity is what the hash starts from: a reading without one has the hash that it had before, and all
-- seals stay true.
CREATE FUNCTION reading_hash(
    customer_id text, recorded_at timestamptz, heart_rate smallint, is_anomaly boolean, anomaly_reason text,
    is_suspect boolean, source_id integer, kafka_offset bigint, activity smallint
) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN hash_record_extended(ROW(customer_id COLLATE "C", recorded_at, heart_rate, is_anomaly, anomaly_reason COLLATE "C",
                                is_suspect, source_id, kafka_offset), coalesce(activity + 1, 0));
DROP FUNCTION reading_hash(text, timestamptz, smallint, boolean, text, boolean, integer, bigint);

-- The rest is as in 0009, with the activity; unseal_day comes in 0017.
CREATE FUNCTION unpack_readings(
    block_at timestamptz, steps integer[], rates smallint[], first_offset bigint, offset_steps integer[], flags smallint[],
    reasons text[], reason_numbers smallint[], activities smallint[] DEFAULT NULL
) RETURNS TABLE (
    number bigint, recorded_at timestamptz, heart_rate smallint, is_anomaly boolean, anomaly_reason text,
    is_suspect boolean, kafka_offset bigint, activity smallint
) LANGUAGE sql STABLE PARALLEL SAFE ROWS 1000
BEGIN ATOMIC
    SELECT r.number, $1 + sum(r.step) OVER so_far * interval '1 microsecond', r.heart_rate,
           coalesce(r.flag & 1 = 1, false), reasons[r.reason_number], coalesce(r.flag & 2 = 2, false),
           first_offset + sum(r.offset_step) OVER so_far, r.activity
      FROM unnest(steps, rates, offset_steps, flags, reason_numbers, activities) WITH ORDINALITY
           AS r (step, heart_rate, offset_step, flag, reason_number, activity, number)
    WINDOW so_far AS (ORDER BY r.number ROWS UNBOUNDED PRECEDING);
END;

CREATE OR REPLACE VIEW readings AS
SELECT id, customer_id, recorded_at, heart_rate, is_anomaly, anomaly_reason, inserted_at, source_id, kafka_offset,
       is_suspect, recorded_at AS block_at, is_anomaly::integer AS block_anomalies, activity
  FROM heart_rate_readings
UNION ALL
SELECT id, customer_id, recorded_at, heart_rate, is_anomaly, anomaly_reason, inserted_at, source_id, kafka_offset,
       is_suspect, recorded_at, is_anomaly::integer, activity
  FROM heart_rate_readings_closed
UNION ALL
SELECT r.number - b.block_id * 100000, b.customer_id, r.recorded_at, r.heart_rate, r.is_anomaly, r.anomaly_reason, NULL,
       b.source_id, r.kafka_offset, r.is_suspect, b.block_at, b.anomalies, r.activity
  FROM sealed_readings b
 CROSS JOIN unpack_readings(b.block_at, b.steps, b.rates, b.first_offset, b.offset_steps, b.flags, b.reasons,
                            b.reason_numbers, b.activities) r;
DROP FUNCTION unpack_readings(timestamptz, integer[], smallint[], bigint, integer[], smallint[], text[], smallint[]);

CREATE OR REPLACE FUNCTION readings_between(customer text, since timestamptz, until timestamptz) RETURNS SETOF readings
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT * FROM readings
     WHERE customer_id = customer AND recorded_at >= since AND recorded_at < until
       AND block_at > since - interval '1 hour' AND block_at < until;
END;

CREATE OR REPLACE FUNCTION pack_readings(customers text[], since timestamptz, until timestamptz) RETURNS bigint
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    packed bigint;
BEGIN
    WITH rows AS (
        SELECT *, kafka_offset IS NULL AS has_no_offset, date_bin('1 hour', recorded_at, timestamptz 'epoch') AS hour
          FROM heart_rate_readings_closed
         WHERE customer_id = ANY (customers) AND recorded_at >= since AND recorded_at < until
    ), ordered AS (
        SELECT *, row_number() OVER w AS number,
               round(date_part('epoch', recorded_at - lag(recorded_at) OVER w) * 1000000) AS step,
               kafka_offset - lag(kafka_offset) OVER w AS offset_step
          FROM rows
        WINDOW w AS (PARTITION BY customer_id, source_id, has_no_offset, hour ORDER BY recorded_at, kafka_offset)
    ), numbered AS (
        -- Another block begins where a step is too large for its array, and after 20,000 readings.
        SELECT *, count(*) FILTER (WHERE step > 2e9 OR abs(offset_step) > 2e9 OR number % 20000 = 1) OVER w AS block
          FROM ordered
        WINDOW w AS (PARTITION BY customer_id, source_id, has_no_offset, hour ORDER BY recorded_at, kafka_offset
                     ROWS UNBOUNDED PRECEDING)
    ), blocks AS (
        -- The rows come in their order, and so array_agg keeps them; if not, the comparison would see it.
        SELECT customer_id, source_id, min(recorded_at) AS block_at, (array_agg(kafka_offset))[1] AS first_offset,
               count(*) AS readings, count(*) FILTER (WHERE is_anomaly) AS anomalies,
               sum(reading_hash(customer_id, recorded_at, heart_rate, is_anomaly, anomaly_reason, is_suspect, source_id,
                                kafka_offset, activity)) AS checksum,
               array_agg(CASE WHEN step <= 2e9 THEN step::integer END) AS steps, array_agg(heart_rate) AS rates,
               has_no_offset,
               array_agg(CASE WHEN abs(offset_step) <= 2e9 THEN offset_step::integer END) AS offset_steps,
               bool_or(is_anomaly OR is_suspect) AS has_flags,
               array_agg((is_anomaly::integer + 2 * is_suspect::integer)::smallint) AS flags,
               array_agg(DISTINCT anomaly_reason) FILTER (WHERE anomaly_reason IS NOT NULL) AS reasons,
               CASE WHEN count(anomaly_reason) > 0 THEN array_agg(anomaly_reason) END AS all_reasons,
               CASE WHEN count(activity) > 0 THEN array_agg(activity) END AS activities
          FROM numbered GROUP BY customer_id, source_id, has_no_offset, hour, block
    )
    INSERT INTO sealing_blocks (customer_id, block_at, source_id, first_offset, readings, anomalies, checksum, steps, rates,
                                offset_steps, flags, reasons, reason_numbers, activities)
    SELECT customer_id, block_at, source_id, first_offset, readings, anomalies, checksum, 0 || steps[2:], rates,
           CASE WHEN NOT has_no_offset THEN 0 || offset_steps[2:] END, CASE WHEN has_flags THEN flags END, reasons,
           (SELECT array_agg(array_position(reasons, reason)::smallint) FROM unnest(all_reasons) AS reason), activities
      FROM blocks;

    SELECT sum(readings) INTO packed FROM sealing_blocks
     WHERE customer_id = ANY (customers) AND block_at >= since AND block_at < until;
    PERFORM FROM (
        SELECT customer_id, recorded_at, heart_rate, is_anomaly, anomaly_reason, is_suspect, source_id, kafka_offset,
               activity, 1 AS side
          FROM heart_rate_readings_closed
         WHERE customer_id = ANY (customers) AND recorded_at >= since AND recorded_at < until
         UNION ALL
        SELECT b.customer_id, r.recorded_at, r.heart_rate, r.is_anomaly, r.anomaly_reason, r.is_suspect, b.source_id,
               r.kafka_offset, r.activity, -1
          FROM sealing_blocks b
         CROSS JOIN unpack_readings(b.block_at, b.steps, b.rates, b.first_offset, b.offset_steps, b.flags, b.reasons,
                                    b.reason_numbers, b.activities) r
         WHERE b.customer_id = ANY (customers) AND b.block_at >= since AND b.block_at < until
    ) AS both_sides
     GROUP BY customer_id, recorded_at, heart_rate, is_anomaly, anomaly_reason, is_suspect, source_id, kafka_offset, activity
    HAVING sum(side) <> 0 LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'sealed readings are not those of the rows, from % to %', since, until USING ERRCODE = 'HB002';
    END IF;
    RETURN coalesce(packed, 0);
END
$$;

CREATE OR REPLACE FUNCTION check_seals(sealed_day date) RETURNS TABLE (source_id integer, finding text)
LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
    WITH found AS (
        SELECT coalesce(b.source_id, 0) AS source_id, count(*) AS readings, count(*) FILTER (WHERE r.is_anomaly) AS anomalies,
               sum(reading_hash(b.customer_id, r.recorded_at, r.heart_rate, r.is_anomaly, r.anomaly_reason, r.is_suspect,
                                b.source_id, r.kafka_offset, r.activity)) AS checksum,
               coalesce(range_agg(int8range(r.kafka_offset, r.kafka_offset, '[]'))
                        FILTER (WHERE r.kafka_offset IS NOT NULL), '{}') AS offsets
          FROM sealed_readings b
         CROSS JOIN unpack_readings(b.block_at, b.steps, b.rates, b.first_offset, b.offset_steps, b.flags, b.reasons,
                                    b.reason_numbers, b.activities) r
         WHERE b.block_at >= sealed_day::timestamp AT TIME ZONE 'UTC'
           AND b.block_at < sealed_day::timestamp AT TIME ZONE 'UTC' + interval '24 hours'
         GROUP BY 1
    )
    SELECT source_id,
           CASE WHEN s.day IS NULL THEN f.readings || ' readings without a seal'
                WHEN f.readings IS NULL THEN 'none of ' || s.readings || ' sealed readings'
                WHEN f.readings <> s.readings THEN f.readings || ' readings, sealed were ' || s.readings
                WHEN f.offsets <> s.offsets THEN 'other offsets than those that were sealed'
                ELSE 'the readings are not those that were sealed' END
      FROM found f FULL JOIN (SELECT * FROM seals WHERE day = sealed_day) s USING (source_id)
     WHERE (f.readings, f.anomalies, f.checksum, f.offsets)
           IS DISTINCT FROM (s.readings, s.anomalies, s.checksum, s.offsets)
     ORDER BY source_id
$$;

CREATE OR REPLACE FUNCTION require_known_columns() RETURNS void
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    unknown text;
BEGIN
    SELECT string_agg(attname, ', ') INTO unknown FROM pg_attribute
     WHERE attrelid = 'heart_rate_readings'::regclass AND attnum > 0 AND NOT attisdropped
       AND attname NOT IN ('id', 'customer_id', 'recorded_at', 'heart_rate', 'is_anomaly', 'anomaly_reason', 'inserted_at',
                           'source_id', 'kafka_offset', 'is_suspect', 'activity');
    IF unknown IS NOT NULL THEN
        RAISE EXCEPTION 'heart_rate_readings has columns that sealed readings do not have: %', unknown
            USING ERRCODE = 'HB002';
    END IF;
END
$$;

CREATE OR REPLACE FUNCTION close_default_readings(closing_day date) RETURNS bigint
LANGUAGE plpgsql SET search_path = public, pg_temp SET timezone = 'UTC' SET datestyle = 'ISO, YMD' AS $$
DECLARE
    name text := 'closed_readings_' || to_char(closing_day, 'YYYYMMDD');
    midnight timestamptz := closing_day::timestamp AT TIME ZONE 'UTC';
    moved bigint;
BEGIN
    PERFORM require_known_columns();
    EXECUTE format('CREATE TABLE %I (LIKE heart_rate_readings INCLUDING CONSTRAINTS INCLUDING INDEXES)', name);
    EXECUTE format($sql$
        WITH moved AS (
            DELETE FROM heart_rate_readings_default WHERE ctid = ANY (ARRAY(
                SELECT ctid FROM heart_rate_readings_default WHERE recorded_at >= %L AND recorded_at < %L LIMIT 200000))
            RETURNING id, customer_id, recorded_at, heart_rate, is_anomaly, anomaly_reason, inserted_at, source_id,
                      kafka_offset, is_suspect, activity
        )
        INSERT INTO %I (id, customer_id, recorded_at, heart_rate, is_anomaly, anomaly_reason, inserted_at, source_id,
                        kafka_offset, is_suspect, activity)
        SELECT * FROM moved
        $sql$, midnight, midnight + interval '24 hours', name);
    GET DIAGNOSTICS moved = ROW_COUNT;
    EXECUTE format('ALTER TABLE %I INHERIT heart_rate_readings_closed', name);
    RETURN moved;
END
$$;
