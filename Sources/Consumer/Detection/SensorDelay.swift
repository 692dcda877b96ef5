/// How far a sensor's clock is behind: what it sends now says an earlier time, and always by as much.
///
/// Old messages that are read after an outage, and those that a phone kept, come nearer to the present with each one. So
/// does a recording that is replayed faster than it was made.
struct SensorDelay {
    /// By how much messages take a longer or shorter way, in milliseconds.
    private static let tolerance: Int64 = 15_000
    /// How long it has to be the same, in milliseconds.
    private static let steadyTime: Int64 = 20_000
    /// A clock is behind by a time zone, or two; what is older than a day is a recording.
    private static let most: Int64 = 26 * 3_600_000

    /// Ten minutes: without this figure nothing older is told.
    private static let worthTelling: Int64 = 600_000

    /// In milliseconds.
    private var delay: Int64 = 0
    /// Since when it has been the same, in milliseconds since 1970; nil before the first message.
    private var since: Int64?
    private var lasted: Int64 = 0

    /// Takes a message that was sent at a time, so long after its time stamp.
    mutating func take(_ arrival: (at: Int64, delay: Int64)) {
        guard let since, abs(arrival.delay - delay) <= Self.tolerance, arrival.at >= since else {
            (delay, since, lasted) = (arrival.delay, arrival.at, 0)
            return
        }
        lasted = arrival.at - since
    }

    /// Whether that is so much that somebody should set the clock.
    var isWorthTelling: Bool { behind >= Self.worthTelling }

    /// By how many milliseconds the clock is behind, as far as that is known.
    var behind: Int64 { lasted >= Self.steadyTime && (0...Self.most).contains(delay) ? delay : 0 }
}
