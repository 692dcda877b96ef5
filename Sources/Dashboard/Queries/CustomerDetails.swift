internal import PostgreSQL

/// What is known of one customer.
struct CustomerDetails: Sendable {
    private(set) var customer: CustomerTable.Customer
    let createdAt: Int64?
    let firstRecordedAt: Int64?
    /// The limits that judge this customer's episodes instead of the common ones.
    let ownLimits: OwnLimits?
    /// In the order of their names.
    private(set) var groups: [String] = []

    /// A row of `customer_limits`; null for the common limit.
    struct OwnLimits: Encodable, Sendable {
        @OrNull var heartRateMin: Int64?
        @OrNull var heartRateMax: Int64?
    }

    /// - Returns: nil when there is no such customer.
    init?(_ id: CustomerKey, at clock: AlarmClock, _ connection: PostgreSQLConnection) throws(PostgreSQLError) {
        let result = try connection.query(
            """
            SELECT s.customer_id, \(microseconds(of: "s.recorded_at")) AS recorded_us, s.heart_rate, s.is_anomaly,
                   s.anomaly_reason, s.readings, s.anomalies,
                   \(microseconds(of: "c.created_at")) AS created_us,
                   \(microseconds(of: "first_reading_at($1)")) AS first_us,
                   num_nonnulls(l.heart_rate_min, l.heart_rate_max) > 0 AS has_limits, l.heart_rate_min, l.heart_rate_max
              FROM customer_state AS s LEFT JOIN customers AS c USING (customer_id)
              LEFT JOIN customer_limits AS l USING (customer_id) WHERE s.customer_id = $1
            """, [id], unableTo: "read a customer")
        let found = try result.first { row throws(PostgreSQLError) in
            CustomerDetails(
                row: try CustomerTable.Row(&row), createdAt: try row["created_us"],
                firstRecordedAt: try row["first_us"],
                ownLimits: try row["has_limits"]
                    ? OwnLimits(heartRateMin: try row["heart_rate_min"], heartRateMax: try row["heart_rate_max"]) : nil)
        }
        guard let found else { return nil }
        self = found
        customer.standing = try OpenEpisodes.standing(of: id, at: clock, connection)
        groups = try connection.query(
            "SELECT group_name FROM customer_groups WHERE customer_id = $1 ORDER BY group_name", [id],
            unableTo: "read \"customer_groups\""
        ).column()
    }

    private init(row: CustomerTable.Row, createdAt: Int64?, firstRecordedAt: Int64?, ownLimits: OwnLimits?) {
        customer = CustomerTable.Customer(row: row, marks: [])
        self.createdAt = createdAt
        self.firstRecordedAt = firstRecordedAt
        self.ownLimits = ownLimits
    }

    /// The latest reading of each step of customers' trends, by id.
    static func trends(
        of ids: [CustomerKey], from: Int64, _ connection: PostgreSQLConnection
    ) throws(PostgreSQLError) -> [CustomerKey: [(time: Int64, heartRate: Int64)]] {
        let result = try connection.query(
            """
            SELECT c.id, \(microseconds(of: "r.recorded_at")) AS recorded_us, r.heart_rate
              FROM unnest($1::text[]) AS c (id)
             CROSS JOIN LATERAL (
                SELECT DISTINCT ON (floor(extract(epoch FROM recorded_at) / \(Trend.step / 1_000_000)))
                       recorded_at, heart_rate FROM heart_rate_readings
                 WHERE customer_id = c.id AND recorded_at >= $2::timestamptz
                 ORDER BY floor(extract(epoch FROM recorded_at) / \(Trend.step / 1_000_000)) DESC, recorded_at DESC
                 LIMIT \(Trend.steps)) AS r
            """, [ArrayText(ids), Moment.reading(from).text], unableTo: "read trends")
        var trends: [CustomerKey: [(time: Int64, heartRate: Int64)]] = [:]
        try result.forEach { row throws(PostgreSQLError) in
            let id: CustomerKey = try row["id"]
            trends[id, default: []].append((try row["recorded_us"], try row["heart_rate"]))
        }
        return trends
    }
}
