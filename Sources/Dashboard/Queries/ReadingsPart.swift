internal import HTTPService
internal import NIOCore
internal import PostgreSQL

/// A part of a customer's readings, in the order of time: some thousand of them, and never a part of what has one time stamp.
struct ReadingsPart: Sendable {
    /// 31 days, in microseconds.
    private static let longest: Int64 = 31 * 86_400_000_000

    let items: [ReadingItem]
    /// What comes after this part; nil after the last one.
    private(set) var rest: TimeRange?

    init(
        of customer: CustomerKey, in range: TimeRange, _ connection: PostgreSQLConnection
    ) throws(PostgreSQLError) {
        // Where a part ends is found among all blocks of the time.
        let near = TimeRange(from: range.from, until: min(range.until, range.from + Self.longest))
        let end = try Self.end(of: customer, in: near, connection)
        items = try ReadingItem.list(
            of: customer, in: TimeRange(from: range.from, until: end), "recorded_at, id", connection)
        if end < range.until { rest = TimeRange(from: end, until: range.until) }
    }

    /// Where a part ends that begins with a range.
    static func end(
        of customer: CustomerKey, in range: TimeRange, _ connection: PostgreSQLConnection
    ) throws(PostgreSQLError) -> Int64 {
        try connection.query(
            """
            SELECT \(microseconds(of: "part_end($1, $2::timestamptz, $3::timestamptz)"))
            """, [customer] + range.parameters, unableTo: "read readings"
        ).value()
    }
}

/// A file of readings, which is made part by part.
enum ReadingsFile: Sendable {
    /// Lines of CSV (RFC 4180), with the columns that `heartbeat producer --replay` looks for.
    case csv
    /// An object with the array `items`, an object each.
    case json

    var type: String { self == .csv ? "text/csv; charset=utf-8; header=present" : "application/json" }
    var suffix: String { self == .csv ? "csv" : "json" }
    var begin: String {
        self == .csv ? "customer_id,recorded_at,heart_rate,is_anomaly,anomaly_reason,activity\r\n" : "{\"items\":["
    }
    var end: String { self == .csv ? "" : "]}\n" }

    /// Some readings.
    ///
    /// - Parameter isFirst: whether none stands before them.
    func text(_ items: [ReadingItem], isFirst: Bool) throws -> String {
        guard !items.isEmpty else { return "" }
        switch self {
        case .csv:
            return items.reduce(into: "") { csv, item in
                csv +=
                    "\(Self.quoted(item.customerId.text)),\(item.recordedAt.text),\(item.heartRate),\(item.isAnomaly),"
                csv += "\(item.anomalyReason.map(Self.quoted) ?? ""),\(item.activity ?? "")\r\n"
            }
        case .json:
            // Without the brackets of the part's own array.
            return (isFirst ? "" : ",\n") + String(buffer: try HTTPService.json(items)).dropFirst().dropLast()
        }
    }

    /// A field of CSV.
    static func quoted(_ text: String) -> String {
        guard text.utf8.contains(where: { ",\"\r\n".utf8.contains($0) }) else { return text }
        // By scalars: as a character, a quotation mark with an accent is no quotation mark.
        return "\"" + text.unicodeScalars.reduce(into: "") { $0 += $1 == "\"" ? "\"\"" : "\($1)" } + "\""
    }
}
