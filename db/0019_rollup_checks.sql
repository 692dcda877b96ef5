-- Roll-ups that are compared with the readings that they were made from.

-- In what a sealed day's roll-ups and its readings do not agree, the first place for each customer; nothing when all is well.
-- It counts by itself, not by rolled_up: how many readings each minute, hour and the day has, how many of them are anomalies,
-- the lowest and the highest rate. Seconds beyond the limits are left out, since limits change. Of a customer whose readings
-- retention has dropped, or some of them, the hours and the day are compared with the roll-up's own minutes.
CREATE FUNCTION check_rollups(sealed_day date) RETURNS TABLE (customer_id text, finding text)
LANGUAGE sql STABLE SET search_path = public, pg_temp SET work_mem = '32MB' AS $$
    WITH blocks AS (
        SELECT * FROM sealed_readings
         WHERE block_at >= sealed_day::timestamp AT TIME ZONE 'UTC'
           AND block_at < sealed_day::timestamp AT TIME ZONE 'UTC' + interval '24 hours'
    ), rolled AS (
        SELECT * FROM customer_rollups WHERE day = sealed_day
    ), sealed AS (
        SELECT customer_id, sum(readings) AS readings FROM blocks GROUP BY customer_id
    ), kept AS (
        SELECT u.customer_id FROM rolled u LEFT JOIN sealed s USING (customer_id)
         WHERE u.width = 1 AND u.readings IS DISTINCT FROM s.readings
    ), minutes AS (
        SELECT b.customer_id, date_trunc('minute', r.recorded_at, 'UTC') AS minute, count(*) AS readings,
               count(*) FILTER (WHERE r.is_anomaly) AS anomalies, min(r.heart_rate) AS lowest, max(r.heart_rate) AS highest
          FROM blocks b
         CROSS JOIN unpack_readings(b.block_at, b.steps, b.rates, NULL, NULL, b.flags, b.reasons, b.reason_numbers) r
         WHERE b.customer_id NOT IN (SELECT customer_id FROM kept)
         GROUP BY 1, 2
         UNION ALL
        SELECT customer_id, begins_at, readings, anomalies, lowest, highest FROM rollups
         WHERE day = sealed_day AND width = 1 AND customer_id IN (SELECT customer_id FROM kept)
    ), expected AS (
        SELECT customer_id, width, date_bin(width * interval '1 minute', minute, timestamptz 'epoch') AS begins_at,
               sum(readings) AS readings, sum(anomalies) AS anomalies, min(lowest) AS lowest, max(highest) AS highest
          FROM minutes CROSS JOIN (VALUES (1), (60), (1440)) AS w (width) GROUP BY 1, 2, 3
    ), elements AS (
        SELECT customer_id, width, begins_at, readings, anomalies, lowest, highest FROM rollups WHERE day = sealed_day
    ), differences AS (
        SELECT customer_id, width, begins_at,
               CASE width WHEN 1 THEN 'minute' WHEN 60 THEN 'hour' ELSE 'day' END
               || to_char(begins_at AT TIME ZONE 'UTC', '" from "HH24:MI') AS place,
               CASE WHEN e.readings IS NULL THEN 'no readings'
                    ELSE format('%s readings with %s anomalies, %s to %s bpm',
                                e.readings, e.anomalies, e.lowest, e.highest) END AS has,
               CASE WHEN r.readings IS NULL THEN 'nothing'
                    ELSE format('%s with %s, %s to %s bpm', r.readings, r.anomalies, r.lowest, r.highest) END AS says
          FROM expected e FULL JOIN elements r USING (customer_id, width, begins_at)
         WHERE (e.readings, e.anomalies, e.lowest, e.highest)
               IS DISTINCT FROM (r.readings, r.anomalies, r.lowest, r.highest)
           -- Maintenance has yet to make them.
           AND NOT (r.readings IS NULL AND EXISTS (SELECT FROM rollups_due WHERE day = sealed_day)
                    AND customer_id NOT IN (SELECT customer_id FROM rolled))
        UNION ALL
        SELECT customer_id, width, NULL, CASE width WHEN 1 THEN 'sum of minutes' WHEN 60 THEN 'sum of hours' ELSE 'day' END,
               format('%s readings with %s anomalies', (SELECT sum(n) FROM unnest(counts) AS n),
                      (SELECT coalesce(sum(n), 0) FROM unnest(anomaly_counts) AS n)),
               format('%s with %s', readings, anomalies)
          FROM rolled
         WHERE (readings, anomalies) IS DISTINCT FROM ((SELECT sum(n) FROM unnest(counts) AS n),
                                                       (SELECT coalesce(sum(n), 0) FROM unnest(anomaly_counts) AS n))
    )
    SELECT DISTINCT ON (customer_id) customer_id, format('the %s has %s, the roll-up says %s', place, has, says)
      FROM differences ORDER BY customer_id, width, begins_at
$$;

-- For "heartbeat verify", which the consumer's role may run.
GRANT SELECT ON rollups_due TO "heartbeat-consumer";
