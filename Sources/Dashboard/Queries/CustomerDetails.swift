internal import HeartRate
internal import PostgreSQL

/// What is known of one customer.
struct CustomerDetails: Sendable {
    private(set) var customer: CustomerTable.Customer
    let createdAt: Int64?
    let firstRecordedAt: Int64?
    /// The limits that judge this customer's episodes instead of the common ones.
    let ownLimits: OwnLimits?
    /// Limits that would suit this heart better, for a person to take or not; nil when there is nothing to propose.
    private(set) var proposedLimits: OwnLimits?
    /// For how much of the last hours the heart was irregular; nil where readings are no beats.
    private(set) var irregular: Irregular?

    /// Hundredths of some minutes.
    struct Irregular: Encodable, Sendable {
        let percent: Int
        let minutes: Int
    }

    /// In the order of their names.
    private(set) var groups: [String] = []
    /// What detection has learned.
    private var usualRates: ClosedRange<Int>?

    /// The customer's usual rates, in bpm.
    struct UsualRates: Encodable, Sendable {
        let lowest: Int
        let highest: Int
    }

    /// Nil while they are not known.
    var usual: UsualRates? { usualRates.map { UsualRates(lowest: $0.lowerBound, highest: $0.upperBound) } }

    /// A row of `customer_limits`; null for the common limit.
    struct OwnLimits: Encodable, Sendable {
        @OrNull var heartRateMin: Int64?
        @OrNull var heartRateMax: Int64?
    }

    /// - Parameter rules: with the common limits.
    /// - Returns: nil when there is no such customer.
    init?(
        _ id: CustomerKey, at clock: AlarmClock, by rules: EpisodeRules, _ connection: PostgreSQLConnection
    ) throws(PostgreSQLError) {
        let result = try connection.query(
            """
            SELECT s.customer_id, \(microseconds(of: "s.recorded_at")) AS recorded_us, s.heart_rate, s.is_anomaly,
                   s.anomaly_reason, s.readings, s.anomalies,
                   \(microseconds(of: "c.created_at")) AS created_us,
                   \(microseconds(of: "first_reading_at($1)")) AS first_us,
                   num_nonnulls(l.heart_rate_min, l.heart_rate_max) > 0 AS has_limits, l.heart_rate_min, l.heart_rate_max,
                   s.detector, coalesce(l.heart_rate_min, p.heart_rate_min) AS minimum_in_force
              FROM customer_state AS s LEFT JOIN customers AS c USING (customer_id)
              LEFT JOIN customer_limits AS l USING (customer_id) LEFT JOIN limit_profiles AS p USING (profile)
             WHERE s.customer_id = $1
            """, [id], unableTo: "read a customer")
        let found = try result.first { row throws(PostgreSQLError) in
            var details = CustomerDetails(
                row: try CustomerTable.Row(&row), createdAt: try row["created_us"],
                firstRecordedAt: try row["first_us"],
                ownLimits: try row["has_limits"]
                    ? OwnLimits(heartRateMin: try row["heart_rate_min"], heartRateMax: try row["heart_rate_max"]) : nil)
            let state: [UInt8]? = try row["detector"]
            let inForce = CustomerLimits(heartRateMin: try row["minimum_in_force"])
            let detector = state.flatMap { Detector(checkpoint: $0) }
            details.usualRates = detector?.usualRates
            details.irregular = detector?.irregularPart.map { Irregular(percent: $0.percent, minutes: $0.minutes) }
            let minimum = detector?.proposedMinimum(inForce, by: rules)
            details.proposedLimits = minimum.map { OwnLimits(heartRateMin: Int64($0), heartRateMax: nil) }
            return details
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

    /// The usual time between a customer's last readings, in microseconds; nil when there are too few.
    static func period(
        of id: CustomerKey, until: Int64, _ connection: PostgreSQLConnection
    ) throws(PostgreSQLError) -> Int64? {
        let result = try connection.query(
            """
            SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY step) AS step_us
              FROM (SELECT \(microseconds(of: "recorded_at"))
                           - lag(\(microseconds(of: "recorded_at"))) OVER (ORDER BY recorded_at) AS step
                      FROM (SELECT recorded_at FROM heart_rate_readings
                             WHERE customer_id = $1 AND recorded_at BETWEEN $2::timestamptz - interval '1 day'
                                                                        AND $2::timestamptz
                             ORDER BY recorded_at DESC LIMIT 9) AS latest) AS steps
             WHERE step > 0
            """, [id, Moment.reading(until).text], unableTo: "read a customer's readings")
        return try result.first { row throws(PostgreSQLError) -> Int64? in try row["step_us"] } ?? nil
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
