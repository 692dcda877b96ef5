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
    init?(_ id: String, _ connection: PostgreSQLConnection) throws(PostgreSQLError) {
        let result = try connection.query(
            """
            SELECT s.customer_id, (extract(epoch FROM s.recorded_at) * 1000000)::bigint, s.heart_rate, s.is_anomaly,
                   s.anomaly_reason, s.readings, s.anomalies, (extract(epoch FROM c.created_at) * 1000000)::bigint,
                   (SELECT (extract(epoch FROM recorded_at) * 1000000)::bigint FROM heart_rate_readings
                     WHERE customer_id = $1 ORDER BY recorded_at LIMIT 1),
                   EXISTS (SELECT 1 FROM episodes
                            WHERE customer_id = $1 AND kind = 'signal loss' AND closed_at IS NULL),
                   l.customer_id IS NOT NULL, l.heart_rate_min, l.heart_rate_max
              FROM customer_state AS s LEFT JOIN customers AS c USING (customer_id)
              LEFT JOIN customer_limits AS l USING (customer_id) WHERE s.customer_id = $1
            """, [id], unableTo: "read a customer")
        guard result.count == 1 else { return nil }
        row = CustomerTable.Row(
            id: id, recordedAt: result.integer(0, 1) ?? 0, heartRate: result.integer(0, 2) ?? 0,
            isAnomaly: result.isTrue(0, 3), reason: result[0, 4], readings: result.integer(0, 5) ?? 0,
            anomalies: result.integer(0, 6) ?? 0, isSignalLost: result.isTrue(0, 9))
        createdAt = result.integer(0, 7)
        firstRecordedAt = result.integer(0, 8)
        ownLimits =
            result.isTrue(0, 10)
            ? OwnLimits(heartRateMin: result.integer(0, 11), heartRateMax: result.integer(0, 12)) : nil
    }

    /// The latest readings of customers, by id, oldest first, for traces.
    static func traces(
        of ids: [String], from: Int64, _ connection: PostgreSQLConnection
    ) throws(PostgreSQLError) -> [String: [Point]] {
        let result = try connection.query(
            """
            SELECT c.id, (extract(epoch FROM r.recorded_at) * 1000)::bigint, r.heart_rate, r.is_anomaly
              FROM unnest($1::text[]) AS c (id)
             CROSS JOIN LATERAL (
                SELECT recorded_at, heart_rate, is_anomaly FROM heart_rate_readings
                 WHERE customer_id = c.id AND recorded_at >= $2::timestamptz
                 ORDER BY recorded_at DESC LIMIT \(CustomerTable.tracePoints)) AS r
             ORDER BY r.recorded_at
            """, [arrayLiteral(ids), Moment.reading(from).text], unableTo: "read traces")
        var traces: [String: [Point]] = [:]
        for row in 0..<result.count {
            traces[result[row, 0] ?? "", default: []].append(
                Point(
                    result.integer(row, 1) ?? 0, result.integer(row, 2) ?? 0, isAnomaly: result.isTrue(row, 3)))
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
        of customer: String, in range: TimeRange, after cursor: AnomalyPage.Cursor?,
        _ connection: PostgreSQLConnection
    ) throws(PostgreSQLError) {
        var parameters: [String?] = [customer] + range.parameters
        var condition = ""
        if let cursor {
            parameters += [Moment.reading(cursor.recordedAt).text, String(cursor.id)]
            condition =
                "AND recorded_at >= $4::timestamptz AND (recorded_at > $4::timestamptz OR id > $5::bigint)"
        }
        let result = try connection.query(
            """
            SELECT to_char(recorded_at, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), heart_rate, is_anomaly, anomaly_reason,
                   (extract(epoch FROM recorded_at) * 1000000)::bigint, id
              FROM heart_rate_readings
             WHERE customer_id = $1 AND recorded_at >= $2::timestamptz AND recorded_at < $3::timestamptz \(condition)
             ORDER BY recorded_at, id LIMIT \(Self.rows)
            """, parameters, unableTo: "read readings")
        for row in 0..<result.count {
            let reason = result[row, 3].map(Self.quoted) ?? ""
            csv += "\(result[row, 0] ?? ""),\(result[row, 1] ?? ""),\(result.isTrue(row, 2)),\(reason)\r\n"
        }
        if result.count == Self.rows, let time = result.integer(Self.rows - 1, 4) {
            next = AnomalyPage.Cursor(recordedAt: time, id: result.integer(Self.rows - 1, 5) ?? 0)
        }
    }

    private static func quoted(_ text: String) -> String {
        guard text.utf8.contains(where: { ",\"\r\n".utf8.contains($0) }) else { return text }
        return "\"" + text.reduce(into: "") { $0 += $1 == "\"" ? "\"\"" : "\($1)" } + "\""
    }
}
