internal import PostgreSQL

/// What is known of one customer.
struct CustomerDetails: Sendable {
    let row: CustomerTable.Row
    let createdAt: Int64?
    let firstRecordedAt: Int64?
    /// The limits that judge this customer's episodes instead of the common ones.
    let ownLimits: OwnLimits?

    /// A row of `customer_limits`; null for the common limit.
    struct OwnLimits: Encodable, Sendable {
        @OrNull var heartRateMin: Int64?
        @OrNull var heartRateMax: Int64?
    }

    /// - Returns: nil when there is no such customer.
    init?(_ id: CustomerKey, _ connection: PostgreSQLConnection) throws(PostgreSQLError) {
        let result = try connection.query(
            """
            SELECT s.customer_id, \(microseconds(of: "s.recorded_at")) AS recorded_us, s.heart_rate, s.is_anomaly,
                   s.anomaly_reason, s.readings, s.anomalies,
                   EXISTS (SELECT 1 FROM episodes
                            WHERE customer_id = $1 AND closed_at IS NULL
                              AND kind IN ('signal loss', '0 bpm reported', 'not worn')) AS is_signal_lost,
                   \(microseconds(of: "c.created_at")) AS created_us,
                   (SELECT \(microseconds(of: "recorded_at")) FROM heart_rate_readings
                     WHERE customer_id = $1 ORDER BY recorded_at LIMIT 1) AS first_us,
                   l.customer_id IS NOT NULL AS has_limits, l.heart_rate_min, l.heart_rate_max
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
    }

    private init(row: CustomerTable.Row, createdAt: Int64?, firstRecordedAt: Int64?, ownLimits: OwnLimits?) {
        self.row = row
        self.createdAt = createdAt
        self.firstRecordedAt = firstRecordedAt
        self.ownLimits = ownLimits
    }

    /// The latest readings of customers, by id, oldest first, for traces.
    static func traces(
        of ids: [CustomerKey], from: Int64, _ connection: PostgreSQLConnection
    ) throws(PostgreSQLError) -> [CustomerKey: [Point]] {
        let result = try connection.query(
            """
            SELECT c.id, \(microseconds(of: "r.recorded_at")) AS recorded_us, r.heart_rate, r.is_anomaly
              FROM unnest($1::text[]) AS c (id)
             CROSS JOIN LATERAL (
                SELECT recorded_at, heart_rate, is_anomaly FROM heart_rate_readings
                 WHERE customer_id = c.id AND recorded_at >= $2::timestamptz
                 ORDER BY recorded_at DESC LIMIT \(CustomerTable.tracePoints)) AS r
             ORDER BY r.recorded_at
            """, [ArrayText(ids), Moment.reading(from).text], unableTo: "read traces")
        var traces: [CustomerKey: [Point]] = [:]
        try result.forEach { row throws(PostgreSQLError) in
            let id: CustomerKey = try row["id"]
            let time: Int64 = try row["recorded_us"]
            traces[id, default: []].append(
                Point(time / 1000, try row["heart_rate"], isAnomaly: try row["is_anomaly"]))
        }
        return traces
    }
}

/// A part of a customer's readings as lines of CSV (RFC 4180), in the order of time.
struct ReadingsPart: Sendable {
    /// Rows in one part.
    static let rows = 5000
    static let header = "recorded_at,heart_rate,is_anomaly,anomaly_reason\r\n"

    private(set) var csv = ""
    /// Where the next part begins; nil after the last one.
    private(set) var next: AnomalyPage.Cursor?

    init(
        of customer: CustomerKey, in range: TimeRange, after cursor: AnomalyPage.Cursor?,
        _ connection: PostgreSQLConnection
    ) throws(PostgreSQLError) {
        var parameters: [any PostgreSQLParameter] = [customer] + range.parameters
        var condition = ""
        if let cursor {
            parameters += [Moment.reading(cursor.recordedAt).text, cursor.id]
            condition =
                "AND recorded_at >= $4::timestamptz AND (recorded_at > $4::timestamptz OR id > $5::bigint)"
        }
        let result = try connection.query(
            """
            SELECT \(microseconds(of: "recorded_at")) AS recorded_us, heart_rate, is_anomaly, anomaly_reason, id
              FROM heart_rate_readings
             WHERE customer_id = $1 AND recorded_at >= $2::timestamptz AND recorded_at < $3::timestamptz \(condition)
             ORDER BY recorded_at, id LIMIT \(Self.rows)
            """, parameters, unableTo: "read readings")
        var last: AnomalyPage.Cursor?
        try result.forEach { row throws(PostgreSQLError) in
            let recordedAt: Int64 = try row["recorded_us"]
            let heartRate: Int64 = try row["heart_rate"]
            let isAnomaly: Bool = try row["is_anomaly"]
            let reason: String? = try row["anomaly_reason"]
            csv += "\(Moment.reading(recordedAt).text),\(heartRate),\(isAnomaly),\(reason.map(Self.quoted) ?? "")\r\n"
            last = AnomalyPage.Cursor(recordedAt: recordedAt, id: try row["id"])
        }
        if result.count == Self.rows { next = last }
    }

    private static func quoted(_ text: String) -> String {
        guard text.utf8.contains(where: { ",\"\r\n".utf8.contains($0) }) else { return text }
        // By scalars: as a character, a quotation mark with an accent is no quotation mark.
        return "\"" + text.unicodeScalars.reduce(into: "") { $0 += $1 == "\"" ? "\"\"" : "\($1)" } + "\""
    }
}
