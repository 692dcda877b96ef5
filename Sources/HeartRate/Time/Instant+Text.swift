extension Instant {
    /// The moment of a message's `timestamp`; nil when the text is none that a message may have.
    public init?(iso8601 text: Span<UInt8>) {
        guard let instant = Timestamp.parse(text) else { return nil }
        self = instant
    }
}

/// The 32 bytes of an `Instant`'s `iso8601`, inside the value: allocates nothing.
public struct ISO8601Text: Sendable {
    private var bytes = InlineArray<32, UInt8>(repeating: 0)

    /// The text of a moment.
    public init(_ instant: Instant) {
        var writer = ByteWriter(bytes.mutableSpan)
        instant.write(to: &writer)
    }

    /// `2026-02-19T15:53:03.123456+00:00`.
    public var utf8: Span<UInt8> {
        @_lifetime(borrow self)
        get { bytes.span }
    }
}
