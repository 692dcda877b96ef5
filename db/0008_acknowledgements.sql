-- An acknowledgement holds for what was seen: for a severity, at a time. When an episode gets worse, or is as bad again after
-- it eased, it is unseen again; one of high severity that ends unseen stays so until somebody takes it.

ALTER TABLE episodes
    ADD COLUMN acknowledged_severity episode_severity,
    ADD COLUMN acknowledged_note     text,
    ADD COLUMN unseen_severity       episode_severity,
    ADD COLUMN alarmed_at            timestamptz;
COMMENT ON COLUMN episodes.acknowledged_severity IS 'the severity that the last acknowledgement was given for';
COMMENT ON COLUMN episodes.acknowledged_note IS 'what was said with it';
COMMENT ON COLUMN episodes.unseen_severity IS 'how bad it was at worst since somebody saw it; NULL when that is seen';
COMMENT ON COLUMN episodes.alarmed_at IS 'when unseen_severity was last set or rose, by the database''s clock';

UPDATE episodes SET acknowledged_severity = worst_severity WHERE acknowledged_at IS NOT NULL;
UPDATE episodes SET unseen_severity = worst_severity, alarmed_at = raised_at
 WHERE acknowledged_at IS NULL AND closed_at IS NULL;
CREATE INDEX idx_episodes_unseen ON episodes (closed_at) WHERE closed_at IS NOT NULL AND unseen_severity = 'high';

-- Keeps unseen_severity, whoever writes the row. What comes closed and is older than a day is a recording's: no alarm.
CREATE FUNCTION note_unseen() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.acknowledged_at IS NULL AND (NEW.closed_at IS NULL OR NEW.closed_at >= now() - interval '1 day') THEN
            NEW.unseen_severity := NEW.worst_severity;
            NEW.alarmed_at := now();
        ELSIF NEW.acknowledged_at IS NOT NULL THEN
            NEW.acknowledged_severity := coalesce(NEW.acknowledged_severity, NEW.worst_severity);
        END IF;
    ELSIF NEW.worst_severity > OLD.worst_severity OR NEW.severity > OLD.severity THEN
        NEW.alarmed_at := now();
        NEW.unseen_severity := greatest(OLD.unseen_severity, NEW.severity,
            CASE WHEN NEW.worst_severity > OLD.worst_severity THEN NEW.worst_severity END);
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER episodes_unseen BEFORE INSERT OR UPDATE OF severity, worst_severity ON episodes
   FOR EACH ROW EXECUTE FUNCTION note_unseen();

-- Who did what about whom, for good: rows are only added, by the functions below.
CREATE TABLE care_log (
    care_id     bigint           GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    acted_at    timestamptz      NOT NULL DEFAULT now(),
    person      text             NOT NULL CHECK (char_length(person) BETWEEN 1 AND 50),
    action      text             NOT NULL,
    customer_id varchar(50)      COLLATE "C" NOT NULL,
    episode_id  bigint,
    severity    episode_severity,
    note        text             CHECK (char_length(note) BETWEEN 1 AND 200)
);
CREATE INDEX idx_care_log_customer ON care_log (customer_id, acted_at DESC);
COMMENT ON TABLE care_log IS 'who acknowledged, undid, noted or changed what; rows are only added';
COMMENT ON COLUMN care_log.severity IS 'of an acknowledgement: what it was given for';

CREATE FUNCTION keep_care_log() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'rows of care_log are only added' USING ERRCODE = '42501';
END
$$;
CREATE TRIGGER care_log_only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON care_log
   FOR EACH STATEMENT EXECUTE FUNCTION keep_care_log();

