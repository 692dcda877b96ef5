public import PostgreSQL

/// Counts, for each partition of Kafka, whether every message ended exactly once.
public struct Verification: Sendable {
    /// What the database holds of one partition.
    public struct Source: Sendable {
        /// The row in `kafka_offsets`.
        public let sourceID: Int64
        /// The cluster that the topic is in.
        public let clusterID: String
        /// The topic's name.
        public let topic: String
        /// The partition's number.
        public let partition: Int64
        /// 1, and one more each time the topic was recreated.
        public let incarnation: Int64
        /// The first offset that was read.
        public let firstOffset: Int64
        /// One past the last offset that was read.
        public let nextOffset: Int64
        /// Its last stored message; nil when it has none, or when it was stored before fingerprints were kept.
        public let last: Landmark?
        /// Whether it is the one that is read now: no later incarnation has taken its place.
        public let isOpen: Bool
        /// How many of its messages are readings, those that retention has dropped among them.
        public let readings: Int64
        /// How many of its messages are rejected, those that retention has dropped among them.
        public let rejected: Int64
        /// How many readings retention has dropped (`retired_offsets`).
        public let droppedReadings: Int64
        /// How many rejected messages retention has dropped.
        public let droppedRejected: Int64
        /// How many readings are known by their seals (`seals`), and not looked at themselves.
        public let sealedReadings: Int64
        /// How many messages Kafka deleted before they were read (`offset_gaps`).
        public let gaps: Int64
        /// How many offsets have no message for readers (`offset_holes`).
        public let holes: Int64
        /// Whether it goes on with the log of an earlier incarnation whose end Kafka has lost.
        public let isContinued: Bool
        /// How many messages stored by earlier incarnations Kafka had lost when this one began.
        public let lost: Int64
        /// Offsets that are stored nowhere, as ranges.
        public let missing: [ClosedRange<Int64>]
        /// Offsets that are stored twice or more, or that nobody has read.
        public let surplus: [Int64]

        /// Whether every message ended exactly once.
        public var isSound: Bool { missing.isEmpty && surplus.isEmpty && consumed == readings + rejected }
        /// How many messages were read.
        public var consumed: Int64 { nextOffset - firstOffset - gaps - holes }
    }

    /// A stored message by its offset and its fingerprint.
    public struct Landmark: Sendable {
        /// Its offset.
        public let offset: Int64
        /// The fingerprint that it was stored with.
        public let fingerprint: Int64
    }

    /// The most offsets of each kind that are listed for one partition.
    public static let mostListed = 100

    /// The partitions by topic and number.
    public let sources: [Source]
    /// Sealed days of which no reading is there, as `2026-08-25`.
    public let emptyDays: [String]

    /// Whether every message of every partition ended exactly once.
    public var isSound: Bool { sources.allSatisfy(\.isSound) && emptyDays.isEmpty }

