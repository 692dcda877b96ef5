import Kafka

/// How Kafka is, out of librdkafka's statistics and the errors of partitions, without asking anybody.
struct KafkaHealth {
    private var statistics = KafkaStatistics(brokers: [], topics: [:])
    private var takenAt: ContinuousClock.Instant?
    private let topic: String
    /// When some broker has said something last; at first the start.
    private var lastAnswer: ContinuousClock.Instant
    /// When it was first seen that Kafka is waited for; nil when it is not.
    private var waitsSince: ContinuousClock.Instant?
    /// What cannot be read although brokers answer, by partition; -1 for the group and the topic as such.
    private var troubles: [Int32: String] = [:]
    /// When everything that is read was known to be well.
    private(set) var lastKnown: ContinuousClock.Instant

    /// Kafka is away when no broker has said anything for so long; the group's heartbeat is answered every 3 s.
    static let mostSilence: Duration = .seconds(7)
    /// A leader that owes an answer for so long says nothing of its partitions any more; a fetch is answered every 0.5 s.
    private static let mostLeaderSilence: Duration = .seconds(5)

    init(_ topic: String, at now: ContinuousClock.Instant) {
        self.topic = topic
        lastAnswer = now
        lastKnown = now
    }

    mutating func take(_ statistics: KafkaStatistics, at now: ContinuousClock.Instant) {
        self.statistics = statistics
        takenAt = now
        // A connection that is made again says nothing of the time before.
        if let least = statistics.brokers.compactMap(\.silence).min() {
            lastAnswer = max(lastAnswer, now - .microseconds(least))
        }
    }

    // MARK: - Troubles

    /// What cannot be read, and why; nil when nothing is known against it.
    var trouble: String? { troubles.min { $0.key < $1.key }?.value }

    mutating func failed(_ partition: Int32, _ cause: String) { troubles[partition] = cause }
    mutating func answered(_ partition: Int32) {
        guard !troubles.isEmpty else { return }
        troubles[partition] = nil
        troubles[-1] = nil
    }
    mutating func forgetTroubles() { troubles = [:] }

    // MARK: - Brokers

    /// How long no broker has said anything.
    func silence(at now: ContinuousClock.Instant) -> Duration { now - lastAnswer }

    /// Whether Kafka need not be waited for any longer: some broker has answered since that was first seen. An answer from
    /// before the trouble says nothing.
    mutating func hasAnswered(whileWaiting isWaiting: Bool, at now: ContinuousClock.Instant) -> Bool {
        guard isWaiting else {
            waitsSince = nil
            return false
        }
        let since = waitsSince ?? now
        waitsSince = since
        guard trouble == nil, lastAnswer > since, statistics.brokers.contains(where: \.isUp) else { return false }
        waitsSince = nil
        return true
    }

    /// The broker that leads a partition, when it is connected.
    func leader(of partition: Int32) -> KafkaStatistics.Connection? {
        guard let known = statistics.topics[topic]?[partition], known.leader >= 0 else { return nil }
        return statistics.brokers.first { $0.id == known.leader && $0.isUp }
    }

    private func isSilent(_ broker: KafkaStatistics.Connection, at now: ContinuousClock.Instant) -> Bool {
        guard broker.unanswered > 0 else { return false }
        return Duration.microseconds(broker.silence ?? .max / 2) + (now - (takenAt ?? now)) > Self.mostLeaderSilence
    }

    /// Where a partition ends, and how long ago its leader said so; nil when that is not known.
    func end(of partition: Int32, at now: ContinuousClock.Instant) -> (offset: Int64, age: Duration)? {
        guard let takenAt, now - takenAt < .seconds(5), troubles[partition] == nil, troubles[-1] == nil,
            let known = statistics.topics[topic]?[partition], known.isFetched, known.end >= 0,
            let leader = leader(of: partition), !isSilent(leader, at: now)
        else { return nil }
        return (known.end, .microseconds(leader.silence ?? 0) + (now - takenAt))
    }

    /// Why it is not known how these partitions are: a sentence's part; nil when it is known.
    func doubt(about partitions: [Int32], examined: [Int32], at now: ContinuousClock.Instant) -> String? {
        if let trouble { return trouble }
        if !examined.isEmpty { return "the logs of partitions \(list(examined)) are being examined" }
        let unknown = partitions.filter { end(of: $0, at: now) == nil }
        guard !unknown.isEmpty else { return nil }
        let leaders = Dictionary(grouping: unknown) { statistics.topics[topic]?[$0]?.leader ?? -1 }
        let broken = leaders.filter { id, _ in
            guard let broker = statistics.brokers.first(where: { $0.id == id }) else { return false }
            return !broker.isUp || isSilent(broker, at: now)
        }
        guard let (id, mute) = broken.max(by: { $0.value.count < $1.value.count }),
            let broker = statistics.brokers.first(where: { $0.id == id })
        else { return "partitions \(list(unknown)) have not answered yet" }
        return "broker \(id) at \(broker.name) does not answer: \(mute.count) partitions wait for it"
    }

    /// Notes that all is known now.
    mutating func isKnown(at now: ContinuousClock.Instant) { lastKnown = now }

    private func list(_ partitions: [Int32]) -> String {
        let most = 8
        let numbers = partitions.sorted().prefix(most).map { String($0) }.joined(separator: ", ")
        return partitions.count > most ? "\(numbers), ..." : numbers
    }
}
