import HeartRate

/// Where a file of recorded readings has its fields; it may have others.
struct RecordedColumns: Equatable {
    /// The names of those that it must have, in the order of a file that has nothing else.
    static let names = ["customer_id", "recorded_at", "heart_rate"]

    private(set) var customerID = 0
    private(set) var recordedAt = 1
    private(set) var heartRate = 2
    /// nil in a file that tells no activities, or has two such columns.
    private(set) var activity: Int?
    /// How many fields a line has.
    private(set) var count = 3

    /// - Returns: nil when one of the names is not there once.
    init?(header: [String]) {
        let places = Self.names.map { name in header.indices.filter { header[$0] == name } }
        guard places.allSatisfy({ $0.count == 1 }) else { return nil }
        (customerID, recordedAt, heartRate) = (places[0][0], places[1][0], places[2][0])
        let activities = header.indices.filter { header[$0] == "activity" }
        activity = activities.count == 1 ? activities[0] : nil
        count = header.count
    }
}

/// One row of a file of recorded readings. Its fields lie in the line's bytes.
struct RecordedRow: ~Escapable {
    /// As it stands in the file, of any length.
    let customerID: Span<UInt8>
    /// As it stands in the file; nobody has looked at it.
    let recordedAt: Span<UInt8>
    /// Whether the heart rate has a minus sign.
    let isNegative: Bool
    /// The heart rate's digits without leading zeros, which JSON forbids; any number of them.
    let digits: Span<UInt8>
    /// What the customer was doing. As in a message, any other word than the contract's tells nothing.
    let activity: Activity?

    @_lifetime(copy fields)
    init(_ fields: CSVFields, _ columns: RecordedColumns) throws(RowProblem) {
        guard fields.count == columns.count else { throw .fieldCount(fields.count, expected: columns.count) }
        customerID = fields[columns.customerID]
        recordedAt = fields[columns.recordedAt]
        activity = if let place = columns.activity { Activity(name: fields[place]) } else { nil }
        let number = fields[columns.heartRate]
        if Self.isEmpty(number) { throw .noHeartRate }
        let isSigned = number[0] == UInt8(ascii: "-") || number[0] == UInt8(ascii: "+")
        isNegative = number[0] == UInt8(ascii: "-")
        var start = isSigned ? 1 : 0
        var end = start
        while end < number.count, (48...57).contains(number[end]) { end += 1 }
        guard end > start, Self.isZeroFraction(number.extracting(end..<number.count)) else {
            throw .heartRate(Self.text(number))
        }
        while start < end - 1, number[start] == UInt8(ascii: "0") { start += 1 }
        digits = number.extracting(start..<end)
    }

    /// Whether a cell says that nothing was measured; the words are those of pandas, R and SQL.
    private static func isEmpty(_ cell: Span<UInt8>) -> Bool {
        cell.isEmpty || (cell.count <= 4 && ["nan", "na", "null", "none"].contains(text(cell).lowercased()))
    }

    /// Whether a number's end is nothing, or what whole numbers get where all are floating: `.0`.
    private static func isZeroFraction(_ end: Span<UInt8>) -> Bool {
        if end.isEmpty { return true }
        guard end[0] == UInt8(ascii: "."), end.count > 1 else { return false }
        return (1..<end.count).allSatisfy { end[$0] == UInt8(ascii: "0") }
    }

    /// For an error, so not endless.
    static func text(_ bytes: Span<UInt8>) -> String {
        let shown = bytes.extracting(first: min(bytes.count, 100))
        return String(decoding: shown.indices.map { shown[$0] }, as: UTF8.self) + (bytes.count > 100 ? "..." : "")
    }
}
