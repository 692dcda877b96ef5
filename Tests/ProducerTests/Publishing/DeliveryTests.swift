import Foundation
import Harness
import Testing

/// What Kafka refuses is sent again, and a stop says what was not delivered.
@Suite(
    "Refused messages", .ownFolder, .logsOnFailure,
    .enabled(if: TestBroker.isEmbedded, "the broker has to refuse"))
struct DeliveryTests {
    private static let produce = 0
    private static let tooLarge = 10

    private func replay(_ count: Int) throws -> [String] {
        let rows = (0..<count).map { "cust-\($0 % 7),2020-01-01T00:00:00.\(100_000 + $0)Z,\(60 + $0 % 60)\n" }
        let file = try TestFolder.required().write(
            "readings.csv", "customer_id,recorded_at,heart_rate\n" + rows.joined())
        return ["--replay", file, "--flat-out"]
    }

    @Test("a batch that is too large for the topic is sent in smaller ones")
    func smallerBatches() async throws {
        let broker = try await TestBroker(partitions: 1)
        broker.process?.write("refuse \(Self.produce) \(Self.tooLarge) 3")
        let ended = try await broker.runProducer(try replay(3000))
        #expect(ended.end == .exited(0))
        #expect(ended.log.contains("a batch is larger than the topic takes: batches have at most 500000 bytes now"))
        #expect(ended.log.contains("finished: 3000 delivered, 0 not delivered"))
        try await expectInOrder(3000, in: broker)
    }

    @Test("the topic is asked how large a batch may be, so that none is too large")
    func asksForSize() async throws {
        let faulty = try await FaultyBroker(partitions: 2)
        try await faulty.set("max.message.bytes", to: "2000")
        let broker = TestBroker(faulty)
        let ended = try await broker.runProducer(try replay(3000))
        #expect(ended.end == .exited(0))
        #expect(!ended.log.contains("a batch is larger"))
        try await expectInOrder(3000, in: broker)
    }

    @Test("a topic that takes smaller batches while the producer runs gets them, in the old order and once")
    func lowered() async throws {
        let faulty = try await FaultyBroker(partitions: 2)
        let broker = TestBroker(faulty)
        // Small ones, so that several are on their way at once.
        let process = try broker.startProducer(try replay(100_000), ["RDKAFKA_BATCH_SIZE": "20000"])
        try await eventually("it delivers") { try broker.messageCount() > 2000 }
        try await faulty.set("max.message.bytes", to: "1000")
        #expect(try await process.waitForEnd(within: .seconds(120)) == .exited(0))
        #expect(process.log.contains("a batch is larger than the topic takes: batches have at most 1000 bytes now"))
        #expect(process.log.split(separator: "\n").count { $0.contains("a batch is larger") } == 1)
        try await expectInOrder(100_000, in: broker)
    }

    private func expectInOrder(_ count: Int, in broker: TestBroker) async throws {
        let messages = try await broker.messagesByKey()
        #expect(messages.values.reduce(0) { $0 + $1.count } == count)
        #expect(messages.values.reduce(0) { $0 + Set($1).count } == count, "each of them once")
        for (customer, messages) in messages { #expect(messages == messages.sorted(), "those of \(customer)") }
    }

    @Test("a message that no batch can take is told by its customer and size, and the others go on")
    func tooLargeAlone() async throws {
        let broker = try await TestBroker(partitions: 1)
        broker.process?.write("refuse \(Self.produce) \(Self.tooLarge) 1")
        let ended = try await broker.runProducer(try replay(100), ["RDKAFKA_BATCH_SIZE": "50"])
        #expect(ended.end == .exited(69))
        #expect(ended.log.contains(/a message of customer "cust-0" with 1\d\d bytes is larger than the topic takes/))
        #expect(ended.log.contains("finished: 99 delivered, 1 not delivered"))
        #expect(try broker.messageCount() == 99)
    }

    @Test("a producer that may not publish waits until it may")
    func notAllowed() async throws {
        let broker = try await TestBroker(partitions: 1)
        // InitProducerId, and "cluster authorization failed".
        broker.process?.write("refuse 22 31 100000")
        let manager = try ServiceManager()
        let process = try broker.startProducer([], manager.environment.merging(["LOG_LEVEL": "debug"]) { $1 })
        try await eventually("the status says why") { manager.status.contains("Cluster authorization failed") }
        try await eventually("a new client was refused each second") {
            process.log.ranges(of: "still waiting for").count > 4
        }
        broker.process?.write("serve 22")
        try await eventually("it delivers") { try broker.messageCount() > 40 }
        try await eventually("the status says so") { !manager.status.contains("waiting for Kafka") }
        process.kill(SIGTERM)
        #expect(try await process.waitForEnd(within: .seconds(60)) == .exited(0))
        #expect(try lastCounts(in: process.log).undelivered == 0)
        let lines = process.log.split(separator: "\n")
        for text in ["unable to work with Kafka", "behind by", "caught up"] {
            #expect(lines.count { $0.contains(text) && !$0.contains(" debug ") } <= 2, "not once a second")
        }
    }

    @Test(
        "a topic that is deleted, a right that is taken, and a refusal of another kind are waited for",
        arguments: [(3, "Unknown topic"), (29, "Topic authorization failed"), (32, "Invalid timestamp")])
    func waits(code: Int, cause: String) async throws {
        let broker = try await TestBroker(partitions: 1)
        let manager = try ServiceManager()
        let process = try broker.startProducer(
            [], manager.environment.merging(["RDKAFKA_TOPIC_METADATA_REFRESH_INTERVAL_MS": "500"]) { $1 })
        try await eventually("it delivers") { try broker.messageCount() > 20 }
        if code != 32 { broker.process?.write("topic \(code)") }
        broker.process?.write("refuse \(Self.produce) \(code) 1000")
        try await eventually("the status says why") {
            manager.status.contains("waiting for Kafka since") && manager.status.contains(cause)
        }
        broker.process?.write("topic 0")
        broker.process?.write("serve \(Self.produce)")
        let before = try broker.messageCount()
        try await eventually("it delivers again") { try broker.messageCount() > before + 40 }
        try await eventually("the status says so") { !manager.status.contains("waiting for Kafka") }
        process.kill(SIGTERM)
        #expect(try await process.waitForEnd(within: .seconds(60)) == .exited(0))
        #expect(try lastCounts(in: process.log).undelivered == 0)
    }
}
