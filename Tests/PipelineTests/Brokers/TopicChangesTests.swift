import Harness
import PostgreSQL
import Testing

extension Waiting {
    /// The topic is deleted, made later, or gets partitions, while consumer and producer run.
    @Suite("The topic changes") struct TopicChanges {
        private static func scene() async throws -> (Pipeline, FaultyBroker, WatchedDaemon, WatchedDaemon) {
            let faulty = try await FaultyBroker(partitions: 4)
            let pipeline = try await Pipeline(on: TestBroker(faulty))
            let consumer = try WatchedDaemon.consumer(pipeline)
            let producer = try WatchedDaemon.producer(pipeline.broker)
            try await pipeline.untilStoredFromNow([0, 1, 2, 3], "every partition is read")
            try await consumer.untilReady()
            return (pipeline, faulty, consumer, producer)
        }

        private static func untilDeletionIsTold(_ consumer: WatchedDaemon, _ producer: WatchedDaemon) async throws {
            for daemon in [consumer, producer] {
                try await daemon.untilStatus("the status says that the topic is missing") {
                    $0.contains("waiting for Kafka") && $0.contains(/[Uu]nknown topic/)
                }
            }
            try await consumer.untilStatus("the lag is unknown") { $0.contains("lag unknown") }
        }

        @Test("it is deleted and created again: both go on, and the consumer starts over")
        func recreated() async throws {
            let (pipeline, faulty, consumer, producer) = try await Self.scene()
            try await faulty.deleteTopic()
            try await Self.untilDeletionIsTold(consumer, producer)
            let before = consumer.manager.statuses.count
            try await Task.sleep(for: .seconds(10))
            #expect(consumer.manager.statuses.dropFirst(before).allSatisfy { $0.contains("lag unknown") })
            try await faulty.createTopic()
            try await pipeline.untilStoredFromNow([0, 1, 2, 3], "every partition is read again")
            for daemon in [consumer, producer] {
                try await daemon.untilStatus("it waits no longer") { !$0.contains("waiting for Kafka") }
            }
            #expect(try await producer.stop() == .exited(0))
            let count = try await faulty.dump().messageCount
            try await eventually("all that the new topic has is stored") {
                try pipeline.database.number(
                    "SELECT coalesce(sum(readings + rejected), 0) FROM kafka_offsets WHERE incarnation = 2") >= count
            }
            #expect(try await consumer.stop() == .exited(0))
            let verification = try await pipeline.verify()
            #expect(verification.end == .exited(0), "\(verification.output)")
            #expect(
                try pipeline.database.number(
                    "SELECT sum(readings + rejected) FROM kafka_offsets WHERE incarnation = 2") == count)
            #expect(try pipeline.database.number("SELECT count(*) FROM kafka_offsets") == 8, "two of each partition")
            consumer.expectAlive()
            producer.expectAlive()
        }

        @Test("it is deleted: both end when they are asked to")
        func deleted() async throws {
            let (_, faulty, consumer, producer) = try await Self.scene()
            try await faulty.deleteTopic()
            try await Self.untilDeletionIsTold(consumer, producer)
            #expect(try await consumer.stop() == .exited(0))
            #expect(try await producer.stop() == .exited(69))
            #expect(producer.log.contains(/stopped: \d+ delivered, [1-9]\d* not delivered/))
        }

        @Test("it is missing when both start, on three brokers: it is made and read", arguments: 1...5)
        func missing(round: Int) async throws {
            let faulty = try await FaultyBroker(brokers: 3, partitions: 6)
            try await faulty.deleteTopic()
            let pipeline = try await Pipeline(on: TestBroker(faulty))
            let consumer = try WatchedDaemon.consumer(pipeline)
            let producer = try WatchedDaemon.producer(pipeline.broker)
            try await pipeline.untilStoredFromNow([0, 1, 2, 3, 4, 5], "every partition is read")
            try await consumer.untilReady()
            #expect(try await producer.stop() == .exited(0))
            try await pipeline.expectAllStored()
            #expect(try await consumer.stop() == .exited(0))
        }

