-- Sealed days: what a day's readings take is mostly the cost of rows and indexes. A day that is over becomes one row for
-- each customer and hour, with arrays. packaging/doc/growth.md describes the form for readers with psql.

-- A day that is being sealed: maintenance takes its partition out of heart_rate_readings and makes it a child of this
-- table, until its readings are in sealed_readings. Nobody writes to it any more. Nearly always there is none.
CREATE TABLE heart_rate_readings_closed (LIKE heart_rate_readings);

-- A block: readings of one customer and source within an hour of UTC, in the order of their time stamps and offsets.
-- Measured, pglz makes these arrays smaller than lz4 does, by a third; every server has it.
CREATE SEQUENCE sealed_readings_block_id;
CREATE TABLE sealed_readings (
    customer_id    varchar(50) COLLATE "C" NOT NULL,
    block_at       timestamptz NOT NULL,
    block_id       bigint      NOT NULL DEFAULT nextval('sealed_readings_block_id'),
    source_id      integer,
    first_offset   bigint,
    readings       integer     NOT NULL,
    anomalies      integer     NOT NULL,
    checksum       numeric     NOT NULL,
    steps          integer[]   COMPRESSION pglz NOT NULL,
    rates          smallint[]  COMPRESSION pglz NOT NULL,
    offset_steps   integer[]   COMPRESSION pglz,
    flags          smallint[]  COMPRESSION pglz,
    reasons        text[]      COMPRESSION pglz,
    reason_numbers smallint[]  COMPRESSION pglz,
    PRIMARY KEY (customer_id, block_at, block_id)
);
ALTER SEQUENCE sealed_readings_block_id OWNED BY sealed_readings.block_id;
CREATE INDEX idx_sealed_readings_time ON sealed_readings (block_at);
COMMENT ON COLUMN sealed_readings.block_at IS 'the time stamp of the first reading';
COMMENT ON COLUMN sealed_readings.first_offset IS 'the offset of the first reading; NULL when they have none';
COMMENT ON COLUMN sealed_readings.checksum IS 'the sum of reading_hash over the readings';
COMMENT ON COLUMN sealed_readings.steps IS 'microseconds since the reading before; 0 first';
COMMENT ON COLUMN sealed_readings.offset_steps IS 'offset minus that of the reading before; 0 first; NULL without offsets';
COMMENT ON COLUMN sealed_readings.flags IS '1 for an anomaly plus 2 for a suspect reading; NULL when all are 0';
COMMENT ON COLUMN sealed_readings.reasons IS 'the different anomaly_reason; NULL when there is none';
COMMENT ON COLUMN sealed_readings.reason_numbers IS 'which of the reasons each reading has; NULL for none';

-- What is known of a sealed day without reading it: one row for each source, 0 for readings that came from no message.
-- Written from the rows before they were dropped.
CREATE TABLE seals (
    day       date           NOT NULL,
    source_id integer        NOT NULL,
    readings  bigint         NOT NULL,
    anomalies bigint         NOT NULL,
    checksum  numeric        NOT NULL,
    offsets   int8multirange NOT NULL,
    sealed_at timestamptz    NOT NULL DEFAULT now(),
    PRIMARY KEY (day, source_id)
);

-- All seals' offsets of a source. Ranges of neighbouring days become one here, so that "heartbeat verify" has few to read.
CREATE TABLE sealed_offsets (
    source_id integer        PRIMARY KEY,
    readings  bigint         NOT NULL,
    offsets   int8multirange NOT NULL
);

-- Where maintenance packs a day that is not sealed yet, and what it has counted in that day's rows. Nobody else reads them.
CREATE UNLOGGED TABLE sealing_blocks (LIKE sealed_readings INCLUDING DEFAULTS INCLUDING COMPRESSION);
CREATE INDEX idx_sealing_blocks ON sealing_blocks (customer_id, block_at);
CREATE UNLOGGED TABLE sealing_counts (
    source_id    integer,
    readings     bigint         NOT NULL,
    anomalies    bigint         NOT NULL,
    checksum     numeric        NOT NULL,
    offset_count bigint         NOT NULL,
    offsets      int8multirange
);

