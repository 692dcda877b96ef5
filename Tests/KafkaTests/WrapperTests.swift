import Foundation
import Harness
import Testing

@testable import Kafka

@Suite("Against a broker", .serialized, .ownFolder, .logsOnFailure)
struct WrapperTests {
    /// The error that a body throws.
    private func error(_ body: () throws(KafkaError) -> Void) throws -> KafkaError {
        do throws(KafkaError) {
            try body()
        } catch {
            return error
        }
        throw HarnessError("it was expected to fail")
    }

    @Test("a message comes back as it was sent")
    func roundTrip() async throws {
        let broker = try await TestBroker(partitions: 1)
        let before = Int64(Date().timeIntervalSince1970 * 1000) - 1
        let sent = [
            Message(key: [1, 0, 255], value: [0, 255, 10]), Message(key: [], value: []), Message(key: nil, value: nil),
            Message(key: [65], value: nil), Message(key: nil, value: [66]),
            Message(
                key: [65], value: [66],
                headers: [
                    .init(name: "b", value: [0, 255]), .init(name: "a", value: nil), .init(name: "b", value: []),
                    .init(name: "", value: [1]),
                ]),
            Message(key: [67], value: [UInt8](repeating: 88, count: 900_000)),
        ]
        try broker.publish(sent)
        let kept = try await broker.read(partition: 0)
        #expect(kept.map(\.offset) == (0..<Int64(sent.count)).map { $0 })
        for (kept, sent) in zip(kept, sent) {
            #expect(kept.key == sent.key && kept.value == sent.value && kept.headers == sent.headers)
            #expect((before...before + 120_000).contains(kept.timestamp ?? 0))
        }
    }

    @Test("assignments can follow right after one another")
    func assignments() async throws {
        let broker = try await TestBroker(partitions: 4)
        let consumer = try KafkaConsumer(broker.configuration())
        let offsets = (0..<4).map {
            PartitionOffset(partition: TopicPartition(topic: broker.topic, partition: $0), offset: 0)
        }
        try consumer.assign(offsets)
        // Until they have started.
        for _ in 0..<20 { _ = consumer.poll(milliseconds: 50) }
        // Without a wait in between librdkafka's assertion ends the process.
        for _ in 0..<1000 { try consumer.assign(offsets) }
        try broker.publish([Message(key: nil, value: [1])])
        try await eventually("what was assigned is read") {
            if case .message = consumer.poll(milliseconds: 100) { true } else { false }
        }
    }

    @Test("spans are copied, and an empty value is not a tombstone")
    func spans() async throws {
        let broker = try await TestBroker(partitions: 1)
        let producer = try KafkaProducer(broker.configuration(), topic: broker.topic)
        let key: [UInt8] = [9]
        var value = [UInt8](repeating: 1, count: 100)
        #expect(try producer.produce(key: key.span.bytes, value: value.span.bytes))
        for index in value.indices { value[index] = 2 }
        #expect(try producer.produce(key: key.span.bytes, value: [UInt8]().span.bytes))
        #expect(try producer.produce(key: key.span.bytes, value: nil))
        #expect(producer.flush(milliseconds: 30_000) == 0)
        #expect(producer.counts == .init(delivered: 3, failed: 0))
        let kept = try await broker.read(partition: 0)
        #expect(kept.map(\.value) == [[UInt8](repeating: 1, count: 100), [], nil])
        #expect(kept.allSatisfy { $0.key == key })
    }

    @Test("a full queue says so, takes more after it was polled, and loses nothing")
    func queueFull() async throws {
        let broker = try await TestBroker(partitions: 1)
        let producer = try KafkaProducer(
            broker.configuration(["queue.buffering.max.messages": "10", "linger.ms": "100"]), topic: broker.topic)
        var accepted = 0
        while try producer.produce(key: [1], value: [2], headers: []) { accepted += 1 }
        #expect(accepted == 10 && producer.waiting == 10)
        #expect(try !producer.produce(key: [UInt8]().span.bytes, value: [UInt8]().span.bytes))
        try await eventually("there is room again") {
            producer.poll(milliseconds: 10)
            return try producer.produce(key: [1], value: [3], headers: [.init(name: "x", value: [1])])
        }
        #expect(producer.flush(milliseconds: 30_000) == 0)
        #expect(producer.counts == .init(delivered: 11, failed: 0))
        #expect(try broker.messageCount() == 11)
    }

