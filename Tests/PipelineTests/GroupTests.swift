import Foundation
import Harness
import Testing

extension EndToEnd {
    /// Several consumers in one group, and how each leaves it.
    @Suite("Groups") struct Groups {
        /// How many partitions a consumer has, as it says itself.
        private static func share(_ consumer: ChildProcess) -> Int {
            let lines = consumer.log.split(separator: "\n").compactMap { line in
                line.wholeMatch(of: /.* reading (\d+) partitions\b.*/).flatMap { Int($0.output.1) }
            }
            return lines.last ?? 0
        }

        @Test("consumers share the partitions, and others take over from one that is killed", arguments: [2, 4])
        func sharing(count: Int) async throws {
            let pipeline = try await Pipeline(partitions: 16)
            let consumers = try (1...count).map { try pipeline.startConsumer("consumer \($0)") }
            try await eventually("each of \(count) consumers has its share") {
                consumers.allSatisfy { Self.share($0) == 16 / count }
            }
            let load = try Load(pipeline.broker, perSecond: 1500)
            try await eventually("every consumer has stored something") {
                try pipeline.database.rows(
                    "SELECT consumer FROM pipeline_log GROUP BY 1 HAVING sum(messages_read) > 0"
                ).count == count
            }

            consumers[0].kill(SIGKILL)
            try await eventually("the others have all partitions") {
                consumers.dropFirst().reduce(0) { $0 + Self.share($1) } == 16
            }
            try await pipeline.untilEveryPartitionMoved()
            let total = try load.stop()
            try await pipeline.untilStored(total.messages)
            for consumer in consumers.dropFirst() { try await pipeline.stop(consumer) }
            try pipeline.expectStored(total)
            try await pipeline.expectSound(total.messages)
        }

        @Test("a consumer that gets no partition is ready, and takes over")
        func standby() async throws {
            let pipeline = try await Pipeline(partitions: 1)
            var consumers: [ChildProcess] = []
            for name in ["first", "second"] { consumers.append(try await pipeline.startReadyConsumer(name)) }
            try await eventually("one of them reads") { consumers.map(Self.share).sorted() == [0, 1] }
            for consumer in consumers where Self.share(consumer) == 1 { try await pipeline.stop(consumer) }
            try pipeline.broker.publish([
                Message(customer: "a", timestamp: "2026-02-19T15:53:03.123456Z", heartRate: 72)
            ])
            try await pipeline.untilStored(1)
            for consumer in consumers where consumer.end == nil {
                #expect(!consumer.log.contains("waiting for") && !consumer.log.contains("nobody in the group"))
                try await pipeline.stop(consumer)
            }
        }

        @Test("SIGTERM under full load ends with 0, and the rest is for the next")
        func terminated() async throws {
            let pipeline = try await Pipeline(partitions: 32)
            let load = try Load(pipeline.broker, perSecond: 5000)
            try await eventually("much is waiting") { load.messages > 30_000 }
            let settings = ["BATCH_ROWS": "500"]
            for round in 1...3 {
                let before = try pipeline.consumedCount()
                let consumer = try pipeline.startConsumer("consumer \(round)", settings)
                try await eventually("consumer \(round) is in the midst of its work") {
                    try pipeline.consumedCount() > before
                }
                try await pipeline.stop(consumer)
                #expect(consumer.log.contains("stopped: everything that was read is stored"))
                let consumed = try pipeline.consumedCount()
                #expect(consumed < load.messages, "it was stopped before everything was stored")
                try await pipeline.expectSound(consumed)
            }
            let total = try load.stop()
            try await pipeline.drain(settings)
            try pipeline.expectStored(total)
            try await pipeline.expectSound(total.messages)
        }

        @Test("a second SIGTERM ends at once, and nothing is lost either")
        func terminatedTwice() async throws {
            let pipeline = try await Pipeline(partitions: 4)
            let consumer = try await pipeline.startReadyConsumer()
            try pipeline.broker.publish(
                (0..<1000).map {
                    Message(customer: "a", timestamp: "2026-02-19T15:53:03.\(100_000 + $0)Z", heartRate: 72)
                })
            try await pipeline.untilStored(1)
            // The first waits for a server that is not there.
            try await pipeline.database.cluster.stop(.immediate)
            consumer.kill(SIGTERM)
            consumer.kill(SIGTERM)
            let end = try await consumer.waitForEnd(within: .seconds(30))
            #expect(end == .exited(0) || end == .exited(128 + SIGTERM))
            try await pipeline.database.cluster.start()
            try await pipeline.drain()
            try await pipeline.expectSound(1000)
        }

        @Test("--drain is not over because the group takes partitions away")
        func drainWhileOthersJoin() async throws {
            let pipeline = try await Pipeline(partitions: 8)
            let count = 60_000
            try pipeline.broker.publish(
                (0..<count).lazy.map {
                    Message(customer: "c\($0 % 100)", timestamp: "2026-02-19T15:53:03.\(100_000 + $0)Z", heartRate: 72)
                })
            // So slow that it is not done when the second one comes.
            try pipeline.database.rows(
                """
                CREATE FUNCTION pause() RETURNS trigger LANGUAGE plpgsql AS $$
                    BEGIN PERFORM pg_sleep(0.2); RETURN NULL; END $$;
                CREATE TRIGGER pause AFTER UPDATE ON kafka_offsets FOR EACH STATEMENT EXECUTE FUNCTION pause()
                """)
            let settings = pipeline.consumerSettings.merging(["BATCH_ROWS": "500"]) { $1 }
            let first = try Heartbeat.start("first", ["consumer", "--drain"], settings: settings)
            try await pipeline.untilStored(1)
            let second = try Heartbeat.start("second", ["consumer", "--drain"], settings: settings)
            // This fails when the first ends meanwhile.
            try await eventually("the second has partitions") { Self.share(second) > 0 }
            for consumer in [first, second] { consumer.expectEnd() }
            try pipeline.database.rows("DROP TRIGGER pause ON kafka_offsets")
            for consumer in [first, second] {
                let end = try await consumer.waitForEnd(within: .seconds(120))
                #expect(end == .exited(0), "the end of \(consumer.name)")
                #expect(consumer.log.contains("drained: everything that the log had at the start is stored"))
            }
            #expect(try pipeline.consumedCount() == count)
            try await pipeline.expectSound(count)
        }
    }
}