-- A reading as a number. Sums of it tell two sets of readings apart, in any order and also when one has a reading twice.
CREATE FUNCTION reading_hash(
    customer_id text, recorded_at timestamptz, heart_rate smallint, is_anomaly boolean, anomaly_reason text,
    is_suspect boolean, source_id integer, kafka_offset bigint
) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN hash_record_extended(ROW(customer_id COLLATE "C", recorded_at, heart_rate, is_anomaly, anomaly_reason COLLATE "C",
                                is_suspect, source_id, kafka_offset), 0);

-- The readings of a block, by their number in it.
CREATE FUNCTION unpack_readings(
    block_at timestamptz, steps integer[], rates smallint[], first_offset bigint, offset_steps integer[], flags smallint[],
    reasons text[], reason_numbers smallint[]
) RETURNS TABLE (
    number bigint, recorded_at timestamptz, heart_rate smallint, is_anomaly boolean, anomaly_reason text,
    is_suspect boolean, kafka_offset bigint
) LANGUAGE sql STABLE PARALLEL SAFE ROWS 1000
BEGIN ATOMIC
    SELECT r.number, $1 + sum(r.step) OVER so_far * interval '1 microsecond', r.heart_rate,
           coalesce(r.flag & 1 = 1, false), reasons[r.reason_number], coalesce(r.flag & 2 = 2, false),
           first_offset + sum(r.offset_step) OVER so_far
      FROM unnest(steps, rates, offset_steps, flags, reason_numbers) WITH ORDINALITY
           AS r (step, heart_rate, offset_step, flag, reason_number, number)
    WINDOW so_far AS (ORDER BY r.number ROWS UNBOUNDED PRECEDING);
END;

-- Every reading, sealed or not. A block's readings are within the hour from block_at on (a reading that is not sealed is
-- its own block), so a query that wants those of a time says so of block_at, too, and reads only the blocks that can
-- have some: recorded_at >= A AND recorded_at < B AND block_at > A - interval '1 hour' AND block_at < B.
-- A sealed reading has no inserted_at, and an id of its own: below 0, and valid until the day is unsealed.
CREATE VIEW readings AS
SELECT id, customer_id, recorded_at, heart_rate, is_anomaly, anomaly_reason, inserted_at, source_id, kafka_offset,
       is_suspect, recorded_at AS block_at, is_anomaly::integer AS block_anomalies
  FROM heart_rate_readings
UNION ALL
SELECT id, customer_id, recorded_at, heart_rate, is_anomaly, anomaly_reason, inserted_at, source_id, kafka_offset,
       is_suspect, recorded_at, is_anomaly::integer
  FROM heart_rate_readings_closed
UNION ALL
SELECT r.number - b.block_id * 100000, b.customer_id, r.recorded_at, r.heart_rate, r.is_anomaly, r.anomaly_reason, NULL,
       b.source_id, r.kafka_offset, r.is_suspect, b.block_at, b.anomalies
  FROM sealed_readings b
 CROSS JOIN unpack_readings(b.block_at, b.steps, b.rates, b.first_offset, b.offset_steps, b.flags, b.reasons,
                            b.reason_numbers) r;

-- Readings of one customer and time from the view, with the condition on block_at.
CREATE FUNCTION readings_between(customer text, since timestamptz, until timestamptz) RETURNS SETOF readings
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT * FROM readings
     WHERE customer_id = customer AND recorded_at >= since AND recorded_at < until
       AND block_at > since - interval '1 hour' AND block_at < until;
END;

-- When a customer's first reading was taken, without a look into blocks.
CREATE FUNCTION first_reading_at(customer text) RETURNS timestamptz
LANGUAGE sql STABLE PARALLEL SAFE
RETURN least((SELECT min(recorded_at) FROM heart_rate_readings WHERE customer_id = customer),
             (SELECT min(recorded_at) FROM heart_rate_readings_closed WHERE customer_id = customer),
             (SELECT min(block_at) FROM sealed_readings WHERE customer_id = customer));

-- Where to end a part when a customer's readings from a moment on are read in parts: some thousand readings later, before
-- the end.
CREATE FUNCTION part_end(customer text, since timestamptz, until timestamptz) RETURNS timestamptz
LANGUAGE sql STABLE PARALLEL SAFE
RETURN least(until,
    (SELECT recorded_at FROM heart_rate_readings
      WHERE customer_id = customer AND recorded_at > since AND recorded_at < until
      ORDER BY recorded_at OFFSET 5000 LIMIT 1),
    (SELECT recorded_at FROM heart_rate_readings_closed
      WHERE customer_id = customer AND recorded_at > since AND recorded_at < until
      ORDER BY recorded_at OFFSET 5000 LIMIT 1),
    (SELECT block_at FROM (SELECT block_at, sum(readings) OVER (ORDER BY block_at ROWS UNBOUNDED PRECEDING) AS total
                             FROM sealed_readings
                            WHERE customer_id = customer AND block_at > since AND block_at < until) AS blocks
      WHERE total > 10000 ORDER BY block_at LIMIT 1));

