-- What is asked for messages that are to be stored only once, as those of the gateway are.

-- The numbers, from 1 on, of the readings that are stored already or come before in the list. Each is looked up by itself in
-- the index on customer and time of its day: no other plan is good for a few thousand readings among some hundred million.
CREATE FUNCTION repeated_readings(ids text[], times timestamptz[], rates smallint[]) RETURNS SETOF bigint
LANGUAGE sql STABLE SET enable_seqscan = off AS $$
    WITH asked AS (
        SELECT a.*, row_number() OVER (PARTITION BY id, recorded_at, rate ORDER BY place) AS occurrence
          FROM unnest(ids, times, rates) WITH ORDINALITY AS a (id, recorded_at, rate, place)
    )
    SELECT place FROM asked
     WHERE occurrence > 1
        OR EXISTS (SELECT FROM heart_rate_readings AS r
                    WHERE r.customer_id = asked.id AND r.recorded_at = asked.recorded_at AND r.heart_rate = asked.rate)
        OR EXISTS (SELECT FROM heart_rate_readings_closed AS r
                    WHERE r.customer_id = asked.id AND r.recorded_at = asked.recorded_at AND r.heart_rate = asked.rate)
        OR EXISTS (SELECT FROM seals AS s WHERE s.day = (asked.recorded_at AT TIME ZONE 'UTC')::date)
       AND EXISTS (SELECT FROM readings AS r
                    WHERE r.customer_id = asked.id AND r.recorded_at = asked.recorded_at AND r.heart_rate = asked.rate
                      AND r.block_at > asked.recorded_at - interval '1 hour' AND r.block_at <= asked.recorded_at)
     ORDER BY place
$$;
