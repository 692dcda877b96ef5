-- What tells a log from another one under the same name, and what became of logs that are not what they were.

ALTER TABLE kafka_offsets
    ADD COLUMN last_offset      bigint,
    ADD COLUMN last_fingerprint bigint,
    ADD COLUMN continues        integer REFERENCES kafka_offsets,
    ADD COLUMN lost             bigint  NOT NULL DEFAULT 0,
    ADD COLUMN closed           boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN kafka_offsets.last_offset IS 'the last message that is stored; NULL when it is not known';
COMMENT ON COLUMN kafka_offsets.last_fingerprint IS 'of that message''s time stamp, key and value (Fingerprint.swift)';
COMMENT ON COLUMN kafka_offsets.continues IS 'the incarnation of the same log whose end Kafka has lost';
COMMENT ON COLUMN kafka_offsets.lost IS 'how many stored messages of earlier incarnations Kafka had lost when this one began';
COMMENT ON COLUMN kafka_offsets.closed IS 'a later incarnation goes on: nobody may write to this one any more';

-- Offsets above the low watermark that no reader gets: ends of transactions, aborted messages, compaction. Nothing is lost
-- with them. One row a batch and source.
CREATE TABLE offset_holes (
    source_id integer        NOT NULL REFERENCES kafka_offsets,
    offsets   int8multirange NOT NULL,
    found_at  timestamptz    NOT NULL DEFAULT now()
);
CREATE INDEX idx_offset_holes_source ON offset_holes (source_id);

-- As in 0002, with the last message of each source; NULL leaves that as it is. A closed source is somebody else's.
DROP FUNCTION advance_offsets(integer[], bigint[], bigint[], integer[], integer[], integer[]);
CREATE FUNCTION advance_offsets(
    source_ids integer[], expected bigint[], advanced bigint[], more_readings integer[], more_anomalies integer[],
    more_rejected integer[], lasts bigint[], fingerprints bigint[]
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    moved integer;
BEGIN
    UPDATE kafka_offsets AS o
       SET next_offset = a.advanced_offset, readings = o.readings + a.readings, anomalies = o.anomalies + a.anomalies,
           rejected = o.rejected + a.rejected, updated_at = now(),
           last_offset = coalesce(a.last, o.last_offset), last_fingerprint = coalesce(a.fingerprint, o.last_fingerprint)
      FROM unnest(source_ids, expected, advanced, more_readings, more_anomalies, more_rejected, lasts, fingerprints)
           AS a (source_id, expected_offset, advanced_offset, readings, anomalies, rejected, last, fingerprint)
     WHERE o.source_id = a.source_id AND o.next_offset = a.expected_offset AND NOT o.closed;
    GET DIAGNOSTICS moved = ROW_COUNT;
    IF moved <> cardinality(source_ids) THEN
        RAISE EXCEPTION 'fenced: another consumer owns % of % partitions', cardinality(source_ids) - moved,
            cardinality(source_ids) USING ERRCODE = 'HB001';
    END IF;
END
$$;

-- Goes on with a partition as a new incarnation from an offset on. The one before is closed, so whatever a consumer still
-- wants to write to it is fenced. False when somebody has moved the one before on meanwhile. The message before it tells
-- the log until it has one of its own.
CREATE FUNCTION add_incarnation(
    earlier integer, expected bigint, start bigint, continued integer, lost_messages bigint, last bigint, fingerprint bigint
) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    UPDATE kafka_offsets SET closed = true WHERE source_id = earlier AND next_offset = expected AND NOT closed;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    INSERT INTO kafka_offsets
           (cluster_id, topic, partition, incarnation, first_offset, next_offset, continues, lost,
            last_offset, last_fingerprint)
    SELECT cluster_id, topic, partition, incarnation + 1, start, start, continued, lost_messages, last, fingerprint
      FROM kafka_offsets WHERE source_id = earlier;
    RETURN true;
END
$$;

GRANT UPDATE (last_offset, last_fingerprint, closed) ON kafka_offsets TO "heartbeat-consumer";
GRANT SELECT, INSERT ON offset_holes TO "heartbeat-consumer";
GRANT SELECT ON offset_holes TO "heartbeat-dashboard";
