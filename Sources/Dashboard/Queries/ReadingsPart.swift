internal import HeartRate
internal import PostgreSQL

/// A part of a customer's readings as lines of CSV (RFC 4180), in the order of time: some thousand of them, and never a part
/// of what has one time stamp.
struct ReadingsPart: Sendable {
    static let header = "recorded_at,heart_rate,is_anomaly,anomaly_reason,activity\r\n"

    /// 31 days, in microseconds.
    private static let longest: Int64 = 31 * 86_400_000_000

    private(set) var csv = ""
    /// What comes after this part; nil after the last one.
    private(set) var rest: TimeRange?

    init(
        of customer: CustomerKey, in range: TimeRange, _ connection: PostgreSQLConnection
    ) throws(PostgreSQLError) {
        // Where a part ends is found among all blocks of the time.
        let near = TimeRange(from: range.from, until: min(range.until, range.from + Self.longest))
        let end: Int64 = try connection.query(
            """
            SELECT \(microseconds(of: "part_end($1, $2::timestamptz, $3::timestamptz)"))
            """, [customer] + near.parameters, unableTo: "read readings"
        ).value()
        let part = TimeRange(from: range.from, until: end)
        let result = try connection.query(
            """
            SELECT \(microseconds(of: "recorded_at")) AS recorded_us, heart_rate, is_anomaly, anomaly_reason, activity
              FROM readings WHERE customer_id = $1 AND \(TimeRange.condition) ORDER BY recorded_at, id
            """, [customer] + part.parameters, unableTo: "read readings")
        try result.forEach { row throws(PostgreSQLError) in
            let recordedAt: Int64 = try row["recorded_us"]
            let heartRate: Int64 = try row["heart_rate"]
            let isAnomaly: Bool = try row["is_anomaly"]
            let reason: String? = try row["anomaly_reason"]
            let code: Int16? = try row["activity"]
            let activity = code.flatMap { Activity(code: $0)?.name } ?? ""
            let quoted = reason.map(Self.quoted) ?? ""
            csv += "\(Moment.reading(recordedAt).text),\(heartRate),\(isAnomaly),\(quoted),\(activity)\r\n"
        }
        if end < range.until { rest = TimeRange(from: end, until: range.until) }
    }

    /// A field of CSV.
    static func quoted(_ text: String) -> String {
        guard text.utf8.contains(where: { ",\"\r\n".utf8.contains($0) }) else { return text }
        // By scalars: as a character, a quotation mark with an accent is no quotation mark.
        return "\"" + text.unicodeScalars.reduce(into: "") { $0 += $1 == "\"" ? "\"\"" : "\($1)" } + "\""
    }
}
