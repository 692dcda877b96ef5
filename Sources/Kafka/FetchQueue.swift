/// What librdkafka's queue of fetched messages needs: a value that looks at its length now and then.
///
/// The thread of a broker that finds the queue full looks at it again after a second in librdkafka before 2.2. A queue of
/// less than a second's messages is empty long before, so the thread has to be woken when nothing has come for a while.
/// A longer queue would take 200 MB where 70 are enough.
struct FetchQueue {
    /// What to do now.
    enum Need {
        /// Have more fetched.
        case more
        /// Give the memory back that messages took.
        case lessMemory
    }

    /// How often to look, in messages.
    static let interval = 100
    /// How long nothing may come while the queue gets shorter, in milliseconds; a fetch takes a few.
    static let mostMilliseconds: Int32 = 20
    /// What may come at once without any backlog.
    private static let least = 200
    /// This number of messages takes memory that is worth giving back.
    private static let large = 10_000
    private static let largeEndsAfter: Duration = .seconds(10)

    private var most = 0
    private var last = 0
    /// When it became longer, or more was asked for.
    private var changed = ContinuousClock.now
    private var lastLarge: ContinuousClock.Instant?

    /// Whether there may be more in Kafka although nothing comes.
    var isShrinking: Bool { most >= Self.least }

    /// - Parameter count: how many messages wait in the queue.
    mutating func look(_ count: Int, at now: ContinuousClock.Instant) -> Need? {
        if count > last { changed = now }
        last = count
        most = max(most, count)
        if count >= Self.large { lastLarge = now }
        if isShrinking, count < most / 2, changed.duration(to: now) >= .milliseconds(Self.mostMilliseconds) {
            changed = now
            most = count
            return .more
        }
        if let large = lastLarge, large.duration(to: now) >= Self.largeEndsAfter {
            lastLarge = nil
            return .lessMemory
        }
        return nil
    }
}
