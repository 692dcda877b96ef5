import Harness
import Simulation

/// What happens to a cluster, its consumers and their database, step by step: a value that follows from its seed.
struct Schedule: Sendable, CustomStringConvertible {
    /// One thing that happens. Partitions count from 0, brokers from 1, consumers from 1.
    enum Step: Sendable {
        /// Messages in batches of at most ten.
        case publish(Int, partition: Int)
        case transaction(Int, partition: Int, isCommitted: Bool)
        /// Every so many messages of a partition disappear.
        case compact(partition: Int, every: Int)
        case start(Int), stop(Int), kill(Int)
        case broker(Int, FaultyBroker.BrokerState, moving: Bool)
        case lead(partition: Int, broker: Int)
        /// A power cut: so much of the log is left, and then grows again by so many messages.
        case truncate(partition: Int, percent: Int, growth: Int)
        /// So much of the log's beginning is deleted.
        case deleteRecords(partition: Int, percent: Int)
        /// The topic is deleted and, a second later, created again with so many messages in each partition.
        case recreate(messages: Int)
        /// All that Kafka has gets stored.
        case settle
        /// A consumer is stopped for a while and goes on, maybe when the group has given its partitions to another one.
        case freeze(Int, milliseconds: Int)
        /// The same to all of them while their batches wait for a lock, until another one that is started has the same
        /// messages and waits, too. It is stopped then.
        case overtake(messages: Int)
        /// The consumers' sessions with the database are ended.
        case endSessions
        /// The server is started again, after a crash or in order.
        case restart(isCrash: Bool)
        /// Somebody else holds the table that each batch writes to.
        case lock(milliseconds: Int)
        /// The day of all readings is sealed as far as it is stored.
        case maintain
        /// A consumer's clock is set, also while it runs. What is from the future by it is rejected.
        case clock(Int, secondsAhead: Int)
        /// PostgreSQL's disk is full until the server has seen it, and some time longer.
        case fillDisk(milliseconds: Int)
        case pause(milliseconds: Int)
    }

    let seed: UInt64
    let brokers, partitions, consumers: Int
    /// Whether nothing is lost before it is known what is stored, so that the number of what is lost is known, too.
    let isExact: Bool
    private(set) var steps: [Step]

    init(seed: UInt64) {
        var planner = SchedulePlanner(seed: seed)
        planner.plan()
        self.seed = seed
        (brokers, partitions, consumers) = (planner.brokers, planner.partitions, planner.consumers)
        isExact = planner.isExact
        steps = planner.steps
        // With numbers of their own, so that the others stay as they are.
        var random = SplitMix64(seed: ~seed)
        for _ in 0..<Int.random(in: 2...5, using: &random) {
            insert(Self.databaseFault(consumers: consumers, &random), after: partitions, &random)
        }
        random = SplitMix64(seed: seed, stream: 1)
        for _ in 0..<Int.random(in: 1...3, using: &random) {
            insert(Self.clock(consumers: consumers, &random), after: partitions, &random)
        }
        guard Int.random(in: 0...2, using: &random) == 0 else { return }
        // It writes messages, so that what is stored is not certain behind it.
        let places = steps.indices.filter { if case .settle = steps[$0] { true } else { false } } + [steps.count]
        steps.insert(
            .fillDisk(milliseconds: .random(in: 0...3000, using: &random)),
            at: places[.random(in: 0..<places.count, using: &random)])
    }

    /// Many faults, in so many of each kind; Kafka loses nothing.
    init(seed: UInt64, _ amounts: FaultAmounts) {
        var planner = EndurancePlanner(seed: seed)
        planner.plan(amounts)
        self.seed = seed
        (brokers, partitions, consumers) = (planner.brokers, planner.partitions, planner.consumers)
        (isExact, steps) = (true, planner.steps)
    }

    /// Steps that somebody chose.
    init(partitions: Int, consumers: Int, steps: [Step]) {
        (seed, brokers, isExact) = (0, 1, true)
        (self.partitions, self.consumers, self.steps) = (partitions, consumers, steps)
    }

    private mutating func insert(_ step: Step, after first: Int, _ random: inout SplitMix64) {
        steps.insert(step, at: .random(in: first + 1...steps.count, using: &random))
    }

    /// Whether it is one of many faults.
    var isLong: Bool { steps.count > 100 }

    /// Whether it needs a clock that can be set for each consumer.
    var setsClocks: Bool { steps.contains { if case .clock = $0 { true } else { false } } }

    /// Whether it needs a disk of its own.
    var fillsDisk: Bool { steps.contains { if case .fillDisk = $0 { true } else { false } } }

    /// A consumer's clock: years slow, so that all readings are from the future, wrong by an hour, right, or years fast.
    static func clock(consumers: Int, _ random: inout SplitMix64) -> Step {
        let hours = [-20 * 8766, -1, 0, 0, 1, 20 * 8766]
        return .clock(
            .random(in: 1...consumers, using: &random),
            secondsAhead: hours[.random(in: 0..<hours.count, using: &random)] * 3600)
    }

    private static func databaseFault(consumers: Int, _ random: inout SplitMix64) -> Step {
        switch Int.random(in: 0...6, using: &random) {
        case 6: .overtake(messages: .random(in: 1...40, using: &random))
        case 0...1:
            .freeze(.random(in: 1...consumers, using: &random), milliseconds: .random(in: 500...7000, using: &random))
        case 2: .endSessions
        case 3: .restart(isCrash: .random(using: &random))
        case 4: .lock(milliseconds: .random(in: 100...3000, using: &random))
        default: .maintain
        }
    }

    var description: String {
        let lines = steps.enumerated().map { "    \($0.offset + 1). \($0.element)" }
        return """
            HEARTBEAT_TEST_SEED=\(seed): \(brokers) brokers, \(partitions) partitions, \(consumers) consumers, \
            \(isExact ? "exact" : "blind")
            \(lines.joined(separator: "\n"))
            """
    }
}
