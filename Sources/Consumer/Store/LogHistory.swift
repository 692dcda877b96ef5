import HeartRate
import PostgreSQL

/// What the database has of one partition, across the incarnations of the same log.
struct LogHistory: Equatable {
    /// Offsets of the log that one source has.
    struct Segment: Equatable {
        let sourceID: Int32
        let offsets: Range<Int64>
    }

    /// The latest incarnation, as the new one will be put behind it.
    let sourceID: Int32
    /// Where it starts and where it goes on.
    let offsets: Range<Int64>
    /// What is stored of the log, in the order of offsets and without overlaps: an incarnation that goes on with the same
    /// log has taken the place of what the earlier ones had beyond its start.
    let segments: [Segment]
    /// The last stored message, as far as it is known.
    var last: Landmark?

    /// The first offset that anything is stored of.
    var first: Int64 { segments.first?.offsets.lowerBound ?? offsets.lowerBound }

    /// - Parameter sources: the partition's incarnations, the latest first, with the source that each goes on with.
    init?(_ sources: [(id: Int32, offsets: Range<Int64>, continues: Int32?)]) {
        guard let latest = sources.first else { return nil }
        sourceID = latest.id
        offsets = latest.offsets
        var segments: [Segment] = []
        var wanted: Int32? = latest.id
        var end = Int64.max
        for source in sources where source.id == wanted {
            let upper = min(source.offsets.upperBound, end)
            if source.offsets.lowerBound < upper {
                segments.insert(Segment(sourceID: source.id, offsets: source.offsets.lowerBound..<upper), at: 0)
            }
            end = min(end, source.offsets.lowerBound)
            wanted = source.continues
        }
        self.segments = segments
    }

    /// The source that has an offset.
    func source(of offset: Int64) -> Int32? { segments.first { $0.offsets.contains(offset) }?.sourceID }
}

/// The message that is asked for in the database, as far as it can be found there.
struct StoredMessage {
    let offset: Int64
    /// What it says as a reading; nil when it is none.
    let reading: Reading?
    let payload: [UInt8]?
    let fingerprint: Int64

    var landmark: Landmark { Landmark(offset: offset, fingerprint: fingerprint) }
}

extension ReadingStore {
    /// The history of a partition; nil when the database does not know it.
    func history(of partition: Int32, _ request: LocateRequest) throws(PostgreSQLError) -> LogHistory? {
        let rows = try connection.query(
            """
            SELECT source_id, first_offset, next_offset, continues, last_offset, last_fingerprint FROM kafka_offsets
             WHERE cluster_id = $1 AND topic = $2 AND partition = $3 ORDER BY incarnation DESC
            """, [request.clusterID, request.topic, partition], unableTo: "read the incarnations of a partition")
        var history = LogHistory(
            try rows.map { row throws(PostgreSQLError) -> (Int32, Range<Int64>, Int32?) in
                let (first, next): (Int64, Int64) = (try row["first_offset"], try row["next_offset"])
                return (try row["source_id"], first..<next, try row["continues"])
            })
        history?.last = try rows.first { row throws(PostgreSQLError) in try Self.landmark(&row) } ?? nil
        return history
    }

    /// Whether a message is stored as what it is at its offset.
    func holds(_ message: StoredMessage, source: Int32) throws(PostgreSQLError) -> Bool {
        if let reading = message.reading {
            let found: Bool? = try connection.query(
                """
                SELECT true AS found FROM readings
                 WHERE customer_id = $1 AND recorded_at = $2::timestamptz AND heart_rate = $3::smallint
                   AND block_at > $2::timestamptz - interval '1 hour' AND block_at <= $2::timestamptz
                   AND source_id = $4::integer AND kafka_offset = $5::bigint LIMIT 1
                """,
                [reading.customerID.description, reading.recordedAt, reading.heartRate, source, message.offset],
                unableTo: "look for a reading"
            ).first { row throws(PostgreSQLError) in try row["found"] }
            if found == true { return true }
        }
        let rejected = try connection.query(
            "SELECT payload FROM rejected_messages WHERE source_id = $1 AND kafka_offset = $2",
            [source, message.offset], unableTo: "look for a rejected message")
        var isFound = false
        try rejected.forEach { row throws(PostgreSQLError) in
            let payload: [UInt8]? = try row["payload"]
            if payload == message.payload { isFound = true }
        }
        return isFound
    }

