import Kafka

/// Which of several brokers holds messages up, from librdkafka's figures of each second.
struct SilentBroker {
    /// Since when a broker has owed an answer, or has not been connected although messages wait for it; -1 for partitions
    /// without a leader.
    private var since: [Int32: ContinuousClock.Instant] = [:]
    /// In words; nil when every broker answers.
    private(set) var words: String?

    /// A broker answers within milliseconds; a group of brokers takes some seconds to replace one of them.
    private static let mostSilence: Duration = .seconds(5)

    mutating func update(_ statistics: KafkaStatistics, topic: String, at now: ContinuousClock.Instant) {
        let waiting = (statistics.topics[topic] ?? [:]).filter { $0.value.waiting > 0 }
        let leaders = Set(waiting.values.map(\.leader))
        var since: [Int32: ContinuousClock.Instant] = [:]
        if leaders.contains(-1) { since[-1] = self.since[-1] ?? now }
        for broker in statistics.brokers where broker.id >= 0 && !broker.isCoordinator {
            let silence = Duration.microseconds(broker.silence ?? 0)
            if broker.isUp ? broker.unanswered > 0 && silence > Self.mostSilence : leaders.contains(broker.id) {
                since[broker.id] = self.since[broker.id] ?? now - (broker.isUp ? silence : .zero)
            }
        }
        self.since = since
        let silent = since.filter { now - $0.value >= Self.mostSilence }.keys.max()
        if let broker = statistics.brokers.first(where: { $0.id == silent && !$0.isCoordinator && $0.id >= 0 }) {
            words = "broker \(broker.id) at \(broker.name) does not answer"
        } else if silent == -1 {
            let lost = waiting.filter { $0.value.leader == -1 }.keys.sorted().prefix(8).map { "\($0)" }
            words = "partitions \(lost.joined(separator: ", ")) have no leader"
        } else {
            words = nil
        }
    }
}