-- Packs some customers' closed readings of a time into sealing_blocks, whole hours of UTC, and compares what comes out of
-- the blocks with the rows, both ways. Fails when they differ. Returns how many readings they have.
CREATE FUNCTION pack_readings(customers text[], since timestamptz, until timestamptz) RETURNS bigint
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
                                kafka_offset)) AS checksum,
               array_agg(CASE WHEN step <= 2e9 THEN step::integer END) AS steps, array_agg(heart_rate) AS rates,
               has_no_offset,
               array_agg(CASE WHEN abs(offset_step) <= 2e9 THEN offset_step::integer END) AS offset_steps,
               bool_or(is_anomaly OR is_suspect) AS has_flags,
               array_agg((is_anomaly::integer + 2 * is_suspect::integer)::smallint) AS flags,
               array_agg(DISTINCT anomaly_reason) FILTER (WHERE anomaly_reason IS NOT NULL) AS reasons,
               CASE WHEN count(anomaly_reason) > 0 THEN array_agg(anomaly_reason) END AS all_reasons
          FROM numbered GROUP BY customer_id, source_id, has_no_offset, hour, block
    )
    INSERT INTO sealing_blocks (customer_id, block_at, source_id, first_offset, readings, anomalies, checksum, steps, rates,
                                offset_steps, flags, reasons, reason_numbers)
    SELECT customer_id, block_at, source_id, first_offset, readings, anomalies, checksum, 0 || steps[2:], rates,
           CASE WHEN NOT has_no_offset THEN 0 || offset_steps[2:] END, CASE WHEN has_flags THEN flags END, reasons,
           (SELECT array_agg(array_position(reasons, reason)::smallint) FROM unnest(all_reasons) AS reason)
      FROM blocks;

    SELECT sum(readings) INTO packed FROM sealing_blocks
     WHERE customer_id = ANY (customers) AND block_at >= since AND block_at < until;
    PERFORM FROM (
        SELECT customer_id, recorded_at, heart_rate, is_anomaly, anomaly_reason, is_suspect, source_id, kafka_offset,
               1 AS side
          FROM heart_rate_readings_closed
         WHERE customer_id = ANY (customers) AND recorded_at >= since AND recorded_at < until
         UNION ALL
        SELECT b.customer_id, r.recorded_at, r.heart_rate, r.is_anomaly, r.anomaly_reason, r.is_suspect, b.source_id,
               r.kafka_offset, -1
          FROM sealing_blocks b
         CROSS JOIN unpack_readings(b.block_at, b.steps, b.rates, b.first_offset, b.offset_steps, b.flags, b.reasons,
                                    b.reason_numbers) r
         WHERE b.customer_id = ANY (customers) AND b.block_at >= since AND b.block_at < until
    ) AS both_sides
     GROUP BY customer_id, recorded_at, heart_rate, is_anomaly, anomaly_reason, is_suspect, source_id, kafka_offset
    HAVING sum(side) <> 0 LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'sealed readings are not those of the rows, from % to %', since, until USING ERRCODE = 'HB002';
    END IF;
    RETURN coalesce(packed, 0);
END
$$;

-- Ends a sealing: the packed blocks become sealed readings, with their seals. Whoever calls it drops the day's rows in the
-- same transaction. Fails when the blocks do not have all that was counted in the rows, or when an offset is there twice
-- or is sealed already: then the rows stay, for "heartbeat verify" to show.
CREATE FUNCTION add_seals(sealed_day date) RETURNS bigint
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    total bigint;
    doubled integer;
