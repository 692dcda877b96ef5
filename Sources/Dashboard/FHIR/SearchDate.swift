internal import HeartRate

/// A date of a search, with its prefix: `ge2026-02-19`, http://hl7.org/fhir/R4/search.html#date
struct SearchDate: Equatable {
    enum Comparison: String, CaseIterable { case eq, ge, gt, le, lt }

    let comparison: Comparison
    /// The time that it stands for, in microseconds since 1970: a day, a minute, a second, as exact as it is.
    let lower: Int64
    let upper: Int64

    /// - Returns: nil when the text is no such date; one without an offset is in UTC.
    init?(_ text: String) {
        let prefix = Comparison(rawValue: String(text.prefix(2)))
        comparison = prefix ?? .eq
        let rest = prefix == nil ? text[...] : text.dropFirst(2)
        guard let (lower, upper) = rest.contains("T") ? Self.moment(rest) : Self.days(rest) else { return nil }
        (self.lower, self.upper) = (lower, upper)
    }

    /// A year, a month or a day.
    private static func days(_ text: Substring) -> (Int64, Int64)? {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        let lengths = [4, 2, 2]
        guard (1...3).contains(parts.count), zip(parts, lengths).allSatisfy({ $0.utf8.count == $1 }) else { return nil }
        let numbers = parts.compactMap { $0.utf8.allSatisfy { (48...57).contains($0) } ? Int($0) : nil }
        guard numbers.count == parts.count else { return nil }
        let (year, month, day) = (numbers[0], numbers.count > 1 ? numbers[1] : 1, numbers.count > 2 ? numbers[2] : 1)
        guard let first = midnight(year, month: month, day: day) else { return nil }
        let next =
            switch parts.count {
            case 1: midnight(year + 1, month: 1, day: 1)
            case 2: midnight(year + month / 12, month: month % 12 + 1, day: 1)
            default: first + 86_400_000_000
            }
        // The calendar ends with the year 9999.
        return next.map { (first, $0) }
    }

    private static func midnight(_ year: Int, month: Int, day: Int) -> Int64? {
        func digits(_ number: Int, _ count: Int) -> String {
            String(repeating: "0", count: count - "\(number)".utf8.count) + "\(number)"
        }
        guard (1...9999).contains(year) else { return nil }
        let text = "\(digits(year, 4))-\(digits(month, 2))-\(digits(day, 2))T00:00Z"
        return Instant(iso8601: Array(text.utf8).span)?.microsecondsSince1970
    }

    /// A time of a day, to the minute or more exact.
    private static func moment(_ text: Substring) -> (Int64, Int64)? {
        // An offset's plus sign that nobody encoded has become a space.
        let plus = text.replacing(" ", with: "+")
        let time = plus.drop { $0 != "T" }.dropFirst().prefix { $0.isNumber || ":.".contains($0) }
        let hasOffset = plus.utf8.count > 11 + time.utf8.count
        guard let instant = Instant(iso8601: Array((plus + (hasOffset ? "" : "Z")).utf8).span) else { return nil }
        let start = instant.microsecondsSince1970
        let fraction = time.split(separator: ".").dropFirst().first.map { min($0.utf8.count, 6) } ?? 0
        let second = (0..<fraction).reduce(Int64(1_000_000)) { width, _ in width / 10 }
        return (start, start + (time.utf8.count == 5 ? 60_000_000 : second))
    }
}

/// From when to when, by the dates of a search, in microseconds since 1970; nil for no bound.
struct SearchRange: Equatable {
    private(set) var from: Int64?
    private(set) var until: Int64?

    /// - Parameter dates: all of them have to hold.
    init(_ dates: [SearchDate]) {
        for date in dates {
            switch date.comparison {
            case .eq:
                begin(at: date.lower)
                end(at: date.upper)
            case .ge: begin(at: date.lower)
            case .gt: begin(at: date.upper)
            case .le: end(at: date.upper)
            case .lt: end(at: date.lower)
            }
        }
    }

    private mutating func begin(at moment: Int64) { from = max(from ?? moment, moment) }
    private mutating func end(at moment: Int64) { until = min(until ?? moment, moment) }

    /// Whether there is nothing in it.
    var isEmpty: Bool { (from ?? .min) >= (until ?? .max) }
}
