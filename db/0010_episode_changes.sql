-- What became of episodes, with its time; whom people were told of; and limits for those who are no average adults.

-- A heart rate at rest that rises, within hours or from night to night.
ALTER TYPE episode_kind ADD VALUE IF NOT EXISTS 'trend';

-- One row for each change of an episode. The times are the readings' own, but for told_at.
CREATE TABLE episode_changes (
    episode_id bigint           NOT NULL REFERENCES episodes ON DELETE CASCADE,
    changed_at timestamptz      NOT NULL,
    change     text             NOT NULL CHECK (change IN ('opened', 'escalated', 'eased', 'sustained', 'closed')),
    severity   episode_severity NOT NULL,
    told_at    timestamptz,
    PRIMARY KEY (episode_id, changed_at, change, severity)
);
CREATE INDEX idx_episode_changes_alarms ON episode_changes (changed_at)
 WHERE severity = 'high' AND change IN ('opened', 'escalated');
COMMENT ON COLUMN episode_changes.change IS 'sustained: it has lasted at rest for so long that people are told at medium severity';
COMMENT ON COLUMN episode_changes.severity IS 'after the change';
COMMENT ON COLUMN episode_changes.told_at IS 'when the journal and the command had it; NULL when nobody was told';

-- What is known of earlier episodes.
INSERT INTO episode_changes (episode_id, changed_at, change, severity)
SELECT episode_id, raised_at, 'opened', worst_severity FROM episodes;
INSERT INTO episode_changes (episode_id, changed_at, change, severity)
SELECT episode_id, closed_at, 'closed', severity FROM episodes WHERE closed_at IS NOT NULL;

-- How many alarms there were, by the day on which people were told, or on which it happened.
CREATE VIEW alarm_load AS
SELECT date_trunc('day', coalesce(c.told_at, c.changed_at)) AS day, e.kind, count(*) AS alarms,
       count(c.told_at) AS told, count(DISTINCT e.customer_id) AS customers,
       count(*) FILTER (WHERE e.acknowledged_at IS NOT NULL) AS acknowledged
  FROM episode_changes c JOIN episodes e USING (episode_id)
 WHERE c.severity = 'high' AND c.change IN ('opened', 'escalated')
 GROUP BY 1, 2;

-- Notes changes, in the transaction that notes the episodes.
CREATE FUNCTION record_episode_changes(
    ids text[], kinds episode_kind[], opened timestamptz[], times timestamptz[], changes text[],
    severities episode_severity[]
) RETURNS void LANGUAGE sql AS $$
    INSERT INTO episode_changes (episode_id, changed_at, change, severity)
    SELECT e.episode_id, c.changed_at, c.change, c.severity
      FROM unnest(ids, kinds, opened, times, changes, severities)
           AS c (id, kind, opened_at, changed_at, change, severity)
      JOIN episodes e ON e.customer_id = c.id AND e.kind = c.kind AND e.opened_at = c.opened_at
     ORDER BY e.episode_id
        ON CONFLICT DO NOTHING
$$;

-- Says which of some changes nobody was told of yet, and notes that people are told now: an episode once at each severity,
-- and of its end who was told of it. The answer is the places in the arrays.
CREATE FUNCTION tell_changes(
    ids text[], kinds episode_kind[], opened timestamptz[], changes text[], severities episode_severity[]
) RETURNS SETOF bigint LANGUAGE sql AS $$
    WITH due AS (
        SELECT c.place, latest.episode_id, latest.changed_at, latest.change, latest.severity
          FROM unnest(ids, kinds, opened, changes, severities) WITH ORDINALITY
               AS c (id, kind, opened_at, change, severity, place)
          JOIN episodes e ON e.customer_id = c.id AND e.kind = c.kind AND e.opened_at = c.opened_at
         CROSS JOIN LATERAL (
               SELECT * FROM episode_changes x
                WHERE x.episode_id = e.episode_id
                  AND ((c.change = 'closed') = (x.change = 'closed')) AND (x.severity = c.severity OR c.change = 'closed')
                ORDER BY x.changed_at DESC LIMIT 1) latest
         WHERE CASE WHEN c.change = 'closed'
               THEN latest.told_at IS NULL AND EXISTS (
                    SELECT FROM episode_changes t WHERE t.episode_id = e.episode_id AND t.told_at IS NOT NULL)
               ELSE NOT EXISTS (
                    SELECT FROM episode_changes t
                     WHERE t.episode_id = e.episode_id AND t.told_at IS NOT NULL AND t.severity >= c.severity) END),
    told AS (
        UPDATE episode_changes x SET told_at = now() FROM due
         WHERE x.episode_id = due.episode_id AND x.changed_at = due.changed_at AND x.change = due.change
           AND x.severity = due.severity)
    SELECT place FROM due ORDER BY place