BEGIN
    CREATE TEMPORARY TABLE counted ON COMMIT DROP AS
    SELECT source_id, sum(readings)::bigint AS readings, sum(anomalies)::bigint AS anomalies, sum(checksum) AS checksum,
           sum(offset_count)::bigint AS offset_count, coalesce(range_agg(offsets), '{}') AS offsets
      FROM sealing_counts GROUP BY source_id;
    IF EXISTS (
        SELECT FROM (SELECT source_id, readings, anomalies, checksum, 1 AS side FROM counted
                     UNION ALL
                     SELECT source_id, sum(readings), sum(anomalies), sum(checksum), -1 FROM sealing_blocks
                      GROUP BY source_id) AS both_sides
         GROUP BY source_id, readings, anomalies, checksum HAVING sum(side) <> 0)
    THEN
        RAISE EXCEPTION 'the packed readings of % are not all that were counted', sealed_day USING ERRCODE = 'HB002';
    END IF;
    SELECT c.source_id INTO doubled FROM counted c LEFT JOIN sealed_offsets s USING (source_id)
     WHERE c.source_id IS NOT NULL
       AND (c.offsets && s.offsets
            OR c.offset_count <> (SELECT coalesce(sum(upper(r) - lower(r)), 0) FROM unnest(c.offsets) AS r))
     LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'readings of % have offsets of source % that are stored twice', sealed_day, doubled
            USING ERRCODE = 'HB002';
    END IF;

    INSERT INTO sealed_readings SELECT * FROM sealing_blocks ORDER BY customer_id, block_at;
    INSERT INTO seals AS s (day, source_id, readings, anomalies, checksum, offsets)
    SELECT sealed_day, coalesce(source_id, 0), readings, anomalies, checksum, offsets FROM counted
        ON CONFLICT (day, source_id) DO UPDATE
       SET readings = s.readings + excluded.readings, anomalies = s.anomalies + excluded.anomalies,
           checksum = s.checksum + excluded.checksum, offsets = s.offsets + excluded.offsets, sealed_at = now();
    INSERT INTO sealed_offsets AS o (source_id, readings, offsets)
    SELECT coalesce(source_id, 0), readings, offsets FROM counted
        ON CONFLICT (source_id) DO UPDATE
       SET readings = o.readings + excluded.readings, offsets = o.offsets + excluded.offsets;
    SELECT coalesce(sum(readings), 0) INTO total FROM counted;
    RETURN total;
END
$$;

-- Removes a day's blocks and seals; what becomes of its readings is the caller's business. Returns how many there were.
CREATE FUNCTION remove_seals(sealed_day date) RETURNS bigint
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    midnight timestamptz := sealed_day::timestamp AT TIME ZONE 'UTC';
    total bigint;
BEGIN
    DELETE FROM sealed_readings WHERE block_at >= midnight AND block_at < midnight + interval '24 hours';
    UPDATE sealed_offsets o SET readings = o.readings - s.readings, offsets = o.offsets - s.offsets
      FROM seals s WHERE s.day = sealed_day AND s.source_id = o.source_id;
    DELETE FROM sealed_offsets o USING seals s
     WHERE s.day = sealed_day AND s.source_id = o.source_id AND o.readings = 0;
    WITH removed AS (DELETE FROM seals WHERE day = sealed_day RETURNING readings)
    SELECT coalesce(sum(readings), 0) INTO total FROM removed;
    RETURN total;
END
$$;

-- Retention: drops a sealed day and notes its offsets, as with a day of rows.
CREATE FUNCTION drop_sealed_day(sealed_day date) RETURNS bigint
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO retired_offsets AS r (source_id, readings, offsets)
    SELECT source_id, readings, offsets FROM seals WHERE day = sealed_day AND source_id <> 0
        ON CONFLICT (source_id) DO UPDATE
       SET readings = r.readings + excluded.readings, offsets = r.offsets + excluded.offsets, updated_at = now();
    RETURN remove_seals(sealed_day);
END
$$;

