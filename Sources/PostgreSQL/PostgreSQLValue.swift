/// A value that a row can be read as, from PostgreSQL's text form.
///
/// An optional reads NULL, every other type refuses it.
public protocol PostgreSQLValue {
    /// What NULL is read as; nil when it is refused.
    static var null: Self? { get }

    /// Reads the text form in UTF-8; nil when the text is not of this type.
    init?(postgreSQLText text: Span<UInt8>)
}

extension PostgreSQLValue {
    /// NULL is refused.
    public static var null: Self? { nil }
}

extension PostgreSQLValue where Self: FixedWidthInteger {
    /// Reads decimal digits with a sign or without.
    public init?(postgreSQLText text: Span<UInt8>) {
        let isNegative = text.count > 0 && text[0] == UInt8(ascii: "-")
        var value: Self = 0
        let start = isNegative ? 1 : 0
        guard text.count > start else { return nil }
        for place in start..<text.count {
            let byte = text[place]
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
            let digit = Self(truncatingIfNeeded: byte - UInt8(ascii: "0"))
            let (product, isTooLarge) = value.multipliedReportingOverflow(by: 10)
            // Towards the sign from the start, so that the smallest number has its place.
            let (sum, isBeyond) =
                isNegative ? product.subtractingReportingOverflow(digit) : product.addingReportingOverflow(digit)
            guard !isTooLarge, !isBeyond else { return nil }
            value = sum
        }
        self = value
    }
}

extension Int: PostgreSQLValue {}
extension Int64: PostgreSQLValue {}
extension Int32: PostgreSQLValue {}
extension Int16: PostgreSQLValue {}

extension Bool: PostgreSQLValue {
    /// Reads `t` or `f`.
    public init?(postgreSQLText text: Span<UInt8>) {
        guard text.count == 1 else { return nil }
        switch text[0] {
        case UInt8(ascii: "t"): self = true
        case UInt8(ascii: "f"): self = false
        default: return nil
        }
    }
}

extension String: PostgreSQLValue {
    /// Reads any text.
    public init?(postgreSQLText text: Span<UInt8>) {
        self = unsafe text.withUnsafeBufferPointer { unsafe String(decoding: $0, as: UTF8.self) }
    }
}

extension Array: PostgreSQLValue where Element == UInt8 {
    /// Reads a `bytea`, which is `\x0a1b` with `bytea_output = hex`.
    public init?(postgreSQLText text: Span<UInt8>) {
        guard text.count >= 2, text[0] == UInt8(ascii: "\\"), text[1] == UInt8(ascii: "x"),
            let bytes = Hexadecimal.bytes(text.extracting(droppingFirst: 2))
        else { return nil }
        self = bytes
    }
}

extension Optional: PostgreSQLValue where Wrapped: PostgreSQLValue {
    /// NULL is nil.
    public static var null: Self? { .some(nil) }

    /// Reads the value that is there.
    public init?(postgreSQLText text: Span<UInt8>) {
        guard let value = Wrapped(postgreSQLText: text) else { return nil }
        self = value
    }
}

/// The expression for a `timestamptz` as whole microseconds since 1970-01-01T00:00:00Z, to be read as `Int64`.
///
/// Arithmetic on the instant: neither the session's time zone nor its DateStyle has a say. `extract` is exact for every
/// year, a double of `date_part` is not after 2255.
public func microseconds(of expression: String) -> String {
    "(extract(epoch FROM \(expression)) * 1000000)::bigint"
}
