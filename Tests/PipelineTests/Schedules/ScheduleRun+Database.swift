import Foundation
import Harness

/// What happens to the database.
extension ScheduleRun {
    mutating func performOnDatabase(_ step: Schedule.Step) async throws {
        let database = pipeline.database
        switch step {
        case .freeze(let consumer, let milliseconds):
            guard let process = consumers[consumer] else { return }
            process.kill(SIGSTOP)
            try await Task.sleep(for: .milliseconds(milliseconds))
            process.kill(SIGCONT)
            tally.freezes += 1
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
            tally.restarts += 1
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
            tally.maintenances += 1
        case .fillDisk(let milliseconds): try await fillDisk(for: .milliseconds(milliseconds))
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
            try await start(newcomer)
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

    /// Has the server run out of room while it is written to.
    private mutating func fillDisk(for duration: Duration) async throws {
        let cluster = pipeline.database.cluster
        guard let disk = cluster.disk else {
            let obstacle = try await SmallDisk.obstacle() ?? ""
            return print("schedule \(schedule.seed): the step that fills the disk is left out: \(obstacle)")
        }
        func complaints() -> Int { cluster.log.components(separatedBy: "No space left on device").count }
        let before = complaints()
        try disk.fill()
        let deadline = ContinuousClock.now + .seconds(10)
        // As long as nobody writes, nobody notices.
        while !consumers.isEmpty, complaints() == before, ContinuousClock.now < deadline {
            for partition in logs.indices { try await write(20, to: partition) }
            try await Task.sleep(for: .milliseconds(200))
        }
        try await Task.sleep(for: duration)
        if complaints() > before { tally.fullDisks += 1 }
        try disk.empty()
        // A server that could not write its own log has ended.
        try await cluster.start()
        try await eventually("PostgreSQL answers") { (try? sessions()) != nil }
    }

    /// How many sessions the consumers have.
    func sessions(_ condition: String = "true") throws -> Int {
        try pipeline.database.number(
            """
            SELECT count(*) FROM pg_stat_activity
             WHERE datname = current_database() AND usename = 'heartbeat-consumer' AND \(condition)
            """)
    }

    /// Whether a consumer is in a transaction.
    func isWriting() throws -> Bool { try sessions("state <> 'idle'") > 0 }
}
