import Harness
import Kafka
import Testing

extension EndToEnd {
    /// The cluster that can be told to misbehave, as long as it is not told to.
    @Suite("The broker of the tests") struct FaultyBrokers {
        @Test("two consumers share what was published to three brokers, and the count is the brokers' own")
        func ordinary() async throws {
            let faulty = try await FaultyBroker(brokers: 3, partitions: 6)
            let pipeline = try await Pipeline(on: TestBroker(faulty))
            let consumers = try [1, 2].map { try pipeline.startConsumer("consumer \($0)") }
            try await eventually("each has its share") {
                consumers.allSatisfy { $0.log.contains("reading 3 partitions") }
            }
            let count = 5000
            try pipeline.broker.publish(
                (0..<count).lazy.map {
                    Message(customer: "c\($0 % 100)", timestamp: "2026-02-19T15:53:03.\(100_000 + $0)Z", heartRate: 72)
                })
            try await pipeline.untilStored(count)
            for consumer in consumers { try await pipeline.stop(consumer) }
            let dump = try await faulty.dump()
            #expect(dump.messageCount == count)
            #expect(dump.complaints.isEmpty)
            #expect(
                dump.groups.filter { $0.group == pipeline.broker.group }.reduce(0) { $0 + $1.offset } == Int64(count),
                "the group's offsets")
            try await pipeline.expectSound(count)
        }

        @Test("a fetch with nothing to fetch is answered when there is something")
        func longPoll() async throws {
            let faulty = try await FaultyBroker(partitions: 1)
            let broker = TestBroker(faulty)
            // Longer than the test waits: only the append can end it.
            let consumer = try KafkaConsumer(
                broker.configuration(["fetch.wait.max.ms": "200000", "socket.timeout.ms": "300000"]))
            try consumer.assign([.beginning(of: TopicPartition(topic: broker.topic, partition: 0))])
            _ = consumer.poll(milliseconds: 2000)
            try broker.publish([Message(customer: "a", timestamp: "2026-02-19T15:53:03.123456Z", heartRate: 72)])
            try await eventually("the message is there") {
                if case .message = consumer.poll(milliseconds: 100) { true } else { false }
            }
        }

        @Test("who has to log in gets in with the password only")
        func login() async throws {
            let faulty = try await FaultyBroker(partitions: 1, user: .init(name: "heart", password: "beat"))
            let pipeline = try await Pipeline(on: TestBroker(faulty))
            try pipeline.broker.publish([
                Message(customer: "a", timestamp: "2026-02-19T15:53:03.123456Z", heartRate: 72)
            ])
            try await pipeline.drain()
            try await pipeline.expectSound(1)
            let refused = try await Heartbeat.run(
                ["consumer"],
                pipeline.consumerSettings.merging(
                    ["RDKAFKA_SASL_PASSWORD": "wrong", "START_TIMEOUT_SECONDS": "10"]
                ) { $1 })
            #expect(refused.end == .exited(69))
            #expect(refused.log.contains("Invalid username or password"))
        }
    }
}
