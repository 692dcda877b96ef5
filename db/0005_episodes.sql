-- Episodes: what is worth a person's look, made of many readings. The consumer's detector decides; this keeps.

CREATE TYPE episode_kind AS ENUM ('bradycardia', 'tachycardia', 'deviation', 'signal loss');
-- The alarm priorities of IEC 60601-1-8, in rising order.
CREATE TYPE episode_severity AS ENUM ('low', 'medium', 'high');

-- One row an episode; a customer has at most one open one of a kind. All times but acknowledged_at are the readings' own
-- time stamps, so that an episode is the same whenever its messages are read.
CREATE TABLE episodes (
    episode_id         bigint           GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer_id        varchar(50)      COLLATE "C" NOT NULL,
    kind               episode_kind     NOT NULL,
    severity           episode_severity NOT NULL,
    worst_severity     episode_severity NOT NULL,
    opened_at          timestamptz      NOT NULL,
    raised_at          timestamptz      NOT NULL,
    last_seen_at       timestamptz      NOT NULL,
    closed_at          timestamptz,
    extreme_heart_rate smallint,
    readings           integer          NOT NULL,
    reason             text             NOT NULL,
    acknowledged_at    timestamptz,
    acknowledged_by    text,
    UNIQUE (customer_id, kind, opened_at),
    CHECK (raised_at >= opened_at AND closed_at >= opened_at AND worst_severity >= severity)
) WITH (fillfactor = 70);
-- The lists that the page asks for: all, the open and the closed ones, the alarms of a day.
CREATE INDEX idx_episodes_time ON episodes (opened_at DESC, episode_id DESC);
CREATE INDEX idx_episodes_open ON episodes (customer_id) WHERE closed_at IS NULL;
CREATE INDEX idx_episodes_closed ON episodes (closed_at DESC, episode_id DESC) WHERE closed_at IS NOT NULL;
CREATE INDEX idx_episodes_alarms ON episodes (raised_at) WHERE worst_severity = 'high';
COMMENT ON COLUMN episodes.severity IS 'now; of a closed one what it was last';
COMMENT ON COLUMN episodes.opened_at IS 'when the heart rate went beyond the limit, or the signal was overdue';
COMMENT ON COLUMN episodes.raised_at IS 'when that had lasted long enough to be told';
COMMENT ON COLUMN episodes.last_seen_at IS 'the last reading beyond the limit; of a signal loss the last reading before it';
COMMENT ON COLUMN episodes.extreme_heart_rate IS 'the rate furthest beyond the limit, in bpm; NULL of a signal loss';
COMMENT ON COLUMN episodes.readings IS 'how many readings were beyond the limit';
COMMENT ON COLUMN episodes.reason IS 'why, in a sentence';

-- Thresholds of single customers, in bpm, instead of HEART_RATE_MIN and HEART_RATE_MAX; NULL for those. They judge
-- episodes, not the flag on a reading. A consumer takes changes on "systemctl reload".
CREATE TABLE customer_limits (
    customer_id    varchar(50) COLLATE "C" PRIMARY KEY,
    heart_rate_min smallint CHECK (heart_rate_min BETWEEN 1 AND 299),
    heart_rate_max smallint CHECK (heart_rate_max BETWEEN 1 AND 299),
    changed_at     timestamptz NOT NULL DEFAULT now(),
    CHECK (heart_rate_min < heart_rate_max)
);

ALTER TABLE customer_state
    ADD COLUMN source_id integer,
    ADD COLUMN stored_at timestamptz,
    ADD COLUMN detector  bytea;
COMMENT ON COLUMN customer_state.source_id IS 'the partition that the last batch with this customer came from';
COMMENT ON COLUMN customer_state.stored_at IS 'when that batch was written';
COMMENT ON COLUMN customer_state.detector IS 'where detection goes on after a restart, in the program''s own form';

-- Whether a reading alone is believable: false for one that jumps away from its neighbour or repeats it for too long.
ALTER TABLE heart_rate_readings ADD COLUMN is_suspect boolean NOT NULL DEFAULT false;
ALTER TABLE heart_rate_readings_retired ADD COLUMN is_suspect boolean NOT NULL DEFAULT false;

-- One customer's anomalies among all the readings; an entry an anomaly is little beside what each reading takes.
CREATE INDEX idx_heart_rate_customer_anomaly ON heart_rate_readings (customer_id, recorded_at DESC) WHERE is_anomaly;