    /// One past the last offset of a source whose row retention has dropped.
    func retired(_ source: Int32) throws(PostgreSQLError) -> Int64? {
        try connection.query(
            "SELECT upper(offsets) AS retired FROM retired_offsets WHERE source_id = $1 AND NOT isempty(offsets)",
            [source], unableTo: "read what retention has dropped"
        ).first { row throws(PostgreSQLError) in try row["retired"] }
    }

    /// How many messages are stored of these offsets; what retention has dropped of them counts, too.
    func count(of segments: [LogHistory.Segment], from offset: Int64) throws(PostgreSQLError) -> Int64 {
        var count: Int64 = 0
        for segment in segments where segment.offsets.upperBound > offset {
            let lower = max(offset, segment.offsets.lowerBound)
            // Every offset is a message but for gaps and holes.
            let empty: Int64? = try connection.query(
                """
                SELECT coalesce(sum(least(upper(r), $3) - greatest(lower(r), $2)), 0)::bigint AS count FROM (
                    SELECT int8range(from_offset, until_offset) AS r FROM offset_gaps WHERE source_id = $1
                    UNION ALL SELECT unnest(offsets) FROM offset_holes WHERE source_id = $1) AS empty
                 WHERE r && int8range($2, $3)
                """, [segment.sourceID, lower, segment.offsets.upperBound], unableTo: "count stored messages"
            ).first { row throws(PostgreSQLError) in try row["count"] }
            count += segment.offsets.upperBound - lower - (empty ?? 0)
        }
        return count
    }

    /// A partition that the database has not known yet.
    func addSource(_ partition: Int32, at low: Int64, _ request: LocateRequest) throws(PostgreSQLError) {
        try connection.query(
            """
            INSERT INTO kafka_offsets (cluster_id, topic, partition, first_offset, next_offset)
            SELECT $1, $2, $3::integer, $4::bigint, $4::bigint
             WHERE NOT EXISTS (SELECT 1 FROM kafka_offsets WHERE cluster_id = $1 AND topic = $2 AND partition = $3::integer)
            ON CONFLICT DO NOTHING
            """, [request.clusterID, request.topic, partition, low], unableTo: "add a source to \"kafka_offsets\"")
    }

    /// Records what Kafka deleted before it was read.
    ///
    /// - Returns: false when somebody has moved the source on meanwhile.
    func recordDeletion(_ source: Int32, _ offsets: Range<Int64>) throws(PostgreSQLError) -> Bool {
        let found: Bool? = try connection.query(
            """
            WITH moved AS (UPDATE kafka_offsets SET next_offset = $3, updated_at = now()
                            WHERE source_id = $1 AND next_offset = $2 AND NOT closed RETURNING source_id)
            INSERT INTO offset_gaps (source_id, from_offset, until_offset, reason)
            SELECT source_id, $2, $3, 'deleted by Kafka before it was read' FROM moved RETURNING true AS found
            """, [source, offsets.lowerBound, offsets.upperBound], unableTo: "record a gap in \"offset_gaps\""
        ).first { row throws(PostgreSQLError) in try row["found"] }
        return found == true
    }

    /// Goes on with a partition as a new incarnation.
    ///
    /// - Parameters:
    ///   - continued: the source whose log it goes on with; nil when it is another log.
    ///   - last: the message before it, by which the log can be told as long as the incarnation has none of its own.
    /// - Returns: false when somebody has moved the earlier one on meanwhile.
    func addIncarnation(
        after history: LogHistory, from start: Int64, continued: Int32?, lost: Int64, last: Landmark?
    ) throws(PostgreSQLError) -> Bool {
        let added: Bool? = try connection.query(
            """
            SELECT add_incarnation($1::integer, $2::bigint, $3::bigint, $4::integer, $5::bigint, $6::bigint, $7::bigint)
                   AS added
            """,
            [
                history.sourceID, history.offsets.upperBound, start, continued, lost, last?.offset, last?.fingerprint,
            ],
            unableTo: "add a source to \"kafka_offsets\""
        ).first { row throws(PostgreSQLError) in try row["added"] }
        return added == true
    }
}
