import HeartRate

/// Whether this machine's clock may be the one that is wrong: nobody's readings are of now, and all that were rejected
/// because they are ahead of it are so by the same time.
struct ClockDoubt {
    /// What was rejected since the last judgement: how often, and how far ahead it was at least and at most.
    private var rejected = 0
    private var least = Microseconds(.max)
    private var most = Microseconds(.min)
    /// Readings that were taken within the allowed skew of now.
    private var agreeing = 0
    private let skew: Microseconds

    /// - Parameter skew: how far ahead of this machine's clock a reading may be.
    init(skew: Microseconds) { self.skew = skew }

    /// A reading was stored. Old ones, as of a recording, say nothing of the clock.
    mutating func stored(_ recordedAt: Instant, at now: Instant) {
        if recordedAt.microsecondsSince1970 > now.microsecondsSince1970 - skew.count { agreeing += 1 }
    }

    /// A message was rejected because it is ahead of this machine's clock.
    mutating func rejected(ahead: Microseconds) {
        rejected += 1
        least = min(least, ahead)
        most = max(most, ahead)
    }

    /// Judges what came since the last judgement.
    ///
    /// - Returns: how many messages were rejected, and how far ahead they are; nil when that says nothing of the clock.
    mutating func judge() -> (messages: Int, seconds: Int)? {
        defer { self = ClockDoubt(skew: skew) }
        // Messages that had to wait in Kafka are less far ahead than others.
        guard rejected > 0, agreeing == 0, most.count - least.count <= max(30_000_000, most.count / 10) else {
            return nil
        }
        return (rejected, most.seconds)
    }
}
