/// A one-dimensional array in PostgreSQL's text form, `{1,"two",NULL}`: the manual's "Array Input and Output Syntax".
///
/// Depends on `array_nulls = on`, and as a literal on `standard_conforming_strings = on`: `SessionParameters` sets both.
public struct ArrayText {
    private var bytes: [UInt8] = [UInt8(ascii: "{")]
    private var hasApostrophe = false

    /// An empty array, with room for some bytes before it grows.
    public init(capacity: Int = 0) { bytes.reserveCapacity(capacity) }

    /// An array of these elements.
    public init(_ elements: some Sequence<some PostgreSQLParameter>) {
        for element in elements { append(element) }
    }

    /// An array of what each element has.
    public init<Element>(_ elements: [Element], _ value: (Element) -> some PostgreSQLParameter) {
        for element in elements { append(value(element)) }
    }

    /// Appends an element.
    public mutating func append<Value: PostgreSQLParameter>(_ value: Value) {
        separate()
        if Value.needsQuotes { bytes.append(Self.quote) }
        let start = bytes.count
        guard value.appendText(to: &bytes) else {
            if Value.needsQuotes { bytes.removeLast() }
            return bytes.append(contentsOf: "NULL".utf8)
        }
        guard Value.needsQuotes else { return }
        escape(from: start)
        bytes.append(Self.quote)
    }

    /// Appends a `text`, given as UTF-8.
    public mutating func append(utf8: ArraySlice<UInt8>) {
        separate()
        bytes.append(Self.quote)
        let start = bytes.count
        bytes.append(contentsOf: utf8)
        escape(from: start)
        bytes.append(Self.quote)
    }

    /// Appends a `bytea`.
    public mutating func append(bytea: ArraySlice<UInt8>) {
        separate()
        bytes.append(contentsOf: #""\\x"#.utf8)
        Hexadecimal.append(bytea, to: &bytes)
        bytes.append(Self.quote)
    }

    /// The array as text.
    public var text: String { String(decoding: bytes + [Self.end], as: UTF8.self) }

    /// The array as an SQL literal with its quotes.
    public var literal: String {
        var literal: [UInt8] = []
        literal.reserveCapacity(bytes.count + 3)
        literal.append(Self.apostrophe)
        if hasApostrophe {
            for byte in bytes {
                if byte == Self.apostrophe { literal.append(byte) }
                literal.append(byte)
            }
        } else {
            literal.append(contentsOf: bytes)
        }
        literal.append(Self.end)
        literal.append(Self.apostrophe)
        return String(decoding: literal, as: UTF8.self)
    }

    private mutating func separate() {
        if bytes.count > 1 { bytes.append(UInt8(ascii: ",")) }
    }

    /// Puts a backslash before each quote and backslash of the element that starts there.
    private mutating func escape(from start: Int) {
        var place = start
        if bytes[start...].contains(Self.apostrophe) { hasApostrophe = true }
        while let special = bytes[place...].firstIndex(where: { $0 == Self.quote || $0 == Self.backslash }) {
            bytes.insert(Self.backslash, at: special)
            place = special + 2
        }
    }

    private static let quote = UInt8(ascii: "\"")
    private static let backslash = UInt8(ascii: "\\")
    private static let apostrophe = UInt8(ascii: "'")
    private static let end = UInt8(ascii: "}")
}

extension ArrayText: PostgreSQLParameter {
    /// An array's text has braces.
    public static var needsQuotes: Bool { true }

    /// Appends the array's text.
    public func appendText(to text: inout [UInt8]) -> Bool {
        text.append(contentsOf: bytes)
        text.append(Self.end)
        return true
    }
}

/// Bytes in the text form of a `bytea` with `bytea_output = hex`, without its `\x`.
enum Hexadecimal {
    static func append(_ bytes: ArraySlice<UInt8>, to text: inout [UInt8]) {
        for byte in bytes {
            text.append(digit(byte >> 4))
            text.append(digit(byte & 15))
        }
    }

    private static func digit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
    }

    /// The bytes of `0a1b`; nil when the text is not of this form.
    static func bytes(_ text: Span<UInt8>) -> [UInt8]? {
        guard text.count.isMultiple(of: 2) else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count / 2)
        for place in stride(from: 0, to: text.count, by: 2) {
            guard let high = value(text[place]), let low = value(text[place + 1]) else { return nil }
            bytes.append(high << 4 | low)
        }
        return bytes
    }

    private static func value(_ digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        default: nil
        }
    }
}
