-- Roll-ups per customer: what a sealed day, each of its hours and each of its minutes was like. They are kept longer than
-- readings, so that a year of a customer is drawn from some hundred rows. packaging/doc/growth.md describes the form for
-- readers with psql.

-- One row for each customer, day of UTC and width: the day's minutes, its hours, or the day. Only those that have readings. A day
-- that is sealed has them, all or none of a customer's; they stay when retention drops the readings. Measured, a full day's
-- minutes and hours take 4 to 5 kB; with the lowest and highest rate instead of their distances from the median 2 kB more.
CREATE TABLE customer_rollups (
    customer_id    varchar(50) COLLATE "C" NOT NULL,
    width          smallint    NOT NULL CHECK (width IN (1, 60, 1440)),
    day            date        NOT NULL,
    readings       integer     NOT NULL,
    anomalies      integer     NOT NULL,
    steps          smallint[]  COMPRESSION pglz NOT NULL,
    medians        smallint[]  COMPRESSION pglz NOT NULL,
    below          smallint[]  COMPRESSION pglz NOT NULL,
    above          smallint[]  COMPRESSION pglz NOT NULL,
    counts         integer[]   COMPRESSION pglz NOT NULL,
    anomaly_counts integer[]   COMPRESSION pglz,
    seconds_beyond integer[]   COMPRESSION pglz,
    activities     smallint[]  COMPRESSION pglz,
    PRIMARY KEY (customer_id, width, day)
);
CREATE INDEX idx_customer_rollups_day ON customer_rollups (day);
COMMENT ON COLUMN customer_rollups.width IS 'minutes that an element stands for: 1, 60 or 1440';
COMMENT ON COLUMN customer_rollups.steps IS 'widths since the element before; the first one since midnight in UTC';
COMMENT ON COLUMN customer_rollups.medians IS 'the median rate';
COMMENT ON COLUMN customer_rollups.below IS 'the median minus the lowest rate';
COMMENT ON COLUMN customer_rollups.above IS 'the highest rate minus the median';
COMMENT ON COLUMN customer_rollups.counts IS 'how many readings';
COMMENT ON COLUMN customer_rollups.anomaly_counts IS 'how many of them are anomalies; NULL when none of the day is';
COMMENT ON COLUMN customer_rollups.seconds_beyond IS 'for how long the rate was beyond the limits; NULL when it never was';
COMMENT ON COLUMN customer_rollups.activities IS 'the most frequent activity, as in heart_rate_readings; NULL when none was told';

-- Those of the day that is being sealed. Nobody else reads them.
CREATE UNLOGGED TABLE sealing_rollups (LIKE customer_rollups INCLUDING COMPRESSION);

-- Days that were sealed before there were roll-ups: maintenance makes theirs.
CREATE TABLE rollups_due (
    day date PRIMARY KEY
);
INSERT INTO rollups_due SELECT DISTINCT day FROM seals;

-- The minutes or hours of a roll-up, or its day.
CREATE FUNCTION unpack_rollup(
    day date, width smallint, steps smallint[], medians smallint[], below smallint[], above smallint[], counts integer[],
    anomaly_counts integer[], seconds_beyond integer[], activities smallint[]
) RETURNS TABLE (
    begins_at timestamptz, lowest smallint, median smallint, highest smallint, readings integer, anomalies integer,
    beyond integer, activity smallint
) LANGUAGE sql STABLE PARALLEL SAFE ROWS 1000
BEGIN ATOMIC
    SELECT $1::timestamp AT TIME ZONE 'UTC' + sum(e.step) OVER so_far * $2 * interval '1 minute', e.median - e.below,
           e.median, e.median + e.above, e.readings, coalesce(e.anomalies, 0), coalesce(e.seconds, 0), e.activity
      FROM unnest(steps, medians, below, above, counts, anomaly_counts, seconds_beyond, activities) WITH ORDINALITY
           AS e (step, median, below, above, readings, anomalies, seconds, activity, number)
    WINDOW so_far AS (ORDER BY e.number ROWS UNBOUNDED PRECEDING);
END;

-- A customer's minutes (width = 1), hours (60) and days (1440), one a row. A query for a range of time also says so of day;
-- otherwise all of a customer's days are unpacked.
CREATE VIEW rollups AS
SELECT r.customer_id, r.width, r.day, e.begins_at, e.lowest, e.median, e.highest, e.readings, e.anomalies,
       e.beyond AS seconds_beyond, e.activity
  FROM customer_rollups r
 CROSS JOIN unpack_rollup(r.day, r.width, r.steps, r.medians, r.below, r.above, r.counts, r.anomaly_counts,
                          r.seconds_beyond, r.activities) e;