-- What a day's seals and its blocks do not agree about, in a sentence for each source; nothing when all is well.
CREATE FUNCTION check_seals(sealed_day date) RETURNS TABLE (source_id integer, finding text)
LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
    WITH found AS (
        SELECT coalesce(b.source_id, 0) AS source_id, count(*) AS readings, count(*) FILTER (WHERE r.is_anomaly) AS anomalies,
               sum(reading_hash(b.customer_id, r.recorded_at, r.heart_rate, r.is_anomaly, r.anomaly_reason, r.is_suspect,
                                b.source_id, r.kafka_offset)) AS checksum,
               coalesce(range_agg(int8range(r.kafka_offset, r.kafka_offset, '[]'))
                        FILTER (WHERE r.kafka_offset IS NOT NULL), '{}') AS offsets
          FROM sealed_readings b
         CROSS JOIN unpack_readings(b.block_at, b.steps, b.rates, b.first_offset, b.offset_steps, b.flags, b.reasons,
                                    b.reason_numbers) r
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

-- Writes a sealed day's readings back into heart_rate_readings, all in one transaction. Returns how many.
CREATE FUNCTION unseal_day(sealed_day date) RETURNS bigint
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    midnight timestamptz := sealed_day::timestamp AT TIME ZONE 'UTC';
    problem text;
    written bigint;
BEGIN
    SELECT string_agg('source ' || source_id || ': ' || finding, '; ') INTO problem FROM check_seals(sealed_day);
    IF problem IS NOT NULL THEN
        RAISE EXCEPTION 'the sealed readings of % are not sound: %', sealed_day, problem USING ERRCODE = 'HB002';
    END IF;
    INSERT INTO heart_rate_readings (customer_id, recorded_at, heart_rate, is_anomaly, anomaly_reason, is_suspect,
                                     source_id, kafka_offset)
    SELECT b.customer_id, r.recorded_at, r.heart_rate, r.is_anomaly, r.anomaly_reason, r.is_suspect, b.source_id,
           r.kafka_offset
      FROM sealed_readings b
     CROSS JOIN unpack_readings(b.block_at, b.steps, b.rates, b.first_offset, b.offset_steps, b.flags, b.reasons,
                                b.reason_numbers) r
     WHERE b.block_at >= midnight AND b.block_at < midnight + interval '24 hours';
    GET DIAGNOSTICS written = ROW_COUNT;
    IF written <> remove_seals(sealed_day) THEN
        RAISE EXCEPTION 'not all readings of % were written', sealed_day USING ERRCODE = 'HB002';
    END IF;
    RETURN written;
END
$$;

-- Fails when heart_rate_readings has a column that a seal would lose.
CREATE FUNCTION require_known_columns() RETURNS void
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    unknown text;
BEGIN
    SELECT string_agg(attname, ', ') INTO unknown FROM pg_attribute
     WHERE attrelid = 'heart_rate_readings'::regclass AND attnum > 0 AND NOT attisdropped
       AND attname NOT IN ('id', 'customer_id', 'recorded_at', 'heart_rate', 'is_anomaly', 'anomaly_reason', 'inserted_at',
                           'source_id', 'kafka_offset', 'is_suspect');
    IF unknown IS NOT NULL THEN
        RAISE EXCEPTION 'heart_rate_readings has columns that sealed readings do not have: %', unknown
            USING ERRCODE = 'HB002';
    END IF;
END
$$;

-- Takes a day out of heart_rate_readings, all of it in a moment, to be sealed. Like every DETACH it locks the table for a
-- moment: whoever calls it limits how long it waits for that. The name is then free for a partition of late readings.
CREATE FUNCTION close_readings_partition(closing_day date) RETURNS void
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    digits text := to_char(closing_day, 'YYYYMMDD');
BEGIN
    PERFORM require_known_columns();
    EXECUTE format('ALTER TABLE heart_rate_readings DETACH PARTITION %I', 'heart_rate_readings_' || digits);
    EXECUTE format('ALTER TABLE %I RENAME TO %I', 'heart_rate_readings_' || digits, 'closed_readings_' || digits);
    EXECUTE format('ALTER TABLE %I INHERIT heart_rate_readings_closed', 'closed_readings_' || digits);
END
$$;

-- The same with a day's readings in the default partition, a part of them when they are many. Returns how many.
CREATE FUNCTION close_default_readings(closing_day date) RETURNS bigint
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
                      kafka_offset, is_suspect
        )
        INSERT INTO %I (id, customer_id, recorded_at, heart_rate, is_anomaly, anomaly_reason, inserted_at, source_id,
                        kafka_offset, is_suspect)
        SELECT * FROM moved
        $sql$, midnight, midnight + interval '24 hours', name);
    GET DIAGNOSTICS moved = ROW_COUNT;
    EXECUTE format('ALTER TABLE %I INHERIT heart_rate_readings_closed', name);
    RETURN moved;
END
$$;

GRANT SELECT ON readings, heart_rate_readings_closed, sealed_readings, seals, sealed_offsets
   TO "heartbeat-consumer", "heartbeat-dashboard";
GRANT SELECT ON sealing_blocks, sealing_counts TO "heartbeat-dashboard";
