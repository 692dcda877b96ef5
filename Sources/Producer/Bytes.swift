extension Span<UInt8> {
    /// The same bytes, untyped.
    var raw: RawSpan {
        @_lifetime(copy self)
        // Unsafe for types with padding, whose bytes need not be initialized; a byte has none.
        get { unsafe bytes }
    }
}