    @Test("a message that is too large is refused at once")
    func tooLarge() throws {
        var configuration = KafkaConfiguration()
        try configuration.set("message.max.bytes", "2000")
        let producer = try KafkaProducer(configuration, topic: "x")
        let large = [UInt8](repeating: 1, count: 3000)
        let plain = try error { () throws(KafkaError) in
            _ = try producer.produce(key: large.span.bytes, value: large.span.bytes)
        }
        let withHeaders = try error { () throws(KafkaError) in
            _ = try producer.produce(key: nil, value: large, headers: [.init(name: "x", value: nil)])
        }
        for found in [plain, withHeaders] {
            #expect(found.code == .messageTooLarge && !found.isRetriable && !found.isFatal)
        }
        #expect(producer.waiting == 0)
    }

    @Test("a message that nobody takes is given up in time, and counted")
    func undeliverable() throws {
        var configuration = KafkaConfiguration()
        try configuration.set("bootstrap.servers", "127.0.0.1:1")
        try configuration.set("message.timeout.ms", "500")
        let failures = Failures()
        let producer = try KafkaProducer(
            configuration, topic: "x", events: KafkaEvents(log: { _, _ in }, error: { failures.add($0) }))
        #expect(try producer.produce(key: [1], value: [2], headers: []))
        #expect(producer.flush(milliseconds: 30_000) == 0)
        #expect(producer.counts == .init(delivered: 0, failed: 1))
        #expect(failures.all.contains { $0.description.hasPrefix("unable to deliver a message: ") })
    }

    @Test(
        "what librdkafka does not take is refused before anything starts",
        arguments: [("no.such.thing", "1"), ("acks", "many"), ("linger.ms", "-1"), ("security.protocol", "telnet")])
    func badConfiguration(name: String, value: String) throws {
        var configuration = KafkaConfiguration()
        let found = try error { () throws(KafkaError) in try configuration.set(name, value) }
        #expect(found.code == .invalidArgument && !found.isRetriable)
        #expect(found.description.hasPrefix("unable to set \(name): "))
        #expect(configuration.properties.isEmpty)
    }

    @Test("properties that only together are wrong are refused by the client")
    func contradiction() throws {
        var configuration = KafkaConfiguration()
        try configuration.set("enable.idempotence", "true")
        try configuration.set("acks", "1")
        let found = try error { () throws(KafkaError) in _ = try KafkaProducer(configuration, topic: "x") }
        #expect(found.description.hasPrefix("unable to create a producer: "))
        #expect(!found.isRetriable)
        var noGroup = KafkaConfiguration()
        try noGroup.set("bootstrap.servers", "127.0.0.1:1")
        let consumer = try KafkaConsumer(noGroup)
        #expect(throws: KafkaError.self) { try consumer.subscribe(to: "x") }
    }

    @Test("errors that a person has to end are no outages")
    func refusals() {
        for code in [KafkaError.Code.authentication, .tls, .topicAuthorizationFailed] {
            let error = KafkaError(.init(code.rawValue), unableTo: "try")
            #expect(error.isRefusal && !error.isRetriable && !error.isWithoutAnswer && !error.isFatal)
        }
        let outage = KafkaError(.init(KafkaError.Code.allBrokersDown.rawValue), unableTo: "try")
        #expect(!outage.isRefusal && outage.isRetriable && outage.isWithoutAnswer)
    }

    @Test("a client that does not get closed holds nobody up")
    func boundedClose() {
        let context = ClientContext(events: .ignored)
        let hanging = DispatchSemaphore(value: 0)
        let isClosed = closeWithinLimit(keeping: context, within: .milliseconds(10)) { hanging.wait() }
        #expect(!isClosed)
        hanging.signal()
        #expect(closeWithinLimit(keeping: context) {})
    }

