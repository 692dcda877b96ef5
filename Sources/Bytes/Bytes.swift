extension String {
    /// A copy of `bytes`; what is not UTF-8 becomes U+FFFD.
    public init(bytes: Span<UInt8>) {
        var copy: [UInt8] = []
        copy.reserveCapacity(bytes.count)
        for index in bytes.indices { copy.append(bytes[index]) }
        self = String(decoding: copy, as: UTF8.self)
    }
}

extension Span<UInt8> {
    /// The same bytes, untyped.
    @inlinable
    public var raw: RawSpan {
        @_lifetime(copy self)
        // Unsafe for types with padding, whose bytes need not be initialized; a byte has none.
        get { unsafe bytes }
    }

    /// Whether these are the bytes of `text`.
    @inlinable
    public func equals(_ text: String) -> Bool {
        let other = text.utf8.span
        guard count == other.count else { return false }
        // Not allSatisfy: in debug its closure is allocated.
        for index in 0..<count where self[index] != other[index] { return false }
        return true
    }
}

extension RawSpan {
    /// The byte at `offset`, which must be one of `byteOffsets`.
    @inlinable
    public subscript(offset: Int) -> UInt8 {
        // Checks the bounds; what is unsafe about it is only that a type could be loaded that has invalid values.
        unsafe unsafeLoad(fromByteOffset: offset, as: UInt8.self)
    }
}