-- As in 0002, and where detection goes on: without states (an empty array) that stays as it is.
DROP FUNCTION record_customers(text[], timestamptz[], smallint[], text[], integer[], integer[]);
CREATE FUNCTION record_customers(
    ids text[], times timestamptz[], rates smallint[], reasons text[], more_readings integer[], more_anomalies integer[],
    sources integer[], states bytea[]
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO customers (customer_id)
    SELECT id FROM unnest(ids) AS c (id)
     WHERE NOT EXISTS (SELECT 1 FROM customers WHERE customer_id = id)
     ORDER BY id COLLATE "C"
        ON CONFLICT DO NOTHING;
    INSERT INTO customer_state AS s
           (customer_id, recorded_at, heart_rate, is_anomaly, anomaly_reason, readings, anomalies, source_id, stored_at,
            detector)
    SELECT c.id, c.recorded_at, c.heart_rate, c.reason IS NOT NULL, c.reason, c.readings, c.anomalies, c.source_id,
           now(), c.state
      FROM unnest(ids, times, rates, reasons, more_readings, more_anomalies, sources, states)
           AS c (id, recorded_at, heart_rate, reason, readings, anomalies, source_id, state)
     ORDER BY c.id COLLATE "C"
        ON CONFLICT (customer_id) DO UPDATE
       SET heart_rate = CASE WHEN excluded.recorded_at >= s.recorded_at THEN excluded.heart_rate ELSE s.heart_rate END,
           is_anomaly = CASE WHEN excluded.recorded_at >= s.recorded_at THEN excluded.is_anomaly ELSE s.is_anomaly END,
           anomaly_reason =
               CASE WHEN excluded.recorded_at >= s.recorded_at THEN excluded.anomaly_reason ELSE s.anomaly_reason END,
           recorded_at = greatest(s.recorded_at, excluded.recorded_at),
           readings = s.readings + excluded.readings, anomalies = s.anomalies + excluded.anomalies,
           source_id = excluded.source_id, stored_at = excluded.stored_at,
           detector = coalesce(excluded.detector, s.detector);
END
$$;

-- Where detection goes on with customers of whom the batch has no reading: their silence was judged.
CREATE FUNCTION record_detectors(ids text[], states bytea[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM customer_state WHERE customer_id = ANY (ids) ORDER BY customer_id FOR UPDATE;
    UPDATE customer_state AS s SET detector = c.state
      FROM unnest(ids, states) AS c (id, state) WHERE s.customer_id = c.id;
END
$$;

-- Takes over how a batch leaves episodes: new ones, and what changed of others. Who acknowledged one stays.
CREATE FUNCTION record_episodes(
    ids text[], kinds episode_kind[], severities episode_severity[], worst episode_severity[], opened timestamptz[],
    raised timestamptz[], seen timestamptz[], closed timestamptz[], extremes smallint[], counts integer[], reasons text[]
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO episodes AS e
           (customer_id, kind, severity, worst_severity, opened_at, raised_at, last_seen_at, closed_at,
            extreme_heart_rate, readings, reason)
    SELECT c.id, c.kind, c.severity, c.worst, c.opened_at, c.raised_at, c.last_seen_at, c.closed_at, c.extreme,
           c.readings, c.reason
      FROM unnest(ids, kinds, severities, worst, opened, raised, seen, closed, extremes, counts, reasons)
           AS c (id, kind, severity, worst, opened_at, raised_at, last_seen_at, closed_at, extreme, readings, reason)
     ORDER BY c.id COLLATE "C", c.kind, c.opened_at
        ON CONFLICT (customer_id, kind, opened_at) DO UPDATE
       SET severity = excluded.severity, worst_severity = excluded.worst_severity,
           last_seen_at = excluded.last_seen_at, closed_at = excluded.closed_at,
           extreme_heart_rate = excluded.extreme_heart_rate, readings = excluded.readings, reason = excluded.reason;
END
$$;

-- Notes who has looked at an episode; the first who did stays. False when there is no such episode or it was
-- acknowledged before. The dashboard may call it and can write nothing else: it runs with the owner's rights.
CREATE FUNCTION acknowledge_episode(episode bigint, person text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF coalesce(char_length(btrim(person)), 0) NOT BETWEEN 1 AND 50 THEN
        RAISE EXCEPTION 'who acknowledges has to be named, with 1 to 50 characters' USING ERRCODE = '22023';
    END IF;
    UPDATE episodes SET acknowledged_at = now(), acknowledged_by = btrim(person)
     WHERE episode_id = episode AND acknowledged_at IS NULL;
    RETURN FOUND;
END
$$;
REVOKE EXECUTE ON FUNCTION acknowledge_episode(bigint, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION acknowledge_episode(bigint, text) TO "heartbeat-dashboard";

GRANT SELECT, INSERT, UPDATE (severity, worst_severity, last_seen_at, closed_at, extreme_heart_rate, readings, reason)
   ON episodes TO "heartbeat-consumer";
GRANT SELECT ON customer_limits TO "heartbeat-consumer";
GRANT SELECT ON episodes, customer_limits TO "heartbeat-dashboard";
