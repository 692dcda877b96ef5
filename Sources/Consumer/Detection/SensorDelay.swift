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

    /// Since when it has been the same, in milliseconds since 1970; `.max` before the first message.
    private var since = Int64.max
    /// In milliseconds; of what is longer than three weeks nobody asks by how much.
    private var delay: Int32 = 0
    /// Whether it has been the same for long enough.
    private var isSteady = false

    /// Takes a message that was sent at a time, so long after its time stamp.
    mutating func take(_ arrival: (at: Int64, delay: Int64)) {
        let new = Int32(clamping: arrival.delay)
        guard abs(Int64(new) - Int64(delay)) <= Self.tolerance, arrival.at >= since else {
            (since, delay, isSteady) = (arrival.at, new, false)
            return
        }
        isSteady = arrival.at - since >= Self.steadyTime
    }

    /// Whether that is so much that somebody should set the clock.
    var isWorthTelling: Bool { behind >= Self.worthTelling }

    /// By how many milliseconds the clock is behind, as far as that is known.
    var behind: Int64 { isSteady && (0...Self.most).contains(Int64(delay)) ? Int64(delay) : 0 }
}
