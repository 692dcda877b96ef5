import Foundation
import Harness

/// Carries a schedule out, and counts by itself what has to be in the database at the end.
struct ScheduleRun {
    let schedule: Schedule
    let faulty: FaultyBroker
    let pipeline: Pipeline
    private(set) var consumers: [Int: ChildProcess] = [:]
    /// Of each consumer, when the schedule sets clocks.
    private var clocks: [Int: ProcessClock] = [:]
    private let sabotage: Sabotage?
    /// The numbers of the messages that readers may get, of all that were ever written.
    private(set) var published: Set<Int> = []
    private var nextNumber = 0
    /// Of each partition's log as it is now: a message's number by its offset, also when compaction has removed it.
    private(set) var logs: [[Int64: Int]]
    /// How many stored messages Kafka has lost; more than at least where compaction had removed some just before the cut.
    private(set) var lost = 0...0
    /// How many offsets were deleted before they were read.
    private(set) var deleted = 0
    /// What was really done.
    var tally = FaultTally()

    init(_ schedule: Schedule, _ sabotage: Sabotage?) async throws {
        self.schedule = schedule
        self.sabotage = sabotage
        faulty = try await FaultyBroker(brokers: schedule.brokers, partitions: schedule.partitions)
        pipeline = try await Pipeline(on: TestBroker(faulty))
        try sabotage?.change(pipeline.database)
        logs = Array(repeating: [:], count: schedule.partitions)
        guard schedule.setsClocks else { return }
        // One more comes to overtake the others.
        for consumer in 1...schedule.consumers + 1 { clocks[consumer] = try await ProcessClock() }
    }

    /// What is wrong after a schedule that has a server of its own, which can be restarted beside others.
    ///
    /// - Parameters:
    ///   - folder: for its files.
    ///   - sabotage: what is done to the safeguards before it begins.
    static func complaints(
        about schedule: Schedule, in folder: TestFolder, _ sabotage: Sabotage? = nil
    ) async throws -> [String] {
        let fillsDisk = if schedule.fillsDisk { try await SmallDisk.obstacle() == nil } else { false }
        let cluster = try await PrivatePostgreSQL(diskMegabytes: fillsDisk ? 300 : nil)
        let complaints = await TestFolder.$current.withValue(folder) {
            await PrivatePostgreSQL.$current.withValue(cluster) {
                do {
                    var run = try await ScheduleRun(schedule, sabotage)
                    defer { if schedule.isLong { print("seed \(schedule.seed): \(run.tally)") } }
                    return try await run.run()
                } catch {
                    return ["\(error)"]
                }
            }
        }
        try await cluster.stop(.fast)
        return complaints
    }

    /// Does all steps, has all that is left stored, and compares.
    ///
    /// - Returns: what is wrong.
    mutating func run() async throws -> [String] {
        for (place, step) in schedule.steps.enumerated() {
            do {
                try await perform(step)
            } catch {
                throw HarnessError("step \(place + 1), \(step): \(error)")
            }
        }
        for broker in 1...schedule.brokers { try await faulty.setBroker(broker, .up) }
        for consumer in 1...schedule.consumers where consumers[consumer] == nil { try await start(consumer) }
        try await settle()
        for consumer in consumers.keys.sorted() { try await end(consumer, by: SIGTERM) }
        tally.published = published.count
        tally.stored = try storedNumbers().count
        tally.generations = try await faulty.dump().groups.map(\.generation).max() ?? 0
        return try await complaints()
    }

    private mutating func perform(_ step: Schedule.Step) async throws {
        switch step {
        case .publish(let count, let partition): try await write(count, to: partition)
        case .transaction(let count, let partition, let isCommitted):
            let messages = numbers(count)
            let written = try await faulty.write(
                messages.map(Self.message), to: partition, end: isCommitted ? .commit : .abort)
            if isCommitted { note(messages, at: written, in: partition) }
        case .compact(let partition, let every):
            let kept = try await messages(of: partition)
            let removed = stride(from: every - 1, to: kept.count, by: every).map { kept[$0].offset }
            try await faulty.compact(partition, removing: removed)
        case .start(let consumer): try await start(consumer)
        case .stop(let consumer): if try await end(consumer, by: SIGTERM) != nil { tally.stops += 1 }
        case .kill(let consumer):
            let isWriting = (try? isWriting()) ?? false
            guard try await end(consumer, by: SIGKILL) == .killed(by: SIGKILL) else { return }
            tally.kills += 1
            if isWriting { tally.killsInTransactions += 1 }
        case .broker(let broker, let state, let moving):
            try await faulty.setBroker(broker, state, moving: moving)
            if state != .up { tally.brokerFaults += 1 }
        case .lead(let partition, let broker): try await faulty.moveLeader(of: partition, to: broker)
        case .truncate(let partition, let percent, let growth):
            try await truncate(partition, percent: percent)
            try await write(growth, to: partition)
        case .deleteRecords(let partition, let percent): try await deleteRecords(partition, percent: percent)
        case .recreate(let count):
            try await faulty.deleteTopic()
            try await Task.sleep(for: .seconds(1))
            // A consumer that has just been started may have created it.
            if try await faulty.dump().partitions.isEmpty { try await faulty.createTopic() }
            for partition in logs.indices {
                logs[partition] = [:]
                try await write(count, to: partition)
            }
        case .settle: try await settle()
        case .clock(let consumer, let seconds):
            try clocks[consumer]?.set(secondsAhead: seconds)
            tally.clocks += 1
        case .freeze, .overtake, .endSessions, .restart, .lock, .maintain, .fillDisk: try await performOnDatabase(step)
        case .pause(let milliseconds): try await Task.sleep(for: .milliseconds(milliseconds))
        }
    }

