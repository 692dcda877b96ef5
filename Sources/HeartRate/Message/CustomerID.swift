import Bytes

/// The name of a customer: 1 to 50 characters, none of them NUL.
///
/// A character is a Unicode scalar here, because that is what PostgreSQL's `varchar(50)` counts; NUL is the one
/// scalar that PostgreSQL's `text` cannot hold. The bytes stand inside the value: copying one allocates nothing.
public struct CustomerID: Sendable {
    /// The most characters, as in `customers.customer_id varchar(50)`.
    public static let maximumCharacters = 50

    /// 50 scalars of 4 bytes, the longest that UTF-8 has. The bytes after `length` are zero.
    private var bytes: InlineArray<200, UInt8>
    private var length: UInt8

    /// Why some text is no customer id.
    public enum Invalid: Error, Hashable, Sendable {
        /// No characters at all.
        case empty
        /// More than 50 characters; says how many.
        case tooLong(characters: Int)
        /// Contains U+0000.
        case containsNUL
        /// Its bytes are not UTF-8.
        case notUTF8
    }

    /// Takes `text` as the id.
    public init(_ text: String) throws(Invalid) {
        self = try Self(valid: text.utf8.span)
    }

    /// Takes `utf8` as the id, after checking that it is UTF-8.
    public init(utf8: Span<UInt8>) throws(Invalid) {
        do { _ = try UTF8Span(validating: utf8) } catch { throw .notUTF8 }
        self = try Self(valid: utf8)
    }

    /// The id of a simulated customer, who are counted from 1: `cust_0001`, `cust_10000`.
    public init(simulated number: Int) {
        bytes = InlineArray(repeating: 0)
        var writer = ByteWriter(bytes.mutableSpan)
        writer.append("cust_")
        if (0...999).contains(number) { writer.append(number, width: 4) } else { writer.append(number) }
        length = UInt8(writer.count)
    }

    /// Takes bytes that are known to be UTF-8.
    @inline(__always)
    init(valid utf8: Span<UInt8>) throws(Invalid) {
        if utf8.isEmpty { throw .empty }
        var characters = 0
        var containsNUL = false
        for index in utf8.indices {
            // Every scalar has exactly one byte that is not a continuation, 0b10xxxxxx.
            if utf8[index] & 0xC0 != 0x80 { characters += 1 }
            if utf8[index] == 0 { containsNUL = true }
        }
        if characters > Self.maximumCharacters { throw .tooLong(characters: characters) }
        if containsNUL { throw .containsNUL }
        bytes = InlineArray(repeating: 0)
        for index in utf8.indices { bytes[index] = utf8[index] }
        length = UInt8(utf8.count)
    }

    /// The id's UTF-8, 1 to 200 bytes.
    public var utf8: Span<UInt8> {
        @_lifetime(borrow self)
        get { bytes.span.extracting(first: Int(length)) }
    }
}

extension CustomerID: Hashable {
    /// Whether both have the same bytes; no Unicode normalization, as in PostgreSQL.
    public static func == (one: CustomerID, other: CustomerID) -> Bool {
        guard one.length == other.length else { return false }
        for index in 0..<Int(one.length) where one.bytes[index] != other.bytes[index] { return false }
        return true
    }

    /// Feeds the bytes to `hasher`.
    public func hash(into hasher: inout Hasher) {
        // Hasher has no way to take a Span; the pointer does not leave the closure.
        unsafe utf8.withUnsafeBytes { unsafe hasher.combine(bytes: $0) }
    }
}

extension CustomerID: CustomStringConvertible {
    /// The id as a string.
    public var description: String { String(bytes: utf8) }
}
