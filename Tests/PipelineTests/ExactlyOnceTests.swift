import Foundation
import Harness
import PostgreSQL
import Simulation
import Testing

extension EndToEnd {
    /// Every message ends in PostgreSQL exactly once, whatever is killed, restarted or stopped.
    @Suite("Exactly once") struct ExactlyOnce {
        /// The group notices sooner that a consumer is gone. A cluster outside allows no less than 6 s by default.
        private static func impatience(_ broker: TestBroker) -> [String: String] {
            guard broker.isEmbedded else { return [:] }
            // The embedded broker lets the first member of a group wait for 3 s, and forgets it at its session timeout.
            return ["RDKAFKA_SESSION_TIMEOUT_MS": "3500", "RDKAFKA_HEARTBEAT_INTERVAL_MS": "500"]
        }

        @Test("consumers that are killed 50 times")
        func killed() async throws {
            // Three pipelines side by side, since each waits for its consumer group most of the time.
            try await withThrowingTaskGroup { group in
                for times in [17, 17, 16] { group.addTask { try await killConsumer(times: times) } }
                try await group.waitForAll()
            }
            let caught =
                try #require(PrivatePostgreSQL.current).log.components(
                    separatedBy: "unexpected EOF on client connection with an open transaction"
                ).count - 1
            print("\(caught) of 50 kills were in mid-transaction")
        }

        private func killConsumer(times: Int) async throws {
            let pipeline = try await Pipeline(partitions: 16)
            let load = try Load(pipeline.broker, perSecond: 700)
            var random = SplitMix64.announced()
            var consumed = 0
            for round in 1...times {
                // A group of its own each time: the dead member would have to be waited for, and where to go on is
                // known from the database alone.
                let settings = ["BATCH_ROWS": "200", "KAFKA_GROUP_ID": "\(pipeline.broker.group)-\(round)"]
                let consumer = try pipeline.startConsumer("consumer \(round)", settings)
                if round % 5 == 0 {
                    // Somewhere between its first instruction and its first batches.
                    try await Task.sleep(for: .milliseconds(Int.random(in: 0...3000, using: &random)))
                } else {
                    // In the midst of its batches.
                    try await eventually("consumer \(round) stores something") {
                        try pipeline.consumedCount() > consumed
                    }
                    try await Task.sleep(for: .milliseconds(Int.random(in: 0...100, using: &random)))
                }
                consumer.kill(SIGKILL)
                #expect(try await consumer.waitForEnd(within: .seconds(10)) == .killed(by: SIGKILL))
                consumed = try pipeline.consumedCount()
            }
            let total = try load.stop()
            let last = try pipeline.startConsumer("the last consumer")
            try await pipeline.untilStored(total.messages)
            try await pipeline.stop(last)
            try pipeline.expectStored(total)
            try await pipeline.expectSound(total.messages)
        }

        @Test("PostgreSQL that is restarted 10 times")
        func restartedPostgreSQL() async throws {
            let pipeline = try await Pipeline(partitions: 8)
            let consumer = try await pipeline.startReadyConsumer("consumer", ["BATCH_ROWS": "200"])
            let load = try Load(pipeline.broker, perSecond: 1500)
            var random = SplitMix64.announced()
            for round in 1...10 {
                let before = try pipeline.consumedCount()
                try await eventually("something is stored before restart \(round)") {
                    try pipeline.consumedCount() > before
                }
                try await Task.sleep(for: .milliseconds(Int.random(in: 0...100, using: &random)))
                try await pipeline.database.cluster.stop(round % 2 == 0 ? .fast : .immediate)
                try await pipeline.database.cluster.start()
            }
            let total = try load.stop()
            try await pipeline.untilStored(total.messages)
            try await pipeline.stop(consumer)
            try pipeline.expectStored(total)
            try await pipeline.expectSound(total.messages)
            #expect(consumer.log.contains("waiting for PostgreSQL"))
        }