-- What some customers' sealed readings of a day make, with the blocks that are about to be sealed. A customer has none whose
-- readings retention has dropped, or some of them: what is known of that day stays as it is.
--
-- A reading counts as beyond the limits until the next one, for three usual steps at most (the median of the day's), or 5 s;
-- the day's last one counts for a usual step. The limits are the customer's own as they are now; where there is none, those
-- that the reading was judged by when it was stored.
CREATE FUNCTION rolled_up(customers text[], rolled_day date) RETURNS SETOF customer_rollups
LANGUAGE sql STABLE SET search_path = public, pg_temp SET work_mem = '32MB' AS $$
    WITH known AS (
        SELECT customer_id, block_at, steps, rates, flags, reasons, reason_numbers, activities, readings
          FROM sealed_readings
         WHERE customer_id = ANY (customers) AND block_at >= rolled_day::timestamp AT TIME ZONE 'UTC'
           AND block_at < rolled_day::timestamp AT TIME ZONE 'UTC' + interval '24 hours'
    ), blocks AS (
        SELECT * FROM known
         UNION ALL
        SELECT customer_id, block_at, steps, rates, flags, reasons, reason_numbers, activities, readings
          FROM sealing_blocks
         WHERE customer_id = ANY (customers) AND block_at >= rolled_day::timestamp AT TIME ZONE 'UTC'
           AND block_at < rolled_day::timestamp AT TIME ZONE 'UTC' + interval '24 hours'
    ), kept AS (
        SELECT customer_id FROM customer_rollups AS u
         WHERE customer_id = ANY (customers) AND width = 1 AND day = rolled_day
           AND readings <> (SELECT coalesce(sum(readings), 0) FROM known AS k WHERE k.customer_id = u.customer_id)
    ), timed AS (
        SELECT b.customer_id, r.heart_rate, r.is_anomaly, r.anomaly_reason, r.activity,
               date_part('epoch', r.recorded_at - rolled_day::timestamp AT TIME ZONE 'UTC') AS second,
               (date_part('epoch', lead(r.recorded_at) OVER (
                    PARTITION BY b.customer_id ORDER BY r.recorded_at, r.heart_rate, r.is_anomaly)
                    - r.recorded_at) * 1000000)::bigint AS step
          FROM blocks b
         CROSS JOIN unpack_readings(b.block_at, b.steps, b.rates, NULL, NULL, b.flags, b.reasons, b.reason_numbers,
                                    b.activities) r
         WHERE b.customer_id NOT IN (SELECT customer_id FROM kept)
    ), usual AS (
        SELECT customer_id, percentile_disc(0.5) WITHIN GROUP (ORDER BY step) AS step FROM timed GROUP BY customer_id
    ), limits AS (
        SELECT customer_id, coalesce(l.heart_rate_min, p.heart_rate_min) AS lowest,
               coalesce(l.heart_rate_max, p.heart_rate_max) AS highest
          FROM customer_limits l LEFT JOIN limit_profiles p USING (profile) WHERE customer_id = ANY (customers)
    ), rates AS (
        -- Few rates for many readings: medians are found in these.
        SELECT customer_id, floor(t.second / 60)::integer AS minute, t.heart_rate, count(*)::integer AS readings,
               count(*) FILTER (WHERE t.is_anomaly)::integer AS anomalies,
               sum(least(coalesce(t.step, u.step), greatest(3 * u.step, 5000000)))
               FILTER (WHERE t.heart_rate < l.lowest OR t.heart_rate > l.highest
                   OR t.is_anomaly AND CASE WHEN t.anomaly_reason LIKE 'bradycardia%' THEN l.lowest ELSE l.highest END
                                       IS NULL) AS beyond
          FROM timed t JOIN usual u USING (customer_id) LEFT JOIN limits l USING (customer_id)
         GROUP BY customer_id, minute, t.heart_rate
    ), spans AS (
        SELECT customer_id, width::smallint AS width, minute / width AS number, heart_rate, sum(readings) AS readings,
               sum(anomalies) AS anomalies, sum(beyond) AS beyond
          FROM rates CROSS JOIN (VALUES (1), (60), (1440)) AS w (width) GROUP BY 1, 2, 3, heart_rate
    ), doing AS (
        SELECT DISTINCT ON (customer_id, width, number) customer_id, width::smallint AS width, minute / width AS number,
               activity
          FROM (SELECT customer_id, floor(second / 60)::integer AS minute, activity, count(*) AS readings
                  FROM timed WHERE activity IS NOT NULL GROUP BY 1, 2, 3) AS told
         CROSS JOIN (VALUES (1), (60), (1440)) AS w (width)
         GROUP BY customer_id, width, number, activity
         ORDER BY customer_id, width, number, sum(readings) DESC, activity
    ), elements AS (
        SELECT customer_id, width, number,
               (number - coalesce(lag(number) OVER (PARTITION BY customer_id, width ORDER BY number), 0))::smallint AS step,
               (min(heart_rate) FILTER (WHERE so_far * 2 >= total))::smallint AS median, min(heart_rate) AS lowest,
               max(heart_rate) AS highest, sum(readings)::integer AS readings, sum(anomalies)::integer AS anomalies,
               coalesce(round(sum(beyond) / 1000000), 0)::integer AS beyond
          FROM (SELECT *, sum(readings) OVER (span ORDER BY heart_rate) AS so_far, sum(readings) OVER span AS total
                  FROM spans WINDOW span AS (PARTITION BY customer_id, width, number)) AS counted
         GROUP BY customer_id, width, number
    )
    SELECT customer_id, width, rolled_day, sum(readings)::integer, sum(anomalies)::integer, array_agg(step ORDER BY number),
           array_agg(median ORDER BY number), array_agg((median - lowest)::smallint ORDER BY number),
           array_agg((highest - median)::smallint ORDER BY number), array_agg(readings ORDER BY number),
           CASE WHEN sum(anomalies) > 0 THEN array_agg(anomalies ORDER BY number) END,
           CASE WHEN sum(beyond) > 0 THEN array_agg(beyond ORDER BY number) END,
           CASE WHEN count(activity) > 0 THEN array_agg(activity ORDER BY number) END
      FROM elements LEFT JOIN doing USING (customer_id, width, number) GROUP BY customer_id, width
$$;

-- Ends a sealing, after add_seals and in its transaction: the roll-ups become those of the day. Fails when they are not of
-- all the sealed readings.
CREATE FUNCTION add_rollups(sealed_day date) RETURNS void
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    midnight timestamptz := sealed_day::timestamp AT TIME ZONE 'UTC';
    wrong text;
BEGIN
    WITH added AS (
        SELECT customer_id, sum(readings) AS readings FROM sealing_blocks GROUP BY customer_id
    ), sealed AS (
        SELECT customer_id, sum(readings) AS readings, sum(anomalies) AS anomalies FROM sealed_readings
         WHERE block_at >= midnight AND block_at < midnight + interval '24 hours' GROUP BY customer_id
    )
    SELECT min(a.customer_id) INTO wrong
      FROM added a JOIN sealed s USING (customer_id) CROSS JOIN (VALUES (1), (60), (1440)) AS w (width)
      LEFT JOIN sealing_rollups n USING (customer_id, width)
      LEFT JOIN customer_rollups o ON o.customer_id = a.customer_id AND o.width = w.width AND o.day = sealed_day
     WHERE CASE WHEN n.customer_id IS NULL THEN coalesce(o.readings = s.readings - a.readings, true)
                ELSE (n.readings, n.anomalies, n.day) <> (s.readings, s.anomalies, sealed_day) END;
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION 'the roll-up of % is not of all sealed readings of customer %', sealed_day, wrong
            USING ERRCODE = 'HB002';
    END IF;
    DELETE FROM customer_rollups o USING sealing_rollups n
     WHERE (o.customer_id, o.width, o.day) = (n.customer_id, n.width, n.day);
    INSERT INTO customer_rollups SELECT * FROM sealing_rollups ORDER BY customer_id, width;
END
$$;

-- As in 0009, with the activity, and the day's roll-ups are removed, too: what is not sealed is drawn from readings. Those
-- of customers whose readings retention has dropped stay.
CREATE OR REPLACE FUNCTION unseal_day(sealed_day date) RETURNS bigint
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
    DELETE FROM customer_rollups r
     USING (SELECT customer_id, sum(readings) AS readings FROM sealed_readings
             WHERE block_at >= midnight AND block_at < midnight + interval '24 hours' GROUP BY customer_id) AS s
     WHERE r.customer_id = s.customer_id AND r.day = sealed_day AND r.readings = s.readings;
    INSERT INTO heart_rate_readings (customer_id, recorded_at, heart_rate, is_anomaly, anomaly_reason, is_suspect,
                                     source_id, kafka_offset, activity)
    SELECT b.customer_id, r.recorded_at, r.heart_rate, r.is_anomaly, r.anomaly_reason, r.is_suspect, b.source_id,
           r.kafka_offset, r.activity
      FROM sealed_readings b
     CROSS JOIN unpack_readings(b.block_at, b.steps, b.rates, b.first_offset, b.offset_steps, b.flags, b.reasons,
                                b.reason_numbers, b.activities) r
     WHERE b.block_at >= midnight AND b.block_at < midnight + interval '24 hours';
    GET DIAGNOSTICS written = ROW_COUNT;
    IF written <> remove_seals(sealed_day) THEN
        RAISE EXCEPTION 'not all readings of % were written', sealed_day USING ERRCODE = 'HB002';
    END IF;
    RETURN written;
END
$$;

GRANT SELECT ON customer_rollups, rollups TO "heartbeat-consumer", "heartbeat-dashboard";
GRANT SELECT ON sealing_rollups, rollups_due TO "heartbeat-dashboard";
