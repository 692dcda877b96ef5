import Harness
import Testing

extension Waiting {
    /// A right is missing at the start, or taken away later.
    @Suite("Rights") struct Rights {
        @Test(
            "the consumer has not a right at the start: it says so until it has",
            arguments: [FaultyBroker.Right.topicRead, .groupRead])
        func consumerStart(right: FaultyBroker.Right) async throws {
            let faulty = try await FaultyBroker(partitions: 4)
            let pipeline = try await Pipeline(on: TestBroker(faulty))
            try await faulty.deny(right)
            let producer = try WatchedDaemon.producer(pipeline.broker)
            let consumer = try WatchedDaemon.consumer(pipeline)
            try await consumer.untilStatus("\(right): the status says why") {
                $0.contains("waiting for Kafka") && $0.contains(/authorization failed/.ignoresCase())
            }
            try await Task.sleep(for: .seconds(10))
            #expect(!consumer.manager.isReady)
            #expect(consumer.manager.statuses.allSatisfy { !$0.contains("lag 0") })
            #expect(consumer.log.contains(/waiting for Kafka at .*: .*authorization failed/.ignoresCase()))
            let ended = try await Heartbeat.run(
                ["consumer"], pipeline.consumerSettings.merging(["START_TIMEOUT_SECONDS": "10"]) { $1 })
            #expect(ended.end == .exited(69))
            #expect(ended.log.contains(/timed out after \d+ s waiting for Kafka: .*authorization failed/.ignoresCase()))
            try await faulty.allow(right)
            try await consumer.untilReady()
            try await Self.finish(pipeline, consumer: consumer, producer: producer)
        }

        @Test(
            "the consumer loses a right: it says so until it has it again",
            arguments: [FaultyBroker.Right.topicRead, .groupRead])
        func consumerLoss(right: FaultyBroker.Right) async throws {
            let faulty = try await FaultyBroker(partitions: 4)
            let pipeline = try await Pipeline(on: TestBroker(faulty))
            let producer = try WatchedDaemon.producer(pipeline.broker)
            let consumer = try WatchedDaemon.consumer(pipeline)
            try await pipeline.untilStoredFromNow([0, 1, 2, 3], "every partition is read")
            try await consumer.untilReady()
            try await faulty.deny(right)
            try await consumer.untilStatus("\(right): the status says why") {
                $0.contains("waiting for Kafka") && $0.contains(/authorization failed/.ignoresCase())
                    && $0.contains("lag unknown")
            }
            let before = consumer.manager.statuses.count
            try await Task.sleep(for: .seconds(15))
            #expect(
                consumer.manager.statuses.dropFirst(before).allSatisfy {
                    $0.contains("lag unknown") && $0.contains(/authorization failed/.ignoresCase())
                })
            try await faulty.allow(right)
            try await pipeline.untilStoredFromNow([0, 1, 2, 3], "\(right): every partition is read again")
            try await consumer.untilStatus("\(right): it waits no longer") {
                !$0.contains("waiting") && $0.contains(/lag \d/)
            }
            try await Self.finish(pipeline, consumer: consumer, producer: producer)
        }

        @Test("the producer has not the right to write at the start: it says so until it has")
        func producerStart() async throws {
            let faulty = try await FaultyBroker(partitions: 4)
            let pipeline = try await Pipeline(on: TestBroker(faulty))
            try await faulty.deny(.topicWrite)
            let producer = try WatchedDaemon.producer(pipeline.broker)
            let consumer = try WatchedDaemon.consumer(pipeline)
            try await producer.untilStatus("the status says why") {
                $0.contains("waiting for Kafka") && $0.contains(/authorization failed/.ignoresCase())
            }
            try await Task.sleep(for: .seconds(5))
            #expect(producer.status.contains("waiting for Kafka"))
            try await faulty.allow(.topicWrite)
            try await pipeline.untilStoredFromNow([0, 1, 2, 3], "every partition is written")
            try await Self.finish(pipeline, consumer: consumer, producer: producer)
        }

        @Test("the producer loses the right to write: it says so, and keeps what it cannot deliver until it can")
        func producerLoss() async throws {
            let faulty = try await FaultyBroker(partitions: 4)
            let pipeline = try await Pipeline(on: TestBroker(faulty))
            let producer = try WatchedDaemon.producer(pipeline.broker)
            let consumer = try WatchedDaemon.consumer(pipeline)
            try await pipeline.untilStoredFromNow([0, 1, 2, 3], "every partition is written")
            try await faulty.deny(.topicWrite)
            try await producer.untilStatus("the status says why") {
                $0.contains("waiting for Kafka") && $0.contains(/authorization failed/.ignoresCase())
            }
            let before = producer.manager.statuses.count
            try await Task.sleep(for: .seconds(10))
            #expect(producer.manager.statuses.dropFirst(before).allSatisfy { $0.contains("waiting for Kafka") })
            try await faulty.allow(.topicWrite)
            try await pipeline.untilStoredFromNow([0, 1, 2, 3], "every partition is written again")
            try await producer.untilStatus("it waits no longer") { !$0.contains("waiting") }
            try await Self.finish(pipeline, consumer: consumer, producer: producer)
            // A customer's readings are a second apart; none is missing between the first and the last.
            let holes = try pipeline.database.rows(
                """
                SELECT customer_id, recorded_at FROM (
                    SELECT customer_id, recorded_at,
                           recorded_at - lag(recorded_at) OVER (PARTITION BY customer_id ORDER BY recorded_at) AS step
                      FROM heart_rate_readings) r
                 WHERE step > interval '1.9 s'
                """)
            #expect(holes.isEmpty, "nothing is lost")
        }

        private static func finish(
            _ pipeline: Pipeline, consumer: WatchedDaemon, producer: WatchedDaemon
        ) async throws {
            #expect(try await producer.stop() == .exited(0))
            try await pipeline.expectAllStored()
            #expect(try await consumer.stop() == .exited(0))
            consumer.expectAlive()
            producer.expectAlive()
        }
    }
}