        @Test("a consumer that is stopped in mid-transaction, and goes on when another has taken over")
        func zombie() async throws {
            let pipeline = try await Pipeline(partitions: 8)
            let load = try Load(pipeline.broker, perSecond: 1000)
            var consumer = try await pipeline.startReadyConsumer("consumer 1", Self.impatience(pipeline.broker))
            for round in 1...3 {
                let zombie = consumer
                var fenced: OpenTransaction?
                try await pipeline.whileStoppedInTransaction(zombie) { transaction in
                    consumer = try pipeline.startConsumer("consumer \(round + 1)", Self.impatience(pipeline.broker))
                    // It gets every partition and stores what came after the zombie was stopped.
                    try await pipeline.untilEveryPartitionMoved()
                    #expect(try transaction.isOpen(), "nobody waited for the zombie's transaction to end")
                    fenced = transaction
                }
                let transaction = try #require(fenced)
                try await eventually("the server refuses what the zombie wanted to write") {
                    pipeline.database.cluster.log.split(separator: "\n").contains {
                        $0.contains("[\(transaction.backend)]") && $0.contains("ERROR:  fenced: another consumer owns")
                    }
                }
                try await pipeline.stop(zombie)
            }
            let total = try load.stop()
            try await pipeline.untilStored(total.messages)
            try await pipeline.stop(consumer)
            try pipeline.expectStored(total)
            try await pipeline.expectSound(total.messages)
        }