    // MARK: - Messages

    /// A message that no other one is like; some are rejected.
    private static func message(_ number: Int) -> Message {
        Message(
            customer: "c\(number % 7)", timestamp: "2026-02-19T15:53:03.\(100_000 + number)Z",
            heartRate: number % 11 == 0 ? 999 : 60 + number % 60)
    }

    private mutating func numbers(_ count: Int) -> Range<Int> {
        nextNumber += count
        return nextNumber - count..<nextNumber
    }

    mutating func write(_ count: Int, to partition: Int) async throws {
        for first in stride(from: 0, to: count, by: 10) {
            let messages = numbers(min(10, count - first))
            let written = try await faulty.write(messages.map(Self.message), to: partition)
            note(messages, at: written, in: partition)
        }
    }

    private mutating func note(_ messages: Range<Int>, at written: FaultyBroker.Written, in partition: Int) {
        published.formUnion(messages)
        for (offset, number) in zip(written.offsets, messages) { logs[partition][offset] = number }
    }

    /// What a reader gets of a partition.
    private func messages(of partition: Int) async throws -> [BrokerDump.Kept] {
        try await faulty.dump().partitions.first { $0.partition == partition }?.messages ?? []
    }

    // MARK: - Losses

    private mutating func truncate(_ partition: Int, percent: Int) async throws {
        let kept = try await messages(of: partition)
        // A log that has lost everything cannot be told from another one. A batch has ten messages at most.
        guard kept.count > 20 else { return }
        let stored = Set(try storedNumbers())
        let end = try await faulty.truncate(partition, at: kept[max(15, kept.count * percent / 100)].offset)
        let last = try await messages(of: partition).last?.offset ?? -1
        func count(from offset: Int64) -> Int {
            logs[partition].count { $0.key >= offset && stored.contains($0.value) }
        }
        lost = lost.lowerBound + count(from: end)...lost.upperBound + count(from: last + 1)
        logs[partition] = logs[partition].filter { $0.key < end }
    }

    private mutating func deleteRecords(_ partition: Int, percent: Int) async throws {
        guard let log = try await faulty.dump().partitions.first(where: { $0.partition == partition }) else { return }
        let low = log.low + (log.high - log.low) * Int64(percent) / 100
        try await faulty.write(batches: [], to: partition, deletingBefore: low)
        if let next = try storedEnds()[partition] { deleted += max(0, Int(low - next)) }
    }

    // MARK: - Consumers

    mutating func start(_ consumer: Int) async throws {
        if sabotage == .blindToFingerprints { try await takeKafkasFingerprints() }
        // The group notices soon that a consumer was killed.
        let settings = [
            "RDKAFKA_SESSION_TIMEOUT_MS": "\(schedule.isLong ? 2000 : 4000)", "RDKAFKA_HEARTBEAT_INTERVAL_MS": "500",
            "BATCH_ROWS": "50",
        ]
        consumers[consumer] = try pipeline.startConsumer(
            "consumer \(consumer)", settings.merging(clocks[consumer]?.settings ?? [:]) { $1 })
    }

    /// - Returns: how it ended; nil when it does not run.
    @discardableResult
    mutating func end(_ consumer: Int, by signal: Int32) async throws -> ChildProcess.End? {
        guard let process = consumers.removeValue(forKey: consumer) else { return nil }
        process.kill(signal)
        let end = try await process.waitForEnd(within: .seconds(30))
        // Before its first line it knows no signal yet.
        guard end == .killed(by: signal) && (signal == SIGKILL || process.log.isEmpty) || end == .exited(0) else {
            throw HarnessError("\(process.name) ended as \(end)")
        }
        guard consumers.isEmpty else { return end }
        // The server may still be at what a killed one has sent.
        try await eventually("the consumers' sessions end") { try sessions() == 0 }
        return end
    }

    /// Has each open source's fingerprint be that of the message which Kafka has in its place, as if nobody compared them.
    private func takeKafkasFingerprints() async throws {
        let logs = try await faulty.dump().partitions
        let known = try pipeline.database.rows(
            "SELECT source_id, partition, last_offset FROM kafka_offsets WHERE NOT closed AND last_offset IS NOT NULL")
        for row in known {
            let log = logs.first { "\($0.partition)" == row[1] }
            guard let source = row[0], let message = log?.messages.first(where: { "\($0.offset)" == row[2] }) else {
                continue
            }
            try pipeline.database.rows(
                "UPDATE kafka_offsets SET last_fingerprint = \(message.fingerprint) WHERE source_id = \(source)")
        }
    }
}