-- Refuses a name or a note that is not one.
CREATE FUNCTION require_person(person text, note text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF coalesce(char_length(btrim(person)), 0) NOT BETWEEN 1 AND 50 THEN
        RAISE EXCEPTION 'who acts has to be named, with 1 to 50 characters' USING ERRCODE = '22023';
    END IF;
    IF char_length(btrim(note)) NOT BETWEEN 1 AND 200 THEN
        RAISE EXCEPTION 'a note has 1 to 200 characters' USING ERRCODE = '22023';
    END IF;
END
$$;

-- Notes who has looked at an episode, and how severe it was to their eyes (NULL: as it is now). False when there is no
-- such episode, when somebody was first, or when it has been worse than that. With "remind_after" an acknowledgement of
-- an open episode that is older may be given again. The dashboard may call it: it runs with the owner's rights.
DROP FUNCTION acknowledge_episode(bigint, text);
CREATE FUNCTION acknowledge_episode(
    episode bigint, person text, seen episode_severity DEFAULT NULL, note text DEFAULT NULL,
    remind_after interval DEFAULT NULL
) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    done episodes;
BEGIN
    PERFORM require_person(person, note);
    UPDATE episodes AS e
       SET acknowledged_at = now(), acknowledged_by = btrim(person), acknowledged_note = btrim(note),
           acknowledged_severity = coalesce(seen, unseen_severity, e.severity), unseen_severity = NULL
     WHERE episode_id = episode
       AND CASE WHEN unseen_severity IS NOT NULL THEN coalesce(seen >= unseen_severity, true)
                WHEN acknowledged_at IS NULL THEN true
                ELSE closed_at IS NULL AND acknowledged_at <= now() - remind_after END
    RETURNING * INTO done;
    IF done.episode_id IS NULL THEN
        RETURN false;
    END IF;
    INSERT INTO care_log (person, action, customer_id, episode_id, severity, note)
    VALUES (done.acknowledged_by, 'acknowledged', done.customer_id, episode, done.acknowledged_severity,
            done.acknowledged_note);
    RETURN true;
END
$$;

-- Takes back an acknowledgement of the last minute: what it was given for is unseen again, and what was there before it
-- counts again. False when there is none, or it is somebody else's.
CREATE FUNCTION undo_acknowledgement(episode bigint, by_person text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    undone episodes;
    earlier_at timestamptz;
    earlier_by text;
    earlier_severity episode_severity;
    earlier_note text;
BEGIN
    PERFORM require_person(by_person, NULL);
    SELECT * INTO undone FROM episodes
     WHERE episode_id = episode AND acknowledged_by = btrim(by_person) AND acknowledged_at > now() - interval '1 minute'
       FOR UPDATE;
    IF undone.episode_id IS NULL THEN
        RETURN false;
    END IF;
    -- Read backwards, each undo takes away the acknowledgement before it: what remains second is the earlier one.
    SELECT acted_at, person, severity, note INTO earlier_at, earlier_by, earlier_severity, earlier_note FROM (
        SELECT c.*, sum(CASE action WHEN 'undid' THEN 1 ELSE -1 END) OVER (ORDER BY care_id DESC) AS balance
          FROM care_log AS c WHERE episode_id = episode AND action IN ('acknowledged', 'undid')) AS history
     WHERE action = 'acknowledged' AND balance = -2 ORDER BY care_id DESC LIMIT 1;
    UPDATE episodes
       SET unseen_severity = greatest(unseen_severity, undone.acknowledged_severity),
           acknowledged_at = earlier_at, acknowledged_by = earlier_by,
           acknowledged_severity = earlier_severity, acknowledged_note = earlier_note
     WHERE episode_id = episode;
    INSERT INTO care_log (person, action, customer_id, episode_id, severity)
    VALUES (btrim(by_person), 'undid', undone.customer_id, episode, undone.acknowledged_severity);
    RETURN true;
END
$$;
REVOKE EXECUTE ON FUNCTION acknowledge_episode(bigint, text, episode_severity, text, interval),
    undo_acknowledgement(bigint, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION acknowledge_episode(bigint, text, episode_severity, text, interval),
    undo_acknowledgement(bigint, text) TO "heartbeat-dashboard";
GRANT SELECT ON care_log TO "heartbeat-dashboard";
