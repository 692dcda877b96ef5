-- A day of very many readings is sealed, and looked into, with little memory.

-- In which order the rows were counted.
ALTER TABLE sealing_counts ADD COLUMN step bigint GENERATED ALWAYS AS IDENTITY;

-- Puts the counts of neighbouring steps together, before add_seals adds all up. A batch is stored customer by customer, so a
-- step that has a part of it has every other offset or so, and the next step has the rest. All of these at once, of a day that
-- was read as a backlog, took gigabytes (176 bytes each). Groups that are hashed would all be in memory, too.
CREATE FUNCTION join_sealing_counts() RETURNS void
LANGUAGE sql SET search_path = public, pg_temp SET enable_hashagg = off AS $$
    WITH steps AS (DELETE FROM sealing_counts RETURNING *)
    INSERT INTO sealing_counts (source_id, readings, anomalies, checksum, offset_count, offsets)
    SELECT source_id, sum(readings), sum(anomalies), sum(checksum), sum(offset_count), range_agg(offsets)
      FROM (SELECT *, row_number() OVER (PARTITION BY source_id ORDER BY step) / 32 AS part FROM steps) AS parts
     GROUP BY source_id, part
$$;

-- As in 0016, but it gathers the offsets of one block after the other: those of a day with more than 67 million readings of one
-- source took more than the gigabyte that PostgreSQL gives to one value, and less than that took much. A block's offsets have
-- to be among those of the seal. All together they are these when there are as many, with the same sum; what came from no
-- message (source 0) may have an offset twice.
CREATE OR REPLACE FUNCTION check_seals(sealed_day date) RETURNS TABLE (source_id integer, finding text)
LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
    WITH sealed AS (
        SELECT s.*, o.offset_count, o.offset_sum
          FROM seals s
         CROSS JOIN LATERAL (
             SELECT coalesce(sum(upper(r) - lower(r)), 0) AS offset_count,
                    coalesce(sum((upper(r) - lower(r))::numeric * (lower(r) + upper(r) - 1)), 0) / 2 AS offset_sum
               FROM unnest(s.offsets) AS r) AS o
         WHERE s.day = sealed_day
    ), found AS (
        SELECT coalesce(b.source_id, 0) AS source_id, sum(f.readings) AS readings, sum(f.anomalies) AS anomalies,
               sum(f.checksum) AS checksum, sum(f.offset_count) AS offset_count,
               coalesce(sum(f.offset_sum), 0) AS offset_sum, bool_and(f.offsets <@ s.offsets) AS are_sealed
          FROM sealed_readings b
         CROSS JOIN LATERAL (
             SELECT count(*) AS readings, count(*) FILTER (WHERE r.is_anomaly) AS anomalies,
                    sum(reading_hash(b.customer_id, r.recorded_at, r.heart_rate, r.is_anomaly, r.anomaly_reason,
                                     r.is_suspect, b.source_id, r.kafka_offset, r.activity)) AS checksum,
                    count(r.kafka_offset) AS offset_count, sum(r.kafka_offset) AS offset_sum,
                    coalesce(range_agg(int8range(r.kafka_offset, r.kafka_offset, '[]'))
                             FILTER (WHERE r.kafka_offset IS NOT NULL), '{}') AS offsets
               FROM unpack_readings(b.block_at, b.steps, b.rates, b.first_offset, b.offset_steps, b.flags, b.reasons,
                                    b.reason_numbers, b.activities) AS r) AS f
          LEFT JOIN sealed s ON s.source_id = coalesce(b.source_id, 0)
         WHERE b.block_at >= sealed_day::timestamp AT TIME ZONE 'UTC'
           AND b.block_at < sealed_day::timestamp AT TIME ZONE 'UTC' + interval '24 hours'
         GROUP BY 1
    ), compared AS (
        SELECT source_id, f.readings AS found, s.readings AS sealed,
               (f.are_sealed AND (source_id = 0 OR (f.offset_count, f.offset_sum) = (s.offset_count, s.offset_sum)))
                   IS TRUE AS has_offsets,
               (f.anomalies, f.checksum) IS NOT DISTINCT FROM (s.anomalies, s.checksum) AS has_contents
          FROM found f FULL JOIN sealed s USING (source_id)
    )
    SELECT source_id,
           CASE WHEN sealed IS NULL THEN found || ' readings without a seal'
                WHEN found IS NULL THEN 'none of ' || sealed || ' sealed readings'
                WHEN found <> sealed THEN found || ' readings, sealed were ' || sealed
                WHEN NOT has_offsets THEN 'other offsets than those that were sealed'
                ELSE 'the readings are not those that were sealed' END
      FROM compared
     WHERE found IS DISTINCT FROM sealed OR NOT has_offsets OR NOT has_contents
     ORDER BY source_id
$$;
