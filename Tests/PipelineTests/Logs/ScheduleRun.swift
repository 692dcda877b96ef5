import Foundation
import Harness

/// Carries a schedule out, and counts by itself what has to be in the database at the end.
struct ScheduleRun {
    private let schedule: Schedule
    private let faulty: FaultyBroker
    private let pipeline: Pipeline
    private var consumers: [Int: ChildProcess] = [:]
    /// The numbers of the messages that readers may get, of all that were ever written.
    private var published: Set<Int> = []
    private var nextNumber = 0
    /// Of each partition's log as it is now: a message's number by its offset, also when compaction has removed it.
    private var logs: [[Int64: Int]]
    /// How many stored messages Kafka has lost; more than at least where compaction had removed some just before the cut.
    private var lost = 0...0
    /// How many offsets were deleted before they were read.
    private var deleted = 0

    init(_ schedule: Schedule, sabotage: (TestDatabase) throws -> Void) async throws {
        self.schedule = schedule
        faulty = try await FaultyBroker(brokers: schedule.brokers, partitions: schedule.partitions)
        pipeline = try await Pipeline(on: TestBroker(faulty))
        try sabotage(pipeline.database)
        logs = Array(repeating: [:], count: schedule.partitions)
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
        for consumer in 1...schedule.consumers where consumers[consumer] == nil { try start(consumer) }
        try await settle()
        for consumer in consumers.keys.sorted() { try await end(consumer, by: SIGTERM) }
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
        case .start(let consumer): try start(consumer)
        case .stop(let consumer): try await end(consumer, by: SIGTERM)
        case .kill(let consumer): try await end(consumer, by: SIGKILL)
        case .broker(let broker, let state, let moving):
            try await faulty.setBroker(broker, state, moving: moving)
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
        case .freeze, .overtake, .endSessions, .restart, .lock, .maintain: try await performOnDatabase(step)
        case .pause(let milliseconds): try await Task.sleep(for: .milliseconds(milliseconds))
        }
    }

    private mutating func performOnDatabase(_ step: Schedule.Step) async throws {
        let database = pipeline.database
        switch step {
        case .freeze(let consumer, let milliseconds):
            consumers[consumer]?.kill(SIGSTOP)
            try await Task.sleep(for: .milliseconds(milliseconds))
            consumers[consumer]?.kill(SIGCONT)
        case .overtake(let count): try await overtake(messages: count)
        case .endSessions:
            try database.rows(
                """
                SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                 WHERE datname = current_database() AND usename = 'heartbeat-consumer'
                """)
        case .restart(let isCrash):
            try await database.cluster.stop(isCrash ? .immediate : .fast)
            try await database.cluster.start()
        case .lock(let milliseconds):
            let session = try database.connect()
            try session.rows("BEGIN")
            try session.rows("LOCK TABLE kafka_offsets")
            try await Task.sleep(for: .milliseconds(milliseconds))
            try session.rows("ROLLBACK")
        case .maintain:
            let settings = database.settings(as: "heartbeat-maintenance").merging(["RETENTION_DAYS": "36500"]) { $1 }
            let done = try await Heartbeat.run(["database", "maintain"], settings)
            guard done.end == .exited(0) else { throw HarnessError("maintain: \(done.log)") }
        default: throw HarnessError("\(step) is none of the database")
        }
    }

    private mutating func overtake(messages count: Int) async throws {
        let session = try pipeline.database.connect()
        try session.rows("BEGIN")
        // Others may read it.
        try session.rows("LOCK TABLE kafka_offsets IN SHARE MODE")
        for partition in logs.indices { try await write(count, to: partition) }
        let (running, newcomer) = (consumers, schedule.consumers + 1)
        // None when a broker does not answer.
        let waiting = try await waitingSessions(moreThan: 0)
        if waiting > 0 {
            for process in running.values { process.kill(SIGSTOP) }
            try start(newcomer)
            // As soon as the group has missed the others for long enough.
            _ = try await waitingSessions(moreThan: waiting)
        }
        try session.rows("ROLLBACK")
        for process in running.values { process.kill(SIGCONT) }
        try await end(newcomer, by: SIGTERM)
    }

    /// How many sessions wait for a lock: as soon as there are more, or those that there are after a while.
    private func waitingSessions(moreThan count: Int) async throws -> Int {
        let deadline = ContinuousClock.now + .seconds(15)
        while true {
            let waiting = try pipeline.database.number(
                "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'kafka_offsets'::regclass")
            guard waiting <= count, ContinuousClock.now < deadline else { return waiting }
            try await Task.sleep(for: .milliseconds(50))
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

    private mutating func write(_ count: Int, to partition: Int) async throws {
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

    private mutating func start(_ consumer: Int) throws {
        // The group notices soon that a consumer was killed.
        consumers[consumer] = try pipeline.startConsumer(
            "consumer \(consumer)",
            ["RDKAFKA_SESSION_TIMEOUT_MS": "4000", "RDKAFKA_HEARTBEAT_INTERVAL_MS": "500", "BATCH_ROWS": "50"])
    }

    private mutating func end(_ consumer: Int, by signal: Int32) async throws {
        guard let process = consumers.removeValue(forKey: consumer) else { return }
        process.kill(signal)
        let end = try await process.waitForEnd(within: .seconds(30))
        // Before its first line it knows no signal yet.
        guard end == .killed(by: signal) && (signal == SIGKILL || process.log.isEmpty) || end == .exited(0) else {
            throw HarnessError("\(process.name) ended as \(end)")
        }
        guard consumers.isEmpty else { return }
        // The server may still be at what a killed one has sent.
        try await eventually("the consumers' sessions end") { [database = pipeline.database] in
            try database.number(
                """
                SELECT count(*) FROM pg_stat_activity
                 WHERE datname = current_database() AND usename = 'heartbeat-consumer'
                """) == 0
        }
    }

    // MARK: - The database

    /// The numbers of all stored messages.
    private func storedNumbers() throws -> [Int] {
        try pipeline.database.rows(
            """
            SELECT extract(microseconds FROM recorded_at)::int - 3100000 FROM readings
            UNION ALL SELECT substring(convert_from(payload, 'UTF8') FROM ':03\\.(\\d+)Z')::int - 100000
              FROM rejected_messages
            """
        ).compactMap { $0[0].flatMap { Int($0) } }
    }

    /// How far each partition is stored.
    private func storedEnds() throws -> [Int: Int64] {
        let rows = try pipeline.database.rows(
            """
            SELECT DISTINCT ON (partition) partition, next_offset FROM kafka_offsets
             ORDER BY partition, incarnation DESC
            """)
        return Dictionary(
            uniqueKeysWithValues: rows.compactMap { row in
                guard let partition = row[0].flatMap({ Int($0) }), let next = row[1].flatMap({ Int64($0) }) else {
                    return nil
                }
                return (partition, next)
            })
    }

    /// What the database says that Kafka has lost, and has deleted before it was read.
    private func said() throws -> (lost: Int, deleted: Int) {
        (
            try pipeline.database.number("SELECT coalesce(sum(lost), 0) FROM kafka_offsets"),
            try pipeline.database.number("SELECT coalesce(sum(until_offset - from_offset), 0) FROM offset_gaps")
        )
    }

    /// Waits until all that Kafka has is stored, and what it lost is said.
    private func settle() async throws {
        let dump = try await faulty.dump()
        let ends = Dictionary(uniqueKeysWithValues: dump.partitions.map { ($0.partition, $0.high) })
        let kept = Set(try dump.numbers())
        do {
            try await eventually("all that Kafka has is stored", within: .seconds(60)) {
                guard try storedEnds() == ends, try kept.isSubset(of: storedNumbers()) else { return false }
                return try !schedule.isExact || isSaid()
            }
        } catch {
            let missing = try kept.subtracting(storedNumbers())
            throw HarnessError(
                """
                \(error). Kafka's ends: \(ends.sorted { $0.key < $1.key }), stored: \
                \(try storedEnds().sorted { $0.key < $1.key }), missing: \(missing.count), said: \(try said()), \
                expected: \(lost) lost, \(deleted) deleted
                """)
        }
    }

    private func isSaid() throws -> Bool {
        let said = try said()
        return lost.contains(said.lost) && said.deleted == deleted
    }

    private func complaints() async throws -> [String] {
        let dump = try await faulty.dump()
        let (stored, kept) = (try storedNumbers(), try dump.numbers())
        let different = Set(stored)
        let verification = try await pipeline.verify()
        let sound = "sound: \(stored.count) messages = \(try pipeline.readingCount()) readings"
        let said = try said()
        let findings: [(isWrong: Bool, words: String)] = [
            (!Set(kept).isSubset(of: different), "\(Set(kept).subtracting(different).count) are in Kafka only"),
            (different.count < stored.count, "\(stored.count - different.count) are stored twice"),
            (!different.isSubset(of: published), "\(different.subtracting(published).count) were never published"),
            (verification.end != .exited(0), "verify ended as \(verification.end)"),
            (!verification.output.contains(sound), "verify does not say \(sound):\n\(verification.output)"),
            (
                try schedule.isExact && !isSaid(),
                "Kafka lost \(lost) and deleted \(deleted); the database says \(said.lost) and \(said.deleted)"
            ),
            (!dump.complaints.isEmpty, "the brokers: \(dump.complaints)"),
        ]
        return findings.filter(\.isWrong).map(\.words)
    }
}

extension BrokerDump {
    /// The numbers of all messages that a reader gets.
    fileprivate func numbers() throws -> [Int] {
        try timestamps().map { timestamp in
            guard let number = Int(timestamp.dropLast().suffix(6)) else { throw HarnessError("\(timestamp)") }
            return number - 100_000
        }
    }
}