    /// Reads one consistent snapshot, while consumers go on.
    ///
    /// - Parameter connection: a session with `SessionParameters.verify`.
    /// - Throws: `PostgreSQLError`.
    public init(_ connection: PostgreSQLConnection) throws(PostgreSQLError) {
        // The lock, which holds up no batch, comes before the snapshot: maintenance must not move or drop a day between two
        // of the statements.
        try connection.execute(
            """
            BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; \
            LOCK TABLE heart_rate_readings, heart_rate_readings_closed, heart_rate_readings_retired IN ACCESS SHARE MODE
            """, unableTo: "start a transaction")
        // 64 MB let a million offsets be sorted in memory.
        try connection.execute("SET LOCAL work_mem = '64MB'", unableTo: "set work_mem")
        let rows = try connection.query(
            """
            SELECT source_id, coalesce(o.topic, 'not in kafka_offsets: source ' || source_id) AS topic,
                   coalesce(o.partition, -1) AS partition, coalesce(o.incarnation, 1) AS incarnation,
                   coalesce(o.first_offset, 0) AS first_offset, coalesce(o.next_offset, 0) AS next_offset,
                   coalesce(r.count, 0) + coalesce(s.readings, 0) + coalesce(d.readings, 0) AS readings,
                   coalesce(x.count, 0) + coalesce(d.rejected, 0) AS rejected,
                   coalesce(d.readings, 0) AS dropped_readings, coalesce(d.rejected, 0) AS dropped_rejected,
                   coalesce(s.readings, 0) AS sealed_readings,
                   coalesce(g.count, 0) AS gaps, coalesce(h.count, 0) AS holes,
                   o.continues IS NOT NULL AS is_continued, coalesce(o.lost, 0) AS lost,
                   coalesce(o.cluster_id, '') AS cluster_id,
                   coalesce(NOT o.closed, false) AS is_open, o.last_offset, o.last_fingerprint
              FROM kafka_offsets o
              FULL JOIN (SELECT source_id, count(*) FROM (\(Self.readings)) kept GROUP BY 1) r USING (source_id)
              FULL JOIN (SELECT source_id, count(*) FROM rejected_messages GROUP BY 1) x USING (source_id)
              FULL JOIN (SELECT source_id, sum(until_offset - from_offset) AS count FROM offset_gaps GROUP BY 1) g
                        USING (source_id)
              FULL JOIN (SELECT source_id, sum(upper(r) - lower(r))::bigint AS count
                           FROM offset_holes, unnest(offsets) AS r GROUP BY 1) h USING (source_id)
              FULL JOIN (SELECT source_id, sum(readings)::bigint AS readings FROM seals WHERE source_id <> 0 GROUP BY 1) s
                        USING (source_id)
              FULL JOIN retired_offsets d USING (source_id)
             ORDER BY o.topic, o.partition, o.incarnation
            """, unableTo: "count the messages of each partition")
        let missing = try Self.missing(connection)
        let surplus = try Self.surplus(connection)
        emptyDays = try Self.emptyDays(connection)
        try connection.execute("COMMIT", unableTo: "end a transaction")
        sources = try rows.map { row throws(PostgreSQLError) in try Self.source(&row, missing, surplus: surplus) }
    }

    private static func source(
        _ row: inout PostgreSQLRow, _ missing: [Int64: [ClosedRange<Int64>]], surplus: [Int64: [Int64]]
    ) throws(PostgreSQLError) -> Source {
        let id: Int64 = try row["source_id"]
        let (offset, fingerprint): (Int64?, Int64?) = (try row["last_offset"], try row["last_fingerprint"])
        let last = offset.flatMap { offset in fingerprint.map { Landmark(offset: offset, fingerprint: $0) } }
        return Source(
            sourceID: id, clusterID: try row["cluster_id"], topic: try row["topic"], partition: try row["partition"],
            incarnation: try row["incarnation"], firstOffset: try row["first_offset"],
            nextOffset: try row["next_offset"], last: last, isOpen: try row["is_open"],
            readings: try row["readings"], rejected: try row["rejected"],
            droppedReadings: try row["dropped_readings"], droppedRejected: try row["dropped_rejected"],
            sealedReadings: try row["sealed_readings"],
            gaps: try row["gaps"], holes: try row["holes"], isContinued: try row["is_continued"],
            lost: try row["lost"], missing: missing[id] ?? [], surplus: surplus[id] ?? [])
    }

    private static func emptyDays(_ connection: PostgreSQLConnection) throws(PostgreSQLError) -> [String] {
        try connection.query(
            """
            SELECT day::text FROM (SELECT DISTINCT day FROM seals) AS sealed
             WHERE NOT EXISTS (SELECT FROM sealed_readings
                                WHERE block_at >= day::timestamp AT TIME ZONE 'UTC'
                                  AND block_at < day::timestamp AT TIME ZONE 'UTC' + interval '24 hours')
             ORDER BY day
            """, unableTo: "look for the sealed days"
        ).column()
    }

