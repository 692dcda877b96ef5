-- What happened to episodes, for whoever follows them, and for the notifier what became of each message.

-- One row once a notifier has started with this database: what happened before is not for it.
CREATE TABLE notifiers (
    name          text        PRIMARY KEY CHECK (name = 'heartbeat-notifier'),
    registered_at timestamptz NOT NULL DEFAULT now()
);

-- What happened to episodes, as it was then, in the transaction in which it happened. The notifier takes the rows that have no
-- routed_at, whatever their number is: a transaction that commits late is not passed over, as it would be by whoever
-- remembers the highest number seen. Of one episode, and of all that consumers find of one customer, the numbers are in the
-- order of the commits: who writes next has waited for the row of the episode or of the customer before a number is drawn.
CREATE TABLE episode_events (
    event_id       bigint           GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    message_id     uuid             NOT NULL DEFAULT gen_random_uuid(),
    recorded_at    timestamptz      NOT NULL DEFAULT clock_timestamp(),
    event          text             NOT NULL CHECK (event IN ('opened', 'escalated', 'eased', 'sustained', 'closed',
                                                              'acknowledged', 'unacknowledged', 'reminded')),
    happened_at    timestamptz      NOT NULL,
    episode_id     bigint           NOT NULL,
    customer_id    varchar(50)      COLLATE "C" NOT NULL,
    groups         text             NOT NULL,
    kind           episode_kind     NOT NULL,
    severity       episode_severity NOT NULL,
    worst_severity episode_severity NOT NULL,
    opened_at      timestamptz      NOT NULL,
    raised_at      timestamptz      NOT NULL,
    closed_at      timestamptz,
    heart_rate     smallint,
    reason         text             NOT NULL,
    person         text,
    note           text,
    routed_at      timestamptz
);
CREATE INDEX idx_episode_events_new ON episode_events (event_id) WHERE routed_at IS NULL;
CREATE INDEX idx_episode_events_episode ON episode_events (episode_id, event_id);
COMMENT ON COLUMN episode_events.message_id IS 'the same in each message about it, so that a receiver can drop repeats';
COMMENT ON COLUMN episode_events.groups IS 'the customer''s groups, separated by commas';
COMMENT ON COLUMN episode_events.severity IS 'after the event';
COMMENT ON COLUMN episode_events.happened_at IS 'by the readings'' clock; who acknowledged did so by the database''s';
COMMENT ON COLUMN episode_events.routed_at IS
    'when the notifier noted who is to be told, or, before there was one, when it happened; NULL until then';

-- One row for each event and receiver.
CREATE TABLE notifications (
    event_id   bigint      NOT NULL REFERENCES episode_events ON DELETE CASCADE,
    receiver   text        NOT NULL,
    state      text        NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'sent', 'dead')),
    attempts   integer     NOT NULL DEFAULT 0,
    settled_at timestamptz,
    error      text,
    PRIMARY KEY (event_id, receiver)
);
CREATE INDEX idx_notifications_waiting ON notifications (receiver, event_id) WHERE state = 'waiting';
CREATE INDEX idx_notifications_settled ON notifications (settled_at) WHERE settled_at IS NOT NULL;
COMMENT ON COLUMN notifications.state IS 'dead: it was refused, or could not be sent within a day';
COMMENT ON COLUMN notifications.error IS 'why the last attempt failed';

-- Adds what an episode is at this moment.
CREATE FUNCTION add_episode_event(
    episode bigint, what text, happened timestamptz, how_severe episode_severity, who text DEFAULT NULL,
    said text DEFAULT NULL
) RETURNS void LANGUAGE sql AS $$
    INSERT INTO episode_events (event, happened_at, episode_id, customer_id, groups, kind, severity, worst_severity, opened_at,
                                raised_at, closed_at, heart_rate, reason, person, note, routed_at)
    SELECT what, happened, episode_id, e.customer_id,
           coalesce((SELECT string_agg(group_name, ',' ORDER BY group_name) FROM customer_groups g
                      WHERE g.customer_id = e.customer_id), ''),
           kind, coalesce(how_severe, severity), worst_severity, opened_at, raised_at,
           CASE WHEN what NOT IN ('opened', 'escalated', 'eased', 'sustained') THEN closed_at END,
           extreme_heart_rate, reason, who, said,
           CASE WHEN NOT EXISTS (SELECT FROM notifiers) THEN clock_timestamp() END
      FROM episodes e WHERE episode_id = episode
$$;

-- What detection has found, in its order. What is older than a day is a recording's, unless the episode was told of before.
CREATE FUNCTION note_episode_changes() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM add_episode_event(c.episode_id, c.change, c.changed_at, c.severity)
       FROM (SELECT * FROM added ORDER BY changed_at,
                    array_position(ARRAY['opened', 'sustained', 'escalated', 'eased', 'closed'], change), episode_id) c
      WHERE c.changed_at > now() - interval '1 day'
         OR EXISTS (SELECT FROM episode_events v WHERE v.episode_id = c.episode_id);
    RETURN NULL;
END
$$;
CREATE TRIGGER episode_changes_noted AFTER INSERT ON episode_changes REFERENCING NEW TABLE AS added
   FOR EACH STATEMENT EXECUTE FUNCTION note_episode_changes();

-- What people have done.
CREATE FUNCTION note_care() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM add_episode_event(
        NEW.episode_id, CASE NEW.action WHEN 'undid' THEN 'unacknowledged' ELSE 'acknowledged' END, NEW.acted_at, NULL,
        NEW.person, NEW.note);
    RETURN NULL;
END
$$;
CREATE TRIGGER care_log_noted AFTER INSERT ON care_log FOR EACH ROW
  WHEN (NEW.episode_id IS NOT NULL AND NEW.action IN ('acknowledged', 'undid')) EXECUTE FUNCTION note_care();

-- That nobody has acknowledged it.
CREATE FUNCTION note_reminder() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM add_episode_event(NEW.episode_id, 'reminded', NEW.reminded_at, NULL);
    RETURN NULL;
END
$$;
CREATE TRIGGER episodes_reminded AFTER UPDATE OF reminded_at ON episodes FOR EACH ROW
  WHEN (NEW.reminded_at IS DISTINCT FROM OLD.reminded_at AND NEW.reminded_at IS NOT NULL)
  EXECUTE FUNCTION note_reminder();

REVOKE EXECUTE ON FUNCTION add_episode_event(bigint, text, timestamptz, episode_severity, text, text),
    note_episode_changes(), note_care(), note_reminder() FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO "heartbeat-notifier";
GRANT SELECT ON schema_version, episodes TO "heartbeat-notifier";
GRANT SELECT, INSERT ON notifiers TO "heartbeat-notifier";
GRANT SELECT, UPDATE (routed_at) ON episode_events TO "heartbeat-notifier";
GRANT SELECT, INSERT, UPDATE ON notifications TO "heartbeat-notifier";
GRANT SELECT ON notifiers, episode_events, notifications TO "heartbeat-dashboard";
