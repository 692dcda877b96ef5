import Harness
import Testing

extension Waiting {
    /// No broker answers for a while.
    @Suite("Kafka does not answer at all") struct AbsentKafka {
        @Test(
            "the status says so; both go on when it is back, and end when they are asked to",
            arguments: [FaultyBroker.BrokerState.down, .silent, .unreachable])
        func absent(state: FaultyBroker.BrokerState) async throws {
            let faulty = try await FaultyBroker(partitions: 4)
            let pipeline = try await Pipeline(on: TestBroker(faulty))
            let consumer = try WatchedDaemon.consumer(pipeline)
            let producer = try WatchedDaemon.producer(pipeline.broker)
            try await pipeline.untilStoredFromNow([0, 1, 2, 3], "every partition is read")
            try await consumer.untilReady()
            try await eventually("everybody's usual period is known") {
                try pipeline.database.number("SELECT count(*) FROM customer_state WHERE readings > 20") == 60
            }

            try await faulty.setBroker(1, state)
            try await consumer.untilStatus("\(state): the status says that nobody answers") {
                $0.contains(/waiting for Kafka since .*no broker has answered for \d+ s/) && $0.contains("lag unknown")
            }
            try await producer.untilStatus("\(state): the status says that nobody answers") {
                $0.contains("waiting for Kafka since")
            }
            let before = consumer.manager.statuses.count
            try await Task.sleep(for: .seconds(15))
            let statuses = consumer.manager.statuses.dropFirst(before)
            #expect(statuses.allSatisfy { $0.contains("waiting for Kafka") && $0.contains("lag unknown") })

            let back = try pipeline.now()
            try await faulty.setBroker(1, .up)
            try await pipeline.untilStoredFromNow([0, 1, 2, 3], "\(state): every partition is read again")
            for daemon in [consumer, producer] {
                try await daemon.untilStatus("\(state): it waits no longer") { !$0.contains("waiting for Kafka") }
            }
            try await Task.sleep(for: .seconds(5))
            for daemon in [consumer, producer] { try Self.expectOver(daemon) }
            let losses = try pipeline.database.rows(
                "SELECT customer_id, opened_at FROM episodes WHERE kind = 'signal loss' AND opened_at < '\(back)'")
            #expect(losses.isEmpty, "nobody was silent but the broker")

            try await faulty.setBroker(1, state)
            try await consumer.untilStatus("\(state): nobody answers again") { $0.contains("no broker has answered") }
            #expect(try await consumer.stop() == .exited(0))
            #expect(try await producer.stop() == .exited(69))
            #expect(producer.log.contains(/stopped: \d+ delivered, [1-9]\d* not delivered/))
            try await faulty.setBroker(1, .up)
            try await pipeline.drain()
            try await pipeline.expectAllStored()
            consumer.expectAlive()
            producer.expectAlive()
        }

        /// Expects that it has said once that Kafka is back, and nothing of the outage after that.
        private static func expectOver(_ daemon: WatchedDaemon) throws {
            let parts = daemon.log.components(separatedBy: "Kafka is available again")
            #expect(parts.count == 2, "\(daemon.log)")
            let later = try #require(parts.last)
            #expect(!later.contains("unable to") && !later.contains("waiting for"), "what is over is not told again")
        }
    }
}
