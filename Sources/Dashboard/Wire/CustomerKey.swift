internal import HeartRate
internal import PostgreSQL

/// A customer's id, equal to another one when all bytes are, as in PostgreSQL.
///
/// `String` compares characters: "é" in one scalar and in two are equal there, and are two customers here. A `CustomerID`
/// has room for the longest id; this has no more than the id needs, so that 50,000 of them stay small.
struct CustomerKey: Sendable {
    /// The id, 1 to 50 scalars.
    let text: String

    init(_ text: String) { self.text = text }
}

extension CustomerKey: Hashable {
    static func == (one: CustomerKey, other: CustomerKey) -> Bool { one.text.utf8.elementsEqual(other.text.utf8) }

    func hash(into hasher: inout Hasher) {
        for byte in text.utf8 { hasher.combine(byte) }
    }
}

extension CustomerKey: ExpressibleByStringLiteral {
    init(stringLiteral text: String) { self.init(text) }
}

extension CustomerKey: Encodable {
    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }
}

extension CustomerKey: PostgreSQLValue {
    init?(postgreSQLText text: Span<UInt8>) {
        guard let text = String(postgreSQLText: text) else { return nil }
        self.init(text)
    }
}

extension CustomerKey: PostgreSQLParameter {
    static var needsQuotes: Bool { true }

    func appendText(to text: inout [UInt8]) -> Bool { self.text.appendText(to: &text) }
}
