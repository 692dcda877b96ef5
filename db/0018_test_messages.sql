-- A test message that somebody asks for on the page. It goes the way of all others, to one receiver.

ALTER TABLE episode_events DROP CONSTRAINT episode_events_event_check;
ALTER TABLE episode_events ADD CONSTRAINT episode_events_event_check CHECK (
    event IN ('opened', 'escalated', 'eased', 'sustained', 'closed', 'acknowledged', 'unacknowledged', 'reminded', 'test'));
COMMENT ON COLUMN episode_events.episode_id IS '0 of a test message, which is of no episode';

-- Returns false when nothing was ever sent to a receiver of that name. While one waits, another one would say nothing more.
CREATE FUNCTION send_test_message(receiver_name text, person text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    number bigint;
BEGIN
    PERFORM require_person(person, NULL);
    IF NOT EXISTS (SELECT FROM notifications WHERE receiver = receiver_name) THEN
        RETURN false;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('send_test_message'));
    IF EXISTS (SELECT FROM notifications n JOIN episode_events e USING (event_id)
                WHERE n.receiver = receiver_name AND n.state = 'waiting' AND e.event = 'test')
    THEN
        RETURN true;
    END IF;
    INSERT INTO episode_events (event, happened_at, episode_id, customer_id, groups, kind, severity, worst_severity, opened_at,
                                raised_at, reason, person, routed_at)
    VALUES ('test', now(), 0, 'test', '', 'tachycardia', 'low', 'low', now(), now(),
            'This is a test of heartbeat''s notifier. Nobody is in trouble.', btrim(person), now())
    RETURNING event_id INTO number;
    INSERT INTO notifications (event_id, receiver) VALUES (number, receiver_name);
    RETURN true;
END
$$;
REVOKE EXECUTE ON FUNCTION send_test_message(text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION send_test_message(text, text) TO "heartbeat-dashboard";