    @Test("questions to the cluster")
    func cluster() async throws {
        let broker = try await TestBroker(partitions: 3)
        try broker.publish([Message(key: nil, value: [1])])
        let client = try KafkaConsumer(broker.configuration())
        #expect(client.cluster.id(withinMilliseconds: 10_000)?.isEmpty == false)
        let topic = try client.cluster.topic(broker.topic, withinMilliseconds: 10_000)
        #expect(topic?.partitions == 3 && topic?.replicationFactor == 1)
        #expect(try broker.watermarks().reduce(0) { $0 + $1.high - $1.low } == 1)
        #expect(throws: KafkaError.self) {
            try client.cluster.watermarks(
                of: TopicPartition(topic: broker.topic, partition: 99), withinMilliseconds: 2000)
        }
    }

    @Test("nobody answers: a question ends in time, and can be asked again")
    func unavailable() throws {
        var configuration = KafkaConfiguration()
        try configuration.set("bootstrap.servers", "127.0.0.1:1")
        try configuration.set("group.id", "x")
        let client = try KafkaConsumer(configuration)
        #expect(client.cluster.id(withinMilliseconds: 100) == nil)
        let found = try error { () throws(KafkaError) in
            _ = try client.cluster.topic("x", withinMilliseconds: 100)
        }
        #expect(found.isRetriable && !found.isFatal)
        let partition = TopicPartition(topic: "x", partition: 0)
        let marks = try error { () throws(KafkaError) in
            _ = try client.cluster.watermarks(of: partition, withinMilliseconds: 100)
        }
        #expect(marks.isRetriable && marks.description.hasPrefix("unable to ask for the watermarks of x [0]: "))
        #expect(client.cachedWatermarks(of: partition) == nil)
    }

    @Test("a group member is given partitions, reads from where it says, pauses, and gives them back")
    func group() async throws {
        let broker = try await TestBroker(partitions: 1)
        try broker.publish((0..<100).map { Message(key: nil, value: [UInt8($0)]) })
        let properties = [
            "group.id": broker.group, "session.timeout.ms": "6000", "fetch.wait.max.ms": "10",
            "enable.auto.commit": "false", "partition.assignment.strategy": "range",
        ]
        let consumer = try KafkaConsumer(broker.configuration(properties))
        try consumer.subscribe(to: broker.topic)
        let assigned = try await first("partitions are assigned") { () -> [TopicPartition]? in
            if case .assigned(let partitions) = consumer.poll(milliseconds: 100) { partitions } else { nil }
        }
        let partition = TopicPartition(topic: broker.topic, partition: 0)
        #expect(assigned == [partition])

        try consumer.assign([PartitionOffset(partition: partition, offset: 40)])
        #expect(try await consumer.offsets(upTo: 99) == Array(40...99))
        #expect(consumer.cachedWatermarks(of: partition)?.high == 100)
        // Reading again from an earlier place; what was fetched before does not come in between.
        try consumer.assign([PartitionOffset(partition: partition, offset: 10)])
        #expect(try await consumer.offsets(upTo: 99) == Array(10...99))
        try consumer.commitWithoutWaiting([PartitionOffset(partition: partition, offset: 100)])

        try consumer.assign([])
        try broker.publish([Message(key: nil, value: [100])])
        // Something has to happen that takes time when nothing comes: a whole poll.
        guard case .nothing = consumer.poll(milliseconds: 500) else {
            Issue.record("a partition was read that is not assigned")
            return
        }
        try consumer.assign([PartitionOffset(partition: partition, offset: 100)])
        #expect(try await consumer.offsets(upTo: 100) == [100])

        // A second member: the group takes everything back first.
        let other = try KafkaConsumer(broker.configuration(properties))
        try other.subscribe(to: broker.topic)
        let revoked = try await first("partitions are revoked") { () -> [TopicPartition]? in
            _ = other.poll(milliseconds: 10)
            if case .revoked(let partitions) = consumer.poll(milliseconds: 100) { return partitions }
            return nil
        }
        #expect(revoked == [partition])
        try consumer.unassign()
    }

    @Test("partitions have an order and a name")
    func partitions() {
        let partitions = [("b", 0), ("a", 10), ("a", 2)].map { TopicPartition(topic: $0.0, partition: $0.1) }
        #expect(partitions.sorted().map(\.description) == ["a [2]", "a [10]", "b [0]"])
        let beginning = PartitionOffset.beginning(of: partitions[0])
        #expect(beginning.offset == -2, "RD_KAFKA_OFFSET_BEGINNING")
    }
}

/// The errors that a client told of itself, on its own threads.
private final class Failures: @unchecked Sendable {
    private let lock = NSLock()
    private var found: [KafkaError] = []

    var all: [KafkaError] { lock.withLock { found } }

    func add(_ error: KafkaError) { lock.withLock { found.append(error) } }
}

extension KafkaConsumer {
    /// The offsets of the messages that are handed out until one has this offset.
    fileprivate func offsets(upTo last: Int64) async throws -> [Int64] {
        var offsets: [Int64] = []
        try await eventually("offset \(last) is read") {
            if case .message(let message) = poll(milliseconds: 100) { offsets.append(message.offset) }
            return offsets.last == last
        }
        return offsets
    }
}