    /// The rows that are there and came from a message; those of closed and retired days, too.
    private static let readings = """
        SELECT source_id, kafka_offset FROM heart_rate_readings WHERE source_id IS NOT NULL
        UNION ALL SELECT source_id, kafka_offset FROM heart_rate_readings_closed WHERE source_id IS NOT NULL
        UNION ALL SELECT source_id, kafka_offset FROM heart_rate_readings_retired WHERE source_id IS NOT NULL
        """

    /// Everything that accounts for offsets, as ranges that include their ends.
    private static let stored = """
        SELECT source_id, kafka_offset AS low, kafka_offset AS high FROM (\(readings)) kept
        UNION ALL SELECT source_id, kafka_offset, kafka_offset FROM rejected_messages
        UNION ALL SELECT source_id, lower(dropped), upper(dropped) - 1 FROM retired_offsets, unnest(offsets) AS dropped
        UNION ALL SELECT source_id, lower(sealed), upper(sealed) - 1 FROM sealed_offsets, unnest(offsets) AS sealed
        UNION ALL SELECT source_id, from_offset, until_offset - 1 FROM offset_gaps
        UNION ALL SELECT source_id, lower(hole), upper(hole) - 1 FROM offset_holes, unnest(offsets) AS hole
        """

    private static func missing(
        _ connection: PostgreSQLConnection
    ) throws(PostgreSQLError) -> [Int64: [ClosedRange<Int64>]] {
        // The two ends of each source stand in as stored offsets, so that one comparison of neighbours finds all holes.
        let holes = try connection.query(
            """
            WITH stored AS (
                \(stored)
                UNION ALL SELECT source_id, first_offset - 1, first_offset - 1 FROM kafka_offsets
                UNION ALL SELECT source_id, next_offset, next_offset FROM kafka_offsets
            ), holes AS (
                SELECT source_id, max(high) OVER before + 1 AS from_offset, low - 1 AS to_offset FROM stored
                WINDOW before AS (PARTITION BY source_id ORDER BY low, high ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
            ), numbered AS (
                SELECT *, row_number() OVER (PARTITION BY source_id ORDER BY from_offset) AS number FROM holes
                 WHERE to_offset >= from_offset
            )
            SELECT source_id, from_offset, to_offset FROM numbered WHERE number <= \(mostListed) ORDER BY 1, 2
            """, unableTo: "look for missing offsets")
        var missing: [Int64: [ClosedRange<Int64>]] = [:]
        try holes.forEach { row throws(PostgreSQLError) in
            let (id, from, to): (Int64, Int64, Int64) =
                (try row["source_id"], try row["from_offset"], try row["to_offset"])
            missing[id, default: []].append(from...to)
        }
        return missing
    }

    private static func surplus(_ connection: PostgreSQLConnection) throws(PostgreSQLError) -> [Int64: [Int64]] {
        let offsets = try connection.query(
            """
            WITH stored AS (\(stored)), marked AS (
                SELECT s.source_id, s.low, s.high, o.first_offset, o.next_offset,
                       max(s.high) OVER (PARTITION BY s.source_id ORDER BY s.low, s.high
                                         ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS high_before
                  FROM stored s LEFT JOIN kafka_offsets o USING (source_id)
            ), numbered AS (
                SELECT source_id, low, row_number() OVER (PARTITION BY source_id ORDER BY low) AS number FROM marked
                 WHERE low <= high_before OR low < first_offset OR high >= next_offset OR first_offset IS NULL
            )
            SELECT source_id, low FROM numbered WHERE number <= \(mostListed) ORDER BY 1, 2
            """, unableTo: "look for offsets that are stored twice")
        var surplus: [Int64: [Int64]] = [:]
        try offsets.forEach { row throws(PostgreSQLError) in
            let id: Int64 = try row["source_id"]
            surplus[id, default: []].append(try row["low"])
        }
        return surplus
    }
}
