/// Writes short texts into bytes that were lent: no allocation, and nothing beyond the end is ever touched.
///
/// Writing more than the bytes can hold is a bug in this program and traps, as an array's subscript does.
public struct ByteWriter: ~Copyable, ~Escapable {
    private var bytes: MutableSpan<UInt8>
    /// How many bytes have been written.
    public private(set) var count = 0

    /// A writer that starts at the first of the lent bytes.
    @_lifetime(copy bytes)
    public init(_ bytes: consuming MutableSpan<UInt8>) {
        self.bytes = bytes
    }

    /// Appends one byte.
    @_lifetime(self: copy self)
    public mutating func append(_ byte: UInt8) {
        bytes[count] = byte
        count += 1
    }

    /// Appends a copy of `other`.
    @_lifetime(self: copy self)
    public mutating func append(_ other: Span<UInt8>) {
        for index in other.indices { bytes[count + index] = other[index] }
        count += other.count
    }

    /// Appends the UTF-8 of `text`.
    @_lifetime(self: copy self)
    public mutating func append(_ text: String) {
        append(text.utf8.span)
    }

    /// Appends the last `width` decimal digits of `value`, with leading zeros.
    @_lifetime(self: copy self)
    public mutating func append(_ value: Int, width: Int) {
        var rest = UInt64(value.magnitude)
        var index = count + width
        while index > count {
            index -= 1
            let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
            bytes[index] = .init(ascii: "0") + UInt8(truncatingIfNeeded: digit)
            rest = quotient
        }
        count += width
    }

    /// Appends `value` in decimal.
    @_lifetime(self: copy self)
    public mutating func append(_ value: Int) {
        if value < 0 { append(.init(ascii: "-")) }
        var width = 1
        var rest = value.magnitude / 10
        while rest > 0 {
            width += 1
            rest /= 10
        }
        append(value, width: width)
    }
}
