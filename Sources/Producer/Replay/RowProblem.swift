/// Why a line is no row of a file of recorded readings.
enum RowProblem: Error, Equatable, CustomStringConvertible {
    /// A quotation mark is missing or stands where none may.
    case quotes
    /// The number of fields that it has, and that it should have.
    case fieldCount(Int, expected: Int)
    /// The heart rate is not a whole number.
    case heartRate(String)
    /// The heart rate's cell is empty: nothing was measured.
    case noHeartRate
    /// The time is not one that the consumer takes.
    case recordedAt(String)
    /// The consumer would reject the message, and why.
    case rejected(String)

    var description: String {
        switch self {
        case .quotes: "a quotation mark is missing, or stands inside of a field without others"
        case .fieldCount(let count, let expected): "expected \(expected) fields, found \(count)"
        case .heartRate(let text): "heart_rate \"\(text)\" is not a whole number"
        case .noHeartRate: "heart_rate is empty"
        case .recordedAt(let text): "recorded_at \"\(text)\" is not a time with an offset, as 2026-02-19T15:00:00Z"
        case .rejected(let reason): reason
        }
    }
}