        @Test("it is made some time after both have started")
        func late() async throws {
            let faulty = try await FaultyBroker(brokers: 3, partitions: 6)
            try await faulty.deleteTopic()
            try await faulty.deny(.topicCreate)
            let pipeline = try await Pipeline(on: TestBroker(faulty))
            let consumer = try WatchedDaemon.consumer(pipeline)
            let producer = try WatchedDaemon.producer(pipeline.broker)
            for daemon in [consumer, producer] {
                try await daemon.untilStatus("the status says why") { $0.contains("Authorization failed") }
            }
            try await Task.sleep(for: .seconds(10))
            #expect(!consumer.manager.isReady)
            try await faulty.createTopic()
            try await pipeline.untilStoredFromNow([0, 1, 2, 3, 4, 5], "every partition is read")
            #expect(try await producer.stop() == .exited(0))
            try await pipeline.expectAllStored()
            #expect(try await consumer.stop() == .exited(0))
        }

        @Test("the group was assigned while it was missing: it is assigned again", arguments: [1, 2])
        func unassigned(count: Int) async throws {
            let faulty = try await FaultyBroker(partitions: 4)
            let pipeline = try await Pipeline(on: TestBroker(faulty))
            // The first is alone when it joins; the assignment to all of them is another one.
            if count > 1 { _ = try await pipeline.startReadyConsumer("first") }
            try await faulty.hideFromNextAssignment()
            let consumer = try WatchedDaemon.consumer(pipeline)
            try await eventually("nobody has a partition") { consumer.log.contains("reading 0 partitions") }
            #expect(consumer.manager.count("READY=1") == 0)
            let producer = try WatchedDaemon.producer(pipeline.broker)
            try await pipeline.untilStoredFromNow([0, 1, 2, 3], "every partition is read")
            try await consumer.untilReady()
            #expect(try await producer.stop() == .exited(0))
            try await pipeline.expectAllStored()
            #expect(try await consumer.stop() == .exited(0))
        }

        @Test("a consumer joins while it is missing: that is told, and it is not ready before the topic is there")
        func unassignable() async throws {
            let faulty = try await FaultyBroker(partitions: 4)
            let pipeline = try await Pipeline(on: TestBroker(faulty))
            try await faulty.hideFromNextAssignment(deleting: true)
            let consumer = try WatchedDaemon.consumer(pipeline)
            try await consumer.untilStatus("the status says that the topic is missing") {
                $0.contains("waiting for Kafka") && $0.contains("unknown topic")
            }
            #expect(consumer.manager.count("READY=1") == 0)
            try await faulty.createTopic(writing: [(partition: 3, messages: [numbered(0)])])
            try await pipeline.untilStored(1)
            try await consumer.untilReady()
            try await consumer.untilStatus("it waits no longer") { $0.contains("lag 0") && !$0.contains("waiting") }
            #expect(try await consumer.stop() == .exited(0))
        }

        @Test("it gets more partitions: they are written and read, and the lag counts them")
        func more() async throws {
            let (pipeline, faulty, consumer, producer) = try await Self.scene()
            try await faulty.addPartitions(upTo: 8)
            let old = Message(customer: "x", timestamp: "2026-02-19T15:53:03.123456Z", heartRate: 72)
            try await faulty.write([old], to: 6)
            try await pipeline.untilStoredFromNow([4, 5, 6, 7], "the new partitions are written and read")
            #expect(try await producer.stop() == .exited(0))
            try await pipeline.expectAllStored()

            // Nothing can be stored.
            let administrator = try PostgreSQLConnection(
                pipeline.database.cluster.parameters(database: "postgres"), .test)
            let name = pipeline.database.name
            try administrator.rows("ALTER DATABASE \(name) ALLOW_CONNECTIONS false")
            try administrator.rows(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '\(name)'")
            try await faulty.write((0..<1000).map { _ in old }, to: 7)
            try await consumer.untilStatus("the lag counts what waits in a new partition") {
                $0.contains("lag 1000 messages")
            }
            try administrator.rows("ALTER DATABASE \(name) ALLOW_CONNECTIONS true")
            try await consumer.untilStatus("the lag is over") { $0.contains("lag 0 messages") }
            try await pipeline.expectAllStored()
            #expect(try await consumer.stop() == .exited(0))
            consumer.expectAlive()
            producer.expectAlive()
        }
    }
}
