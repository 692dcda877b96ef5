import Harness
import Simulation

/// How many faults of each kind.
struct FaultAmounts {
    /// Consumers that are killed.
    var kills = 0
    /// PostgreSQL's restarts, in order or as after a crash.
    var restarts = 0
    /// Consumers that leave the group and come back, or do not answer for so long that it goes on without them.
    var rebalances = 0
    /// Brokers that refuse connections, do not answer, or cannot be reached.
    var brokerFaults = 0
    /// Clocks of consumers that jump.
    var clocks = 0
    /// PostgreSQL's disks that are full.
    var fullDisks = 0
    /// Runs of maintenance, which seal what is stored.
    var maintenances = 0
}

/// Chooses the steps of a long schedule: faults in an order that follows from the seed, messages between them, and now and then
/// a look at whether all is stored. All consumers are started again at once.
struct EndurancePlanner {
    private enum Fault { case kill, restart, rebalance, broker, clock, disk, maintenance }

    private var random: SplitMix64
    let brokers = 3
    let partitions = 6
    let consumers = 3
    private(set) var steps: [Schedule.Step] = []
    private var brokenBroker: Int?

    init(seed: UInt64) { random = SplitMix64(seed: seed) }

    mutating func plan(_ amounts: FaultAmounts) {
        for partition in 0..<partitions { steps.append(.publish(60, partition: partition)) }
        for consumer in 1...consumers { steps.append(.start(consumer)) }
        let kinds: [(Fault, Int)] = [
            (.kill, amounts.kills), (.restart, amounts.restarts), (.rebalance, amounts.rebalances),
            (.broker, amounts.brokerFaults), (.clock, amounts.clocks), (.disk, amounts.fullDisks),
            (.maintenance, amounts.maintenances),
        ]
        let faults = kinds.flatMap { Array(repeating: $0.0, count: $0.1) }.shuffled(using: &random)
        for (place, fault) in faults.enumerated() {
            publish()
            // Some strike while the group is still being assigned, some in the midst of batches, some when all is stored.
            pause(1500)
            bring(about: fault)
            if place % 20 == 19 { settle() }
        }
        settle()
    }

    private mutating func publish() {
        for _ in 0...number(0...2) {
            let partition = number(0...partitions - 1)
            if number(0...3) == 0 {
                steps.append(.transaction(number(1...10), partition: partition, isCommitted: number(0...2) > 0))
            } else {
                steps.append(.publish(number(10...60), partition: partition))
            }
        }
    }

    private mutating func bring(about fault: Fault) {
        let consumer = number(1...consumers)
        switch fault {
        case .kill:
            steps.append(.kill(consumer))
            steps.append(.start(consumer))
        case .restart: steps.append(.restart(isCrash: .random(using: &random)))
        case .rebalance where .random(using: &random):
            // Longer than the group waits for a consumer.
            steps.append(.freeze(consumer, milliseconds: number(3000...5000)))
        case .rebalance:
            steps.append(.stop(consumer))
            pause(3000)
            steps.append(.start(consumer))
        case .broker: breakBroker()
        case .clock: steps.append(Schedule.clock(consumers: consumers, &random))
        case .disk: steps.append(.fillDisk(milliseconds: number(0...2000)))
        case .maintenance: steps.append(.maintain)
        }
    }

    /// A fault of a broker lasts some time, or until the next one or the next look.
    private mutating func breakBroker() {
        repair()
        let broker = number(1...brokers)
        let states: [FaultyBroker.BrokerState] = [.down, .silent, .unreachable]
        steps.append(.broker(broker, states[number(0...2)], moving: .random(using: &random)))
        brokenBroker = broker
        guard .random(using: &random) else { return }
        pause(3000)
        repair()
    }

    private mutating func repair() {
        guard let broker = brokenBroker else { return }
        steps.append(.broker(broker, .up, moving: false))
        brokenBroker = nil
    }

    private mutating func settle() {
        repair()
        steps.append(.settle)
    }

    private mutating func pause(_ most: Int) { steps.append(.pause(milliseconds: number(0...most))) }
    private mutating func number(_ range: ClosedRange<Int>) -> Int { .random(in: range, using: &random) }
}
