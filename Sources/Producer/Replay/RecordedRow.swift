/// One row of a file of recorded readings: `customer_id,recorded_at,heart_rate`. Its fields lie in the line's bytes.
struct RecordedRow: ~Escapable {
    /// The line that a file begins with.
    static let header = "customer_id,recorded_at,heart_rate"

    /// Why a line is no such row.
    enum Problem: Error, Equatable, CustomStringConvertible {
        /// It has a quotation mark.
        case quoted
        /// The number of fields that it has.
        case fieldCount(Int)
        /// The third field is not an integer.
        case heartRate(String)
        /// The second field is not a timestamp, and the pace or the shift needs one.
        case recordedAt(String)

        var description: String {
            switch self {
            case .quoted: "a quotation mark; only fields without quotes are understood"
            case .fieldCount(let count): "expected 3 fields (\(RecordedRow.header)), found \(count)"
            case .heartRate(let text): "heart_rate \"\(text)\" is not an integer"
            case .recordedAt(let text): "recorded_at \"\(text)\" is not a timestamp with an offset"
            }
        }
    }

    /// As it stands in the file, of any length.
    let customerID: Span<UInt8>
    /// As it stands in the file; nobody has looked at it.
    let recordedAt: Span<UInt8>
    /// Whether the heart rate has a minus sign.
    let isNegative: Bool
    /// The heart rate's digits without leading zeros, which JSON forbids; any number of them.
    let digits: Span<UInt8>

    @_lifetime(copy line)
    init(parsing line: Span<UInt8>) throws(Problem) {
        var commas = 0
        var (first, last) = (0, 0)
        for index in line.indices {
            if line[index] == UInt8(ascii: "\"") { throw .quoted }
            guard line[index] == UInt8(ascii: ",") else { continue }
            if commas == 0 { first = index }
            last = index
            commas += 1
        }
        guard commas == 2 else { throw .fieldCount(commas + 1) }
        customerID = line.extracting(0..<first)
        recordedAt = line.extracting(first + 1..<last)
        let number = line.extracting(last + 1..<line.count)
        let isSigned = number.count > 0 && (number[0] == UInt8(ascii: "-") || number[0] == UInt8(ascii: "+"))
        isNegative = isSigned && number[0] == UInt8(ascii: "-")
        var start = isSigned ? 1 : 0
        guard start < number.count else { throw .heartRate(Self.text(number)) }
        for index in start..<number.count where !(48...57).contains(number[index]) {
            throw .heartRate(Self.text(number))
        }
        while start < number.count - 1, number[start] == UInt8(ascii: "0") { start += 1 }
        digits = number.extracting(start..<number.count)
    }

    /// For an error, so not endless.
    static func text(_ bytes: Span<UInt8>) -> String {
        let shown = bytes.extracting(first: min(bytes.count, 100))
        return String(decoding: shown.indices.map { shown[$0] }, as: UTF8.self) + (bytes.count > 100 ? "..." : "")
    }
}
