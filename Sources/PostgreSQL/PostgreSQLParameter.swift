/// A value that goes to PostgreSQL in its text form: as a statement's parameter, or as an element of an array.
public protocol PostgreSQLParameter {
    /// Whether the text form may have characters that are special in an array, so that it needs quotes there.
    static var needsQuotes: Bool { get }

    /// Appends the text form in UTF-8.
    ///
    /// - Returns: false for NULL, with nothing appended.
    func appendText(to text: inout [UInt8]) -> Bool
}

extension PostgreSQLParameter {
    /// The text form; nil for NULL.
    var text: String? {
        var text: [UInt8] = []
        return appendText(to: &text) ? String(decoding: text, as: UTF8.self) : nil
    }
}

extension PostgreSQLParameter where Self: FixedWidthInteger {
    /// Digits and a sign need no quotes.
    public static var needsQuotes: Bool { false }

    /// Appends decimal digits.
    public func appendText(to text: inout [UInt8]) -> Bool {
        text.append(contentsOf: description.utf8)
        return true
    }
}

extension Int: PostgreSQLParameter {}
extension Int64: PostgreSQLParameter {}
extension Int32: PostgreSQLParameter {}
extension Int16: PostgreSQLParameter {}

extension Bool: PostgreSQLParameter {
    /// `t` and `f` need no quotes.
    public static var needsQuotes: Bool { false }

    /// Appends `t` or `f`.
    public func appendText(to text: inout [UInt8]) -> Bool {
        text.append(UInt8(ascii: self ? "t" : "f"))
        return true
    }
}

extension String: PostgreSQLParameter {
    /// A text may have anything.
    public static var needsQuotes: Bool { true }

    /// Appends the text as it is.
    public func appendText(to text: inout [UInt8]) -> Bool {
        text.append(contentsOf: utf8)
        return true
    }
}

extension Optional: PostgreSQLParameter where Wrapped: PostgreSQLParameter {
    /// As the value that is there.
    public static var needsQuotes: Bool { Wrapped.needsQuotes }

    /// Appends the value that is there; nil is NULL.
    public func appendText(to text: inout [UInt8]) -> Bool { self?.appendText(to: &text) ?? false }
}
