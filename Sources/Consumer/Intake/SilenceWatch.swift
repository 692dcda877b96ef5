import Daemon
import Kafka

/// Finds out whether customers are silent or only we are behind: before a signal counts as lost, Kafka is asked where its
/// partitions end, and everything up to there has to have gathered.
struct SilenceWatch {
    private var lastAsked = ContinuousClock.now
    /// Where the partitions ended, and when that was asked, in milliseconds of the monotonic clock.
    private var asked: (at: Int64, ends: [Int32: Int64])?
    /// Since when silence counts; nil as long as Kafka is away.
    private var since: Int64? = 0

    /// When Kafka is back, those who publish need some time to notice: librdkafka up to 10 s
    /// (`reconnect.backoff.max.ms`).
    private static let returnMilliseconds: Int64 = 15_000

    /// For a new assignment.
    mutating func reset() { asked = nil }

    /// - Parameter positions: the next offset of each partition that has not gathered.
    mutating func update(
        _ positions: [Position], exchange: BatchExchange, consumer: KafkaConsumer, of topic: String,
        isKafkaAway: Bool
    ) {
        if isKafkaAway {
            since = nil
            asked = nil
        }
        if let asked {
            if let since, positions.allSatisfy({ $0.offset >= asked.ends[$0.partition] ?? .max }) {
                exchange.judgeSilence(SilenceMoment(at: asked.at, since: since))
                self.asked = nil
            }
            // Who is so far behind asks again.
            if lastAsked.duration(to: .now) > .seconds(10) { self.asked = nil }
            return
        }
        guard !positions.isEmpty, lastAsked.duration(to: .now) >= .seconds(1), exchange.isSilenceDue else { return }
        lastAsked = .now
        let moment = monotonicMilliseconds()
        var ends: [Int32: Int64] = [:]
        for position in positions {
            let partition = TopicPartition(topic: topic, partition: position.partition)
            // Without an answer nobody knows: it is asked again.
            guard let found = try? consumer.cluster.watermarks(of: partition, withinMilliseconds: 1000) else {
                since = nil
                return
            }
            ends[position.partition] = found.high
        }
        if since == nil { since = moment + Self.returnMilliseconds }
        asked = (moment, ends)
    }
}
