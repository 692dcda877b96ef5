internal import PostgreSQL

/// What the poller asks the database each second. No question's cost grows with what was ever stored.
struct PollQuery: Sendable {
    var readings: Int64 = 0
    var anomalies: Int64 = 0
    var rejected: Int64 = 0
    var rows: [CustomerTable.Row] = []
    /// Whether there are more customers than are listed.
    var isTruncated = false
    var throughput: [Minute] = []
    var episodes = OpenEpisodes()

    init(at clock: AlarmClock, _ connection: PostgreSQLConnection) throws(PostgreSQLError) {
        try connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", unableTo: "start a poll")
        let totals = try connection.query(
            """
            SELECT coalesce(sum(readings), 0) AS readings, coalesce(sum(anomalies), 0) AS anomalies,
                   coalesce(sum(rejected), 0) AS rejected
              FROM kafka_offsets
            """, unableTo: "read \"kafka_offsets\"")
        try totals.forEach { row throws(PostgreSQLError) in
            readings = try row["readings"]
            anomalies = try row["anomalies"]
            rejected = try row["rejected"]
        }
        rows = try CustomerTable.Row.list(connection, atMost: CustomerTable.mostCustomers + 1)
        isTruncated = rows.count > CustomerTable.mostCustomers
        if isTruncated { rows.removeLast() }
        throughput = try Self.minutes(connection, 30)
        episodes = try OpenEpisodes(at: clock, connection)
        if isTruncated {
            let known = Set(rows.map(\.id))
            rows += try CustomerTable.Row.find(episodes.standings.keys.filter { !known.contains($0) }, connection)
        }
        try connection.execute("COMMIT", unableTo: "end a poll")
    }

    /// How many customers there are.
    static func customerCount(_ connection: PostgreSQLConnection) throws(PostgreSQLError) -> Int64 {
        let result = try connection.query(
            "SELECT count(*) AS count FROM customer_state", unableTo: "count \"customer_state\"")
        return try result.first { row throws(PostgreSQLError) in try row["count"] } ?? 0
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
    private static let columns =
        """
        customer_id, \(microseconds(of: "recorded_at")) AS recorded_us, heart_rate, is_anomaly, anomaly_reason, readings, \
        anomalies
        """

    /// The first customers by their ids.
    ///
    /// - Parameters:
    ///   - part: a part of their ids in lower case, as `lowercase` has it; nil for all customers.
    ///   - group: only its customers.
    static func list(
        _ connection: PostgreSQLConnection, atMost most: Int, with part: [UInt8]? = nil, group: String? = nil
    ) throws(PostgreSQLError) -> [Self] {
        let result = try connection.query(
            """
            SELECT \(columns) FROM customer_state
             WHERE ($1::text = '' OR strpos(lower(customer_id), $1::text) > 0) AND \(Groups.condition(3))
             ORDER BY customer_id LIMIT $2::bigint
            """, [String(decoding: part ?? [], as: UTF8.self), most, group ?? ""], unableTo: "read \"customer_state\"")
        return try result.map { row throws(PostgreSQLError) in try Self(&row) }
    }

    /// These customers, as far as there are such, by their ids.
    static func find(
        _ ids: [CustomerKey], _ connection: PostgreSQLConnection
    ) throws(PostgreSQLError) -> [Self] {
        guard !ids.isEmpty else { return [] }
        let result = try connection.query(
            "SELECT \(columns) FROM customer_state WHERE customer_id = ANY ($1::text[]) ORDER BY customer_id",
            [ArrayText(ids)], unableTo: "read \"customer_state\"")
        return try result.map { row throws(PostgreSQLError) in try Self(&row) }
    }

    /// A row with these columns; `recorded_us` are microseconds.
    init(_ row: inout PostgreSQLRow) throws(PostgreSQLError) {
        self.init(
            id: try row["customer_id"], recordedAt: try row["recorded_us"], heartRate: try row["heart_rate"],
            isAnomaly: try row["is_anomaly"], reason: try row["anomaly_reason"], readings: try row["readings"],
            anomalies: try row["anomalies"])
    }
}
