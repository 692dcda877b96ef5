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
            steps.insert(
                Self.databaseFault(consumers: consumers, &random),
                at: .random(in: partitions + 1...steps.count, using: &random))
        }
    }

    /// Steps that somebody chose.
    init(partitions: Int, consumers: Int, steps: [Step]) {
        (seed, brokers, isExact) = (0, 1, true)
        (self.partitions, self.consumers, self.steps) = (partitions, consumers, steps)
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

/// Chooses the steps. It knows who runs, so that each step makes sense.
private struct SchedulePlanner {
    private(set) var random: SplitMix64
    let brokers, partitions, consumers: Int
    let isExact: Bool
    private(set) var steps: [Schedule.Step] = []
    private var running: Set<Int> = []
    private var brokenBroker: Int?
    /// Whether Kafka has lost something, and no consumer has found it yet for certain.
    private var isPending = false

    init(seed: UInt64) {
        random = SplitMix64(seed: seed)
        brokers = .random(in: 1...3, using: &random)
        partitions = .random(in: 2...4, using: &random)
        consumers = .random(in: 1...2, using: &random)
        isExact = .random(using: &random)
    }

    mutating func plan() {
        for partition in 0..<partitions { steps.append(.publish(60, partition: partition)) }
        start(1)
        let count = number(8...15)
        for _ in 0..<count { choose() }
    }

    private mutating func choose() {
        switch number(0...22) {
        case 0...4: steps.append(.publish(number(1...100), partition: anyPartition()))
        case 5...7:
            // Aborted messages in the place of lost ones look as if compaction had removed these.
            let isCommitted = (isExact && isPending) || number(0...2) > 0
            steps.append(.transaction(number(1...10), partition: anyPartition(), isCommitted: isCommitted))
        case 8 where !(isExact && isPending):
            steps.append(.compact(partition: anyPartition(), every: number(2...9)))
        case 9...12: changeConsumers()
        case 13...15: changeBrokers()
        case 16: steps.append(.lead(partition: anyPartition(), broker: number(1...brokers)))
        case 17...19: truncate()
        case 20: recreate()
        case 21:
            makeCertain()
            steps.append(.deleteRecords(partition: anyPartition(), percent: number(10...90)))
            isPending = true
        default: settle()
        }
    }

    private mutating func changeConsumers() {
        let consumer = number(1...consumers)
        guard running.contains(consumer) else { return start(consumer) }
        running.remove(consumer)
        steps.append(.random(using: &random) ? .kill(consumer) : .stop(consumer))
    }

    private mutating func changeBrokers() {
        guard brokenBroker == nil else { return repair() }
        let broker = number(1...brokers)
        brokenBroker = broker
        let moves = brokers > 1 && .random(using: &random)
        steps.append(.broker(broker, .random(using: &random) ? .down : .silent, moving: moves))
    }

    private mutating func truncate() {
        makeCertain()
        if number(0...2) == 0 {
            for consumer in running.sorted() { steps.append(.stop(consumer)) }
            running = []
        }
        let growth = [0, 5, 20, 200][number(0...3)]
        steps.append(.truncate(partition: anyPartition(), percent: number(20...99), growth: growth))
        isPending = true
    }

    private mutating func recreate() {
        if isExact && isPending { settle() }
        // A client has to see that the topic is deleted.
        repair()
        steps.append(.recreate(messages: [0, 30, 150][number(0...2)]))
        isPending = true
    }

    /// Has what is stored be certain, where that is wanted: it is while no consumer runs.
    private mutating func makeCertain() {
        if isExact && (isPending || !running.isEmpty) { settle() }
    }

    private mutating func settle() {
        repair()
        if running.isEmpty { start(1) }
        steps.append(.settle)
        isPending = false
    }

    private mutating func repair() {
        guard let broker = brokenBroker else { return }
        steps.append(.broker(broker, .up, moving: false))
        brokenBroker = nil
    }

    private mutating func start(_ consumer: Int) {
        running.insert(consumer)
        steps.append(.start(consumer))
        // From before it has joined its group to its being in the midst of its work.
        steps.append(.pause(milliseconds: number(0...2500)))
    }

    private mutating func anyPartition() -> Int { number(0...partitions - 1) }
    private mutating func number(_ range: ClosedRange<Int>) -> Int { .random(in: range, using: &random) }
}
