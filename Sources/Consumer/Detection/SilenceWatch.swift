import Daemon
import Kafka

/// Finds out whether customers are silent or only we are behind: everything that Kafka had at some moment has to have
/// gathered before a signal counts as lost. Where the partitions ended at that moment is in what their leaders answered.
struct SilenceWatch {
    private var lastAsked = ContinuousClock.now
    /// Where the partitions ended, and at which moment, in milliseconds of the monotonic clock.
    private var asked: (at: Int64, ends: [Int32: Int64])?
    /// Since when silence counts; nil as long as Kafka is away.
    private var since: Int64? = 0
    /// Whether the writer has seen somebody silent.
    var isDue = false

    /// When Kafka is back, those who publish need some time to notice: librdkafka up to 10 s
    /// (`reconnect.backoff.max.ms`).
    private static let returnMilliseconds: Int64 = 15_000
    /// A leader's last answer may be one to another question: a fetch is answered within `fetch.wait.max.ms`.
    private static let fetchMilliseconds: Int64 = 1000

    /// For a new assignment.
    mutating func reset() {
        asked = nil
        isDue = false
    }

    /// - Parameters:
    ///   - positions: the next offset of each partition that has not gathered.
    ///   - isComplete: whether these are all.
    /// - Returns: the moment at which silence is to be judged, when everything has gathered that Kafka had then.
    mutating func update(
        _ positions: [Position], isComplete: Bool, health: KafkaHealth, isKafkaAway: Bool
    ) -> SilenceMoment? {
        if isKafkaAway {
            since = nil
            asked = nil
        }
        if let asked {
            // Who is so far behind asks again.
            if lastAsked.duration(to: .now) > .seconds(10) { self.asked = nil }
            guard let since, positions.allSatisfy({ $0.offset >= asked.ends[$0.partition] ?? .max }) else { return nil }
            reset()
            return SilenceMoment(at: asked.at, since: since)
        }
        guard isDue, isComplete, !positions.isEmpty, lastAsked.duration(to: .now) >= .seconds(1) else { return nil }
        lastAsked = .now
        let now = monotonicMilliseconds()
        var ends: [Int32: Int64] = [:]
        var oldest = Duration.zero
        for position in positions {
            // What is not known is looked at again; a while of that is like Kafka being away.
            guard let (offset, age) = health.end(of: position.partition, at: .now) else {
                if health.lastKnown.duration(to: .now) > .seconds(5) { since = nil }
                return nil
            }
            ends[position.partition] = offset
            oldest = max(oldest, age)
        }
        if since == nil { since = now + Self.returnMilliseconds }
        asked = (now - Int64(oldest / .milliseconds(1)) - Self.fetchMilliseconds, ends)
        return nil
    }
}
