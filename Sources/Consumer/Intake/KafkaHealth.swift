import Kafka

/// How Kafka is, out of librdkafka's statistics and the errors of partitions, without asking anybody.
struct KafkaHealth {
    private var statistics = KafkaStatistics(brokers: [], topics: [:])
    private var takenAt: ContinuousClock.Instant?
    private let topic: String
    /// When some broker has said something last; at first the start.
    private var lastAnswer: ContinuousClock.Instant
    /// How many fetches each broker was sent, when it was seen that one more was, and that one more was answered.
    private var fetches: [Int32: (count: Int, sent: ContinuousClock.Instant, answered: ContinuousClock.Instant)] = [:]
    /// The brokers that lead the partitions, or have led them last.
    private var leaders: [Int32: Int32] = [:]
    /// Whether some leader is silent, lost, or was replaced just now: those who publish have to notice that, too.
    private(set) var isUnsettled = false
    /// Whether the group has said which partitions are read here.
    var isAssigned = false
    /// When it was first seen that Kafka is waited for; nil when it is not.
    private var waitsSince: ContinuousClock.Instant?
    /// What cannot be read although brokers answer, by partition; -1 for the group and the topic as such.
    private var troubles: [Int32: String] = [:]
    /// Where partitions ended when that was known last, and when.
    private var recentEnds: [Int32: (offset: Int64, at: ContinuousClock.Instant)] = [:]
    /// When everything that is read was known to be well.
    private(set) var lastKnown: ContinuousClock.Instant

    /// No broker answers when none has said anything for so long; the group's heartbeat is answered every 3 s.
    static let mostSilence: Duration = .seconds(7)
    /// The same while the group is being joined, which is answered when all others have joined or their session is over.
    static let mostJoining: Duration = .seconds(20)
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
        let known = statistics.topics[topic] ?? [:]
        for broker in statistics.brokers where broker.id >= 0 && !broker.isCoordinator {
            countFetches(of: broker, at: now)
        }
        isUnsettled = known.contains { $0.value.isFetched && isUnsettled($0.key, leader: $0.value.leader, at: now) }
        for (partition, known) in known where known.leader >= 0 { leaders[partition] = known.leader }
        for partition in known.keys {
            if let end = end(of: partition, at: now) { recentEnds[partition] = (end.offset, now) }
        }
    }

    private func isUnsettled(_ partition: Int32, leader: Int32, at now: ContinuousClock.Instant) -> Bool {
        // A leader that was never asked is no change.
        guard let last = leaders[partition], fetches[last].map({ $0.count > 0 }) ?? false else { return false }
        return leader != last || self.leader(of: partition).map { isSilent($0, at: now) } ?? true
    }

    /// A fetch that is sent says that the one before was answered, unless that was so long ago that it has expired.
    private mutating func countFetches(of broker: KafkaStatistics.Connection, at now: ContinuousClock.Instant) {
        guard let (count, sent, answered) = fetches[broker.id] else {
            let then = now - .microseconds(broker.silence ?? 0)
            fetches[broker.id] = (broker.fetches, then, then)
            return
        }
        guard broker.fetches > count else { return }
        let isAnswered = broker.fetches > count + 1 || now - sent < Self.mostLeaderSilence
        fetches[broker.id] = (broker.fetches, now, isAnswered ? now : answered)
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

    /// Whether no broker answers; one that is connected and asked nothing need not.
    func isAway(at now: ContinuousClock.Instant) -> Bool {
        silence(at: now) > (isAssigned ? Self.mostSilence : Self.mostJoining)
            && !statistics.brokers.contains { $0.isUp && $0.unanswered == 0 && !$0.isCoordinator }
    }

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
        return connection(to: known.leader).flatMap { $0.isUp ? $0 : nil }
    }

    private func connection(to broker: Int32) -> KafkaStatistics.Connection? {
        statistics.brokers.first { $0.id == broker && !$0.isCoordinator }
    }

    /// Whether it owes an answer to a fetch for too long, whatever else it answers.
    private func isSilent(_ broker: KafkaStatistics.Connection, at now: ContinuousClock.Instant) -> Bool {
        guard broker.unanswered > 0, let last = fetches[broker.id]?.answered else { return false }
        return now - last > Self.mostLeaderSilence
    }

    /// Where a partition ends, and how long ago its leader said so; nil when that is not known.
    func end(of partition: Int32, at now: ContinuousClock.Instant) -> (offset: Int64, age: Duration)? {
        guard let takenAt, now - takenAt < .seconds(5), troubles[partition] == nil, troubles[-1] == nil,
            let known = statistics.topics[topic]?[partition], known.isFetched, known.end >= 0,
            let leader = leader(of: partition), !isSilent(leader, at: now), let last = fetches[leader.id]?.answered
        else { return nil }
        return (known.end, now - last)
    }

    /// Where a partition ended some seconds ago, for a while in which it is not fetched on purpose.
    func recentEnd(of partition: Int32, at now: ContinuousClock.Instant) -> Int64? {
        recentEnds[partition].flatMap { now - $0.at < .seconds(10) ? $0.offset : nil }
    }

    /// Why it is not known how these partitions are: a sentence's part; nil when it is known.
    func doubt(about partitions: [Int32], examined: [Int32], at now: ContinuousClock.Instant) -> String? {
        if let trouble { return trouble }
        if !examined.isEmpty { return "the logs of partitions \(list(examined)) are being examined" }
        if !isAssigned { return coordinatorDoubt(at: now) }
        let unknown = partitions.filter { end(of: $0, at: now) == nil }
        guard !unknown.isEmpty else { return nil }
        let broken = Dictionary(grouping: unknown) { leaders[$0] ?? -1 }.filter { id, _ in
            connection(to: id).map { $0.id >= 0 && (!$0.isUp || isSilent($0, at: now)) } ?? false
        }
        if let (id, waiting) = broken.max(by: { $0.value.count < $1.value.count }), let broker = connection(to: id) {
            return "broker \(id) at \(broker.name) does not answer: \(waiting.count) partitions wait for it"
        }
        let lost = unknown.filter { statistics.topics[topic]?[$0]?.leader ?? -1 < 0 }
        return lost.isEmpty
            ? "partitions \(list(unknown)) have not answered yet" : "partitions \(list(lost)) have no leader"
    }

    /// Why the group has not said which partitions are read here.
    private func coordinatorDoubt(at now: ContinuousClock.Instant) -> String {
        guard let broker = statistics.brokers.first(where: \.isCoordinator), !broker.isUp || broker.unanswered > 0
        else {
            return "the group has not given partitions yet"
        }
        if broker.name.isEmpty { return "the group has no coordinator" }
        return "the group's coordinator at \(broker.name) does not answer"
    }

    /// Notes that all is known now.
    mutating func isKnown(at now: ContinuousClock.Instant) { lastKnown = now }

    private func list(_ partitions: [Int32]) -> String {
        let most = 8
        let numbers = partitions.sorted().prefix(most).map { String($0) }.joined(separator: ", ")
        return partitions.count > most ? "\(numbers), ..." : numbers
    }
}
