internal import Bytes
import HTTPService
import Hummingbird
internal import Daemon
internal import HeartRate

/// The parameters of a request, after "?".
struct QueryParameters {
    private var values: [String: String] = [:]
    /// Of those that may be there more than once.
    private var repeated: [String: [String]] = [:]

    /// - Parameter known: the parameters that there are.
    /// - Throws: `Problem` when one is unknown, twice there, or not UTF-8.
    init(_ request: Request, _ known: String...) throws(Problem) { try self.init(request, known, repeating: []) }

    /// - Parameters:
    ///   - known: the parameters that there are.
    ///   - repeating: those that may be there more than once.
    /// - Throws: `Problem` when one is unknown, one of the others is twice there, or one is not UTF-8.
    init(_ request: Request, _ known: [String], repeating: Set<String>) throws(Problem) {
        for pair in (request.uri.query ?? "").split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = Self.decoded(parts[0]), known.contains(name) else {
                throw Problem(
                    .badRequest,
                    "unknown parameter \"\(escapingControls(String(parts[0].prefix(50))))\": expected "
                        + (known.isEmpty ? "none" : "some of \(known.joined(separator: ", "))"))
            }
            guard let value = Self.decoded(parts.count > 1 ? parts[1] : ""), !value.utf8.contains(0) else {
                throw Problem(.badRequest, "\(name): expected a text in UTF-8 without NUL, percent-encoded")
            }
            repeated[name, default: []].append(value)
            guard values.updateValue(value, forKey: name) == nil || repeating.contains(name) else {
                throw Problem(.badRequest, "\(name): expected only once")
            }
        }
    }

    /// All values of one that may be there more than once.
    func all(_ name: String) -> [String] { repeated[name] ?? [] }

    /// A text of a limited length; nil when it is not there.
    func text(_ name: String, of characters: ClosedRange<Int>) throws(Problem) -> String? {
        guard let text = values[name] else { return nil }
        guard characters.contains(text.unicodeScalars.count) else {
            throw refusal(name, "\(characters.lowerBound) to \(characters.upperBound) characters")
        }
        return text
    }

    /// The customer that is named, if one is.
    func namedCustomer() throws(Problem) -> CustomerKey? {
        try text("customer_id", of: 1...CustomerID.maximumCharacters).map { CustomerKey($0) }
    }

    /// The customer that has to be named.
    func customer() throws(Problem) -> CustomerKey {
        guard let id = try namedCustomer() else {
            throw Problem(.badRequest, "customer_id: expected 1 to \(CustomerID.maximumCharacters) characters")
        }
        return id
    }

    /// The group that is named; nil for everybody.
    func group() throws(Problem) -> String? {
        try text("group", of: 0...50).flatMap { $0.isEmpty ? nil : $0 }
    }

    /// A whole number in a range.
    func integer(_ name: String, in range: ClosedRange<Int>, default standard: Int) throws(Problem) -> Int {
        guard let text = values[name] else { return standard }
        guard let number = Int(text), range.contains(number) else {
            throw refusal(name, "an integer from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    /// One of several words; nil when it is empty or not there.
    func choice<Choice: CaseIterable>(
        _ name: String, _: Choice.Type, by word: (Choice) -> String
    ) throws(Problem) -> Choice? {
        guard let text = values[name], !text.isEmpty else { return nil }
        guard let choice = Choice.allCases.first(where: { word($0) == text }) else {
            throw refusal(name, "one of " + Choice.allCases.map(word).joined(separator: ", "))
        }
        return choice
    }

    func choice<Choice: RawRepresentable<String> & CaseIterable>(
        _ name: String, _: Choice.Type
    ) throws(Problem) -> Choice? {
        try choice(name, Choice.self, by: \.rawValue)
    }

    /// A moment, in microseconds since 1970; nil when it is not there.
    func moment(_ name: String) throws(Problem) -> Int64? {
        guard let text = values[name] else { return nil }
        // An offset's plus sign that nobody encoded has become a space.
        let plus = text.map { $0 == " " && text.count > 20 ? "+" : String($0) }.joined()
        guard let instant = Instant(iso8601: Array(plus.utf8).span) else {
            throw refusal(name, "a time as RFC 3339 has it, such as 2026-02-19T15:53:03Z")
        }
        return instant.microsecondsSince1970
    }

    /// The longest range of what is about one customer, in days: ten years.
    static let mostDays: Int64 = 3660

    /// From `from` to `until`: the last hour unless they say something else.
    ///
    /// - Parameter mostDays: how long it may be.
    func range(now: Int64, atMost mostDays: Int64 = Self.mostDays) throws(Problem) -> TimeRange {
        let until = try moment("until") ?? now
        let from = try moment("from") ?? until - 3_600_000_000
        guard from < until else { throw refusal("from", "a time before until") }
        guard until - from <= mostDays * 86_400_000_000 else {
            throw refusal("from", "a time at most \(mostDays) days before until")
        }
        return TimeRange(from: from, until: until)
    }

    /// - Parameter expectation: ends the sentence "expected ...".
    func refusal(_ name: String, _ expectation: String) -> Problem {
        let value = escapingControls(String((values[name] ?? "").prefix(50)))
        return Problem(.badRequest, "\(name)=\(value): expected \(expectation)")
    }

    private static func decoded(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "+"): bytes.append(UInt8(ascii: " "))
            case UInt8(ascii: "%"):
                guard let high = rest.popFirst().flatMap(hexDigit), let low = rest.popFirst().flatMap(hexDigit) else {
                    return nil
                }
                bytes.append(high << 4 | low)
            default: bytes.append(byte)
            }
        }
        return String(validating: bytes, as: UTF8.self)
    }

    private static func hexDigit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 48...57: byte - 48
        case 65...70: byte - 55
        case 97...102: byte - 87
        default: nil
        }
    }
}
