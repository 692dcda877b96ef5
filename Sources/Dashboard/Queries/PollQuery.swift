internal import PostgreSQL

/// What the poller asks the database each second. No question's cost grows with what was ever stored.
struct PollQuery: Sendable {
    var readings: Int64 = 0
    var anomalies: Int64 = 0
    var rejected: Int64 = 0
    /// When a message was last stored, in microseconds since 1970; nil before the first.
    var storedAt: Int64?
    var rows: [CustomerTable.Row] = []
    var throughput: [Minute] = []
    var episodes = OpenEpisodes()

    init(_ connection: PostgreSQLConnection) throws(PostgreSQLError) {
        try connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", unableTo: "begin a poll")
        let totals = try connection.query(
            """
            SELECT coalesce(sum(readings), 0), coalesce(sum(anomalies), 0), coalesce(sum(rejected), 0),
                   (extract(epoch FROM max(updated_at)) * 1000000)::bigint
              FROM kafka_offsets
            """, unableTo: "read \"kafka_offsets\"")
        readings = totals.integer(0, 0) ?? 0
        anomalies = totals.integer(0, 1) ?? 0
        rejected = totals.integer(0, 2) ?? 0
        storedAt = totals.integer(0, 3)
        rows = try Self.customers(connection)
        throughput = try Self.minutes(connection, 30)
        episodes = try OpenEpisodes(connection)
        try connection.execute("COMMIT", unableTo: "end a poll")
    }

    private static func customers(
        _ connection: PostgreSQLConnection
    ) throws(PostgreSQLError) -> [CustomerTable.Row] {
        // A double has microseconds to spare for some centuries, and is quicker than extract's numeric.
        let result = try connection.query(
            """
            SELECT s.customer_id, (date_part('epoch', s.recorded_at) * 1000000)::bigint, s.heart_rate, s.is_anomaly,
                   s.anomaly_reason, s.readings, s.anomalies, e.customer_id IS NOT NULL
              FROM customer_state AS s
              LEFT JOIN episodes AS e
                ON e.customer_id = s.customer_id AND e.kind = 'signal loss' AND e.closed_at IS NULL
             ORDER BY s.customer_id LIMIT \(CustomerTable.mostCustomers + 1)
            """, unableTo: "read \"customer_state\"")
        var rows: [CustomerTable.Row] = []
        rows.reserveCapacity(result.count)
        for row in 0..<result.count {
            rows.append(
                CustomerTable.Row(
                    id: result[row, 0] ?? "", recordedAt: result.integer(row, 1) ?? 0,
                    heartRate: result.integer(row, 2) ?? 0, isAnomaly: result.isTrue(row, 3), reason: result[row, 4],
                    readings: result.integer(row, 5) ?? 0, anomalies: result.integer(row, 6) ?? 0,
                    isSignalLost: result.isTrue(row, 7)))
        }
        return rows
    }

    /// pipeline_log's last minutes, with the running one.
    static func minutes(_ connection: PostgreSQLConnection, _ count: Int) throws(PostgreSQLError) -> [Minute] {
        let result = try connection.query(
            """
            SELECT (extract(epoch FROM date_trunc('minute', logged_at)) * 1000000)::bigint, sum(messages_valid),
                   sum(messages_anomaly), sum(messages_invalid)
              FROM pipeline_log WHERE logged_at >= date_trunc('minute', now()) - make_interval(mins => $1::integer - 1)
             GROUP BY 1 ORDER BY 1
            """, [String(count)], unableTo: "read \"pipeline_log\"")
        return (0..<result.count).map { row in
            Minute(
                minute: Moment(microseconds: result.integer(row, 0) ?? 0), valid: result.integer(row, 1) ?? 0,
                anomaly: result.integer(row, 2) ?? 0, invalid: result.integer(row, 3) ?? 0)
        }
    }

    /// The gaps in the log, counted up to 10,000.
    static func gaps(_ connection: PostgreSQLConnection) throws(PostgreSQLError) -> Snapshot.Gaps {
        let result = try connection.query(
            """
            SELECT count(*), coalesce(sum(until_offset - from_offset), 0),
                   (extract(epoch FROM max(found_at)) * 1000000)::bigint
              FROM (SELECT * FROM offset_gaps LIMIT 10000) AS gaps
            """, unableTo: "read \"offset_gaps\"")
        return Snapshot.Gaps(
            count: result.integer(0, 0) ?? 0, messages: result.integer(0, 1) ?? 0,
            latestAt: result.integer(0, 2).map { Moment(microseconds: $0) })
    }
}
