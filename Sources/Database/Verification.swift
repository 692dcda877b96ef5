public import PostgreSQL

/// Counts, for each partition of Kafka, whether every message ended exactly once.
public struct Verification: Sendable {
    /// What the database holds of one partition.
    public struct Source: Sendable {
        /// The row in `kafka_offsets`.
        public let sourceID: Int64
        /// The topic's name.
        public let topic: String
        /// The partition's number.
        public let partition: Int64
        /// 1, and one more each time the topic was created anew.
        public let incarnation: Int64
        /// The first offset that was read.
        public let firstOffset: Int64
        /// One past the last offset that was read.
        public let nextOffset: Int64
        /// How many of its messages are readings, those that retention has dropped among them.
        public let readings: Int64
        /// How many of its messages are rejected, those that retention has dropped among them.
        public let rejected: Int64
        /// How many readings retention has dropped (`retired_offsets`).
        public let droppedReadings: Int64
        /// How many rejected messages retention has dropped.
        public let droppedRejected: Int64
        /// How many offsets no reader will ever see (`offset_gaps`).
        public let gaps: Int64
        /// Offsets that are stored nowhere, as ranges.
        public let missing: [ClosedRange<Int64>]
        /// Offsets that are stored twice or more, or that nobody has read.
        public let surplus: [Int64]

        /// Whether every message ended exactly once.
        public var isSound: Bool { missing.isEmpty && surplus.isEmpty && consumed == readings + rejected }
        /// How many messages were read.
        public var consumed: Int64 { nextOffset - firstOffset - gaps }
    }

    /// At most so many offsets of each kind are listed for one partition.
    public static let mostListed = 100

    /// The partitions by topic and number.
    public let sources: [Source]

    /// Whether every message of every partition ended exactly once.
    public var isSound: Bool { sources.allSatisfy(\.isSound) }

    /// Reads one consistent picture, while consumers go on.
    ///
    /// - Throws: `PostgreSQLError`.
    public init(_ connection: PostgreSQLConnection) throws(PostgreSQLError) {
        // The lock, which holds up no batch, comes before the picture is taken: maintenance must not move or drop a day
        // between two of the questions.
        try connection.execute(
            """
            BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; \
            LOCK TABLE heart_rate_readings, heart_rate_readings_retired IN ACCESS SHARE MODE
            """, unableTo: "begin a transaction")
        // 64 MB let a million offsets be sorted in memory.
        try connection.execute("SET LOCAL work_mem = '64MB'", unableTo: "set work_mem")
        let rows = try connection.query(
            """
            SELECT source_id, coalesce(o.topic, 'not in kafka_offsets: source ' || source_id), coalesce(o.partition, -1),
                   coalesce(o.incarnation, 1), coalesce(o.first_offset, 0), coalesce(o.next_offset, 0),
                   coalesce(r.count, 0) + coalesce(d.readings, 0), coalesce(x.count, 0) + coalesce(d.rejected, 0),
                   coalesce(g.count, 0), coalesce(d.readings, 0), coalesce(d.rejected, 0)
              FROM kafka_offsets o
              FULL JOIN (SELECT source_id, count(*) FROM (\(Self.readings)) kept GROUP BY 1) r USING (source_id)
              FULL JOIN (SELECT source_id, count(*) FROM rejected_messages GROUP BY 1) x USING (source_id)
              FULL JOIN (SELECT source_id, sum(until_offset - from_offset) AS count FROM offset_gaps GROUP BY 1) g
                        USING (source_id)
              FULL JOIN retired_offsets d USING (source_id)
             ORDER BY o.topic, o.partition, o.incarnation
            """, unableTo: "count the messages of each partition")
        let missing = try Self.missing(connection)
        let surplus = try Self.surplus(connection)
        try connection.execute("COMMIT", unableTo: "end a transaction")
        sources = (0..<rows.count).map { row in
            let id = rows.integer(row, 0) ?? 0
            return Source(
                sourceID: id, topic: rows[row, 1] ?? "", partition: rows.integer(row, 2) ?? 0,
                incarnation: rows.integer(row, 3) ?? 0, firstOffset: rows.integer(row, 4) ?? 0,
                nextOffset: rows.integer(row, 5) ?? 0, readings: rows.integer(row, 6) ?? 0,
                rejected: rows.integer(row, 7) ?? 0, droppedReadings: rows.integer(row, 9) ?? 0,
                droppedRejected: rows.integer(row, 10) ?? 0, gaps: rows.integer(row, 8) ?? 0,
                missing: missing[id] ?? [],
                surplus: surplus[id] ?? [])
        }
    }

    /// The readings that are there and came from a message; those of retired days, too.
    private static let readings = """
        SELECT source_id, kafka_offset FROM heart_rate_readings WHERE source_id IS NOT NULL
        UNION ALL SELECT source_id, kafka_offset FROM heart_rate_readings_retired WHERE source_id IS NOT NULL
        """

    /// Everything that accounts for offsets, as ranges that include their ends.
    private static let stored = """
        SELECT source_id, kafka_offset AS low, kafka_offset AS high FROM (\(readings)) kept
        UNION ALL SELECT source_id, kafka_offset, kafka_offset FROM rejected_messages
        UNION ALL SELECT source_id, lower(dropped), upper(dropped) - 1 FROM retired_offsets, unnest(offsets) AS dropped
        UNION ALL SELECT source_id, from_offset, until_offset - 1 FROM offset_gaps
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
        for row in 0..<holes.count {
            guard let id = holes.integer(row, 0), let from = holes.integer(row, 1), let to = holes.integer(row, 2)
            else { continue }
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
        for row in 0..<offsets.count {
            guard let id = offsets.integer(row, 0), let offset = offsets.integer(row, 1) else { continue }
            surplus[id, default: []].append(offset)
        }
        return surplus
    }
}
