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
        try connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", unableTo: "start a poll")
        let totals = try connection.query(
            """
            SELECT coalesce(sum(readings), 0) AS readings, coalesce(sum(anomalies), 0) AS anomalies,
                   coalesce(sum(rejected), 0) AS rejected, \(microseconds(of: "max(updated_at)")) AS stored_us
              FROM kafka_offsets
            """, unableTo: "read \"kafka_offsets\"")
        try totals.forEach { row throws(PostgreSQLError) in
            readings = try row["readings"]
            anomalies = try row["anomalies"]
            rejected = try row["rejected"]
            storedAt = try row["stored_us"]
        }
        rows = try Self.customers(connection)
        throughput = try Self.minutes(connection, 30)
        episodes = try OpenEpisodes(connection)
        try connection.execute("COMMIT", unableTo: "end a poll")
    }

    private static func customers(
        _ connection: PostgreSQLConnection
    ) throws(PostgreSQLError) -> [CustomerTable.Row] {
        let result = try connection.query(
            """
            SELECT s.customer_id, \(microseconds(of: "s.recorded_at")) AS recorded_us, s.heart_rate, s.is_anomaly,
                   s.anomaly_reason, s.readings, s.anomalies, e.customer_id IS NOT NULL AS is_signal_lost
              FROM customer_state AS s
              LEFT JOIN episodes AS e
                ON e.customer_id = s.customer_id AND e.kind IN ('signal loss', '0 bpm reported', 'not worn')
               AND e.closed_at IS NULL
             ORDER BY s.customer_id LIMIT \(CustomerTable.mostCustomers + 1)
            """, unableTo: "read \"customer_state\"")
        return try result.map { row throws(PostgreSQLError) in try CustomerTable.Row(&row) }
    }

    /// pipeline_log's last minutes, with the running one.
    static func minutes(_ connection: PostgreSQLConnection, _ count: Int) throws(PostgreSQLError) -> [Minute] {
        let result = try connection.query(
            """
            SELECT \(microseconds(of: "date_trunc('minute', logged_at)")) AS minute_us, sum(messages_valid) AS valid,
                   sum(messages_anomaly) AS anomaly, sum(messages_invalid) AS invalid
              FROM pipeline_log WHERE logged_at >= date_trunc('minute', now()) - make_interval(mins => $1::integer - 1)
             GROUP BY 1 ORDER BY 1
            """, [count], unableTo: "read \"pipeline_log\"")
        return try result.map { row throws(PostgreSQLError) in
            Minute(
                minute: Moment(microseconds: try row["minute_us"]), valid: try row["valid"],
                anomaly: try row["anomaly"],
                invalid: try row["invalid"])
        }
    }

    /// The gaps in the log, counted up to 10,000.
    static func gaps(_ connection: PostgreSQLConnection) throws(PostgreSQLError) -> Snapshot.Gaps {
        let result = try connection.query(
            """
            SELECT count(*) AS count, coalesce(sum(until_offset - from_offset), 0) AS messages,
                   \(microseconds(of: "max(found_at)")) AS latest_us
              FROM (SELECT * FROM offset_gaps LIMIT 10000) AS gaps
            """, unableTo: "read \"offset_gaps\"")
        return try result.first { row throws(PostgreSQLError) in
            let latest: Int64? = try row["latest_us"]
            return Snapshot.Gaps(
                count: try row["count"], messages: try row["messages"],
                latestAt: latest.map { Moment(microseconds: $0) })
        } ?? Snapshot.Gaps()
    }
}

extension CustomerTable.Row {
    /// A row with these columns; `recorded_us` are microseconds.
    init(_ row: inout PostgreSQLRow) throws(PostgreSQLError) {
        self.init(
            id: try row["customer_id"], recordedAt: try row["recorded_us"], heartRate: try row["heart_rate"],
            isAnomaly: try row["is_anomaly"], reason: try row["anomaly_reason"], readings: try row["readings"],
            anomalies: try row["anomalies"], isSignalLost: try row["is_signal_lost"])
    }
}