$$;

-- Who was told, and has not been reminded.
ALTER TABLE episodes ADD COLUMN reminded_at timestamptz;
COMMENT ON COLUMN episodes.reminded_at IS 'when people were told again, since nobody had acknowledged it';

-- The episodes of high severity that nobody acknowledged within a time after people were told; each once.
CREATE FUNCTION remind_episodes(after interval, most integer)
RETURNS TABLE (customer_id text, kind text, worst text, opened text, raised text, heart_rate smallint, reason text)
LANGUAGE sql AS $$
    UPDATE episodes e SET reminded_at = now()
     WHERE e.episode_id IN (
           SELECT o.episode_id FROM episodes o
            WHERE o.closed_at IS NULL AND o.severity = 'high' AND o.acknowledged_at IS NULL AND o.reminded_at IS NULL
              AND EXISTS (SELECT FROM episode_changes t WHERE t.episode_id = o.episode_id AND t.severity = 'high'
                             AND t.change <> 'closed' AND t.told_at <= now() - after)
            ORDER BY o.opened_at, o.episode_id LIMIT most FOR UPDATE SKIP LOCKED)
    RETURNING e.customer_id::text, e.kind::text, e.worst_severity::text,
              to_char(e.opened_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"'),
              to_char(e.raised_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"'),
              e.extreme_heart_rate, e.reason
$$;

-- Limits for groups of people, in bpm; NULL for those of the settings and of NEWS2. A customer's own ones come first.
CREATE TABLE limit_profiles (
    profile        text PRIMARY KEY,
    heart_rate_min smallint CHECK (heart_rate_min BETWEEN 1 AND 299),
    heart_rate_max smallint CHECK (heart_rate_max BETWEEN 1 AND 299),
    rest_min       smallint CHECK (rest_min BETWEEN 1 AND 299),
    rest_max       smallint CHECK (rest_max BETWEEN 1 AND 299),
    source         text NOT NULL,
    CHECK (heart_rate_min < heart_rate_max), CHECK (rest_min < rest_max)
);
COMMENT ON COLUMN limit_profiles.heart_rate_min IS 'high severity below it; with it NEWS2 does not count on this side';
COMMENT ON COLUMN limit_profiles.rest_min IS 'medium severity below it for ten minutes';
COMMENT ON COLUMN limit_profiles.rest_max IS 'medium severity above it for ten minutes without effort';
INSERT INTO limit_profiles (profile, heart_rate_min, heart_rate_max, rest_min, rest_max, source) VALUES
    ('infant', 60, 220, 90, 180,
     'under 1 year. High: PALS, American Heart Association. Rest: 1st and 99th centile, Fleming 2011, Lancet 377, 1011'),
    ('child 1-4', 60, 205, 70, 156,
     'High: PALS, and 208 - 0.7 x age, Tanaka 2001. Rest: 1st and 99th centile, Fleming 2011, Lancet 377, 1011'),
    ('child 5-11', 45, 204, 52, 131,
     'High: below the 1st centile, and 208 - 0.7 x age, Tanaka 2001. Rest: 1st and 99th centile, Fleming 2011'),
    ('adolescent', 40, 200, 43, 120,
     '12 to 17 years. High: as adults, and 208 - 0.7 x age, Tanaka 2001. Rest: 1st centile, Fleming 2011; above as adults'),
    ('adult', NULL, NULL, NULL, NULL, 'HEART_RATE_MIN, HEART_RATE_MAX, NEWS2, and 45 and 120 bpm for ten minutes at rest'),
    ('athlete', 30, NULL, 35, NULL,
     'High: International Criteria, Sharma 2017: 30 bpm is normal for an athlete. Rest: choice'),
    ('pregnant', NULL, 180, NULL, 115,
     'NEWS2 is not for pregnancy. Rest: 97th centile in the third trimester, Green 2020, Obstetrics and Gynecology 135, 653');
ALTER TABLE customer_limits ADD COLUMN profile text REFERENCES limit_profiles;

GRANT SELECT, INSERT, UPDATE (told_at) ON episode_changes TO "heartbeat-consumer";
GRANT UPDATE (reminded_at) ON episodes TO "heartbeat-consumer";
GRANT SELECT ON limit_profiles TO "heartbeat-consumer";
GRANT SELECT ON episode_changes, alarm_load, limit_profiles TO "heartbeat-dashboard";
