import Harness
import Simulation

/// Chooses the steps of a schedule. It knows who runs, so that each step makes sense.
struct SchedulePlanner {
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
