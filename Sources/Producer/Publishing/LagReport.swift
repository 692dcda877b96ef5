/// Decides when the journal says that the messages come later than they are due.
///
/// Once when that begins, then at most once a minute, and once when it is over.
struct LagReport {
    /// What to say.
    enum Sentence: Equatable {
        /// How many nanoseconds late the messages come.
        case behind(Int64)
        /// They come when they are due again.
        case caughtUp
    }

    /// Less is not worth a line, in nanoseconds: 1 s.
    static let threshold: Int64 = 1_000_000_000
    /// Only below this it is over, in nanoseconds: 0.1 s.
    static let margin: Int64 = 100_000_000
    /// Between two lines, in nanoseconds: 60 s.
    static let pause: Int64 = 60_000_000_000

    /// When it was said last, as long as it is not over.
    private var saidAt: Int64?

    /// Whether it was said that the messages are behind, and not yet that they have caught up.
    var isBehind: Bool { saidAt != nil }

    /// - Parameters:
    ///   - lag: how late the messages are, in nanoseconds.
    ///   - now: nanoseconds since the start.
    mutating func observe(lag: Int64, at now: Int64) -> Sentence? {
        guard let last = saidAt else {
            guard lag >= Self.threshold else { return nil }
            saidAt = now
            return .behind(lag)
        }
        if lag < Self.margin {
            saidAt = nil
            return .caughtUp
        }
        guard now - last >= Self.pause else { return nil }
        saidAt = now
        return .behind(lag)
    }
}