        @Test("a stopped consumer's rows in the default partition do not keep its successor from making a new one")
        func zombieInDefaultPartition() async throws {
            let pipeline = try await Pipeline(partitions: 4)
            // Older than what is kept by day.
            let old = try Load(pipeline.broker, perSecond: 500, age: .seconds(400 * 86_400))
            let zombie = try await pipeline.startReadyConsumer("zombie", Self.impatience(pipeline.broker))
            var successor: ChildProcess?
            var young: Load?
            try await pipeline.whileStoppedInTransaction(zombie, writing: "heart_rate_readings_default") {
                transaction in
                // Each of these days needs a partition first.
                young = try Load(pipeline.broker, perSecond: 500, age: .seconds(30 * 86_400))
                successor = try pipeline.startConsumer("successor", Self.impatience(pipeline.broker))
                try await pipeline.untilEveryPartitionMoved()
                // ATTACH PARTITION wants the default partition for itself, which the zombie's COPY has locked.
                #expect(try transaction.isOpen(), "nobody waited for the zombie's transaction to end")
            }
            let messages = try old.stop().messages + (try #require(young).stop().messages)
            try await pipeline.untilStored(messages)
            try await pipeline.stop(zombie)
            try await pipeline.stop(try #require(successor))
            try await pipeline.expectSound(messages)
        }

        @Test("without the fence a zombie writes twice, and verify says so")
        func zombieWithoutFence() async throws {
            let pipeline = try await Pipeline(partitions: 8)
            try pipeline.database.rows(
                """
                CREATE OR REPLACE FUNCTION advance_offsets(
                    source_ids integer[], expected bigint[], advanced bigint[], more_readings integer[],
                    more_anomalies integer[], more_rejected integer[], lasts bigint[], fingerprints bigint[])
                    RETURNS void LANGUAGE sql AS $$
                    UPDATE kafka_offsets o SET next_offset = greatest(o.next_offset, a.next)
                      FROM unnest(source_ids, advanced) AS a (source_id, next) WHERE o.source_id = a.source_id
                $$
                """)
            let load = try Load(pipeline.broker, perSecond: 1000)
            let zombie = try await pipeline.startReadyConsumer("zombie", Self.impatience(pipeline.broker))
            var successor: ChildProcess?
            try await pipeline.whileStoppedInTransaction(zombie) { transaction in
                successor = try pipeline.startConsumer("successor", Self.impatience(pipeline.broker))
                try await pipeline.untilEveryPartitionMoved()
                #expect(try transaction.isOpen(), "the zombie can still write")
            }
            try await eventually("the zombie has written what was written already") {
                try pipeline.database.rows(
                    "SELECT 1 FROM heart_rate_readings GROUP BY source_id, kafka_offset HAVING count(*) > 1 LIMIT 1"
                ).count == 1
            }
            let total = try load.stop()
            try await pipeline.untilStored(total.messages)
            try await pipeline.stop(zombie)
            try await pipeline.stop(try #require(successor))
            let verification = try await pipeline.verify()
            #expect(verification.end == .exited(1))
            #expect(verification.output.contains("STORED TWICE OR NOT READ: "))
            #expect(verification.output.hasSuffix("NOT SOUND: the offsets above are missing or stored twice\n"))
        }
    }
}

/// The transaction that a stopped consumer has left open.
struct OpenTransaction {
    fileprivate let session: PostgreSQLConnection
    let backend: String
    fileprivate let start: String

    func isOpen() throws -> Bool {
        try session.rows("SELECT 1 FROM pg_stat_activity WHERE pid = \(backend) AND xact_start = '\(start)'").count == 1
    }
}

extension Pipeline {
    /// Stops a consumer with SIGSTOP while its transaction is open and the server waits for it, and lets it go on after
    /// `body`. There must be no other consumer when it begins.
    ///
    /// - Parameter table: has to have rows of the transaction already.
    func whileStoppedInTransaction(
        _ consumer: ChildProcess, writing table: String = "heart_rate_readings",
        _ body: (OpenTransaction) async throws -> Void
    ) async throws {
        let session = try database.connect()
        let backend = try await first("\(consumer.name) has a session") {
            try session.rows(
                "SELECT pid FROM pg_stat_activity WHERE datname = '\(database.name)' "
                    + "AND application_name = 'heartbeat-consumer'"
            ).first?[0]
        }
        var random = SplitMix64.announced()
        let transaction = try await first("\(consumer.name) is stopped in mid-transaction") { () -> OpenTransaction? in
            consumer.kill(SIGCONT)
            usleep(.random(in: 0...20_000, using: &random))
            consumer.kill(SIGSTOP)
            // The signal takes a moment to reach each thread; until then more may be sent.
            while !consumer.isStopped { usleep(100) }
            // What was sent before is worked through; then the server waits for more, if the transaction is open. It also
            // seems to wait when it was woken and has no core yet, and a look is not of one moment: so it has to be
            // asleep between two looks that agree.
            var before: [String?] = []
            while true {
                let found = try session.rows(
                    """
                    SELECT state, wait_event, xact_start,
                           EXISTS (SELECT 1 FROM pg_locks l WHERE l.pid = a.pid AND relation = '\(table)'::regclass)
                      FROM pg_stat_activity a WHERE pid = \(backend)
                    """
                ).first
                guard let found, found[0] != "idle" else { return nil }
                guard found[1] == "ClientRead", found == before, let start = found[2] else {
                    before = processState("/proc/\(backend)/stat") == "S" ? found : []
                    continue
                }
                guard found[3] == "t" else { return nil }
                return OpenTransaction(session: session, backend: backend, start: start)
            }
        }
        defer { consumer.kill(SIGCONT) }
        try await body(transaction)
    }

    /// Waits until on every partition is stored what is published from now on.
    func untilEveryPartitionMoved() async throws {
        let ends = try broker.watermarks().map { Int($0.high) }
        try await eventually("every partition has moved beyond \(ends)") {
            let rows = try database.rows("SELECT next_offset FROM kafka_offsets ORDER BY partition")
            let stored = rows.compactMap { $0[0].flatMap { Int($0) } }
            return stored.count == ends.count && zip(stored, ends).allSatisfy { $0 > $1 }
        }
    }
}

extension SplitMix64 {
    /// With the seed in `HEARTBEAT_TEST_SEED`, otherwise a new one, which is printed so that a failure can be looked at again.
    static func announced() -> SplitMix64 {
        let given = ProcessInfo.processInfo.environment["HEARTBEAT_TEST_SEED"].flatMap { UInt64($0) }
        let seed = given ?? .random(in: 0...0xffff_ffff)
        print("random moments: HEARTBEAT_TEST_SEED=\(seed)")
        return SplitMix64(seed: seed)
    }
}
