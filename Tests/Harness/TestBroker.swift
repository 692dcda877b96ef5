import Foundation
import Kafka

/// Kafka for one test: an embedded broker in a process of its own, or a fresh topic on `HEARTBEAT_TEST_KAFKA`.
package final class TestBroker: Sendable {
    package let bootstrapServers: String
    package let topic: String
    package let group: String
    package let partitions: Int
    /// The embedded broker; nil for a cluster outside, and for one that can be told to misbehave.
    package let process: ChildProcess?
    /// The cluster that can be told to misbehave, if it is one.
    package let faulty: FaultyBroker?

    /// Starts it, or makes a topic; by default with a name that no other test has.
    package init(partitions: Int = 4, topic name: String? = nil) async throws {
        topic = name ?? "heartbeat-test-\(UUID().uuidString.prefix(8))"
        group = topic
        self.partitions = partitions
        faulty = nil
        if let outside = Self.outside {
            process = nil
            bootstrapServers = outside
            try KafkaConsumer(configuration()).cluster.createTopic(
                topic, as: .init(partitions: partitions, replicationFactor: 1), withinMilliseconds: 30_000)
            return
        }
        let broker = try Heartbeat.start(
            "broker", ["broker", "--topic", topic, "--partitions", "\(partitions)"], settings: [:])
        process = broker
        bootstrapServers = try await first("the broker says its address") {
            broker.output.split(separator: "\n").first.map(String.init)
        }
    }

    /// The topic of a cluster that can be told to misbehave.
    package init(_ faulty: FaultyBroker) {
        topic = faulty.topic
        group = topic
        partitions = faulty.partitions
        process = nil
        bootstrapServers = faulty.bootstrapServers
        self.faulty = faulty
    }

    /// The cluster outside that the tests have to use.
    private static let outside = ProcessInfo.processInfo.environment["HEARTBEAT_TEST_KAFKA"].flatMap {
        $0.isEmpty ? nil : $0
    }

    /// Whether it is the embedded one, with its limits and with what only can be done to it.
    package static var isEmbedded: Bool { outside == nil }
    package var isEmbedded: Bool { process != nil }

    /// A consumer's settings for this broker.
    package var settings: [String: String] {
        var settings = [
            "KAFKA_TOPIC": topic, "KAFKA_GROUP_ID": group, "KAFKA_PARTITIONS": "\(partitions)",
            "RDKAFKA_SESSION_TIMEOUT_MS": "6000",
        ].merging(serverSettings) { $1 }
        // The embedded broker sleeps that long when there is nothing to fetch.
        if process != nil { settings["RDKAFKA_FETCH_WAIT_MAX_MS"] = "10" }
        return settings
    }

    /// A producer's settings for this broker.
    package var producerSettings: [String: String] {
        var settings = ["KAFKA_TOPIC": topic, "KAFKA_PARTITIONS": "\(partitions)"].merging(serverSettings) { $1 }
        // It has to read them for its dump.
        if faulty != nil { settings["RDKAFKA_COMPRESSION_CODEC"] = "none" }
        return settings
    }

    /// Where this broker is, and how to log in.
    package var serverSettings: [String: String] {
        var settings = ["KAFKA_BOOTSTRAP_SERVERS": bootstrapServers]
        for (name, value) in faulty?.clientProperties ?? [:] {
            settings["RDKAFKA_" + name.uppercased().replacingOccurrences(of: ".", with: "_")] = value
        }
        return settings
    }

    /// A client's configuration; the properties are librdkafka's.
    package func configuration(_ properties: [String: String] = [:]) throws -> KafkaConfiguration {
        var configuration = KafkaConfiguration()
        let all = ["bootstrap.servers": bootstrapServers, "group.id": "the-tests"]
            .merging(faulty?.clientProperties ?? [:]) { $1 }
        for (name, value) in all.merging(properties, uniquingKeysWith: { $1 }) { try configuration.set(name, value) }
        return configuration
    }

    /// Between which offsets each partition can be read, by its number.
    package func watermarks() throws -> [Watermarks] {
        let client = try KafkaConsumer(configuration())
        return try (0..<partitions).map { number in
            try client.cluster.watermarks(
                of: TopicPartition(topic: topic, partition: Int32(number)), withinMilliseconds: 10_000)
        }
    }

    /// How many messages were ever appended.
    package func messageCount() throws -> Int { Int(try watermarks().reduce(0) { $0 + $1.high }) }

    /// Publishes messages in their order and waits until all are acknowledged.
    package func publish(_ messages: some Sequence<Message>, _ properties: [String: String] = [:]) throws {
        let publisher = try Publisher(self, properties)
        for message in messages { try publisher.queue(message) }
        try publisher.flush()
    }
}

/// What to publish.
package struct Message: Sendable {
    package var key: [UInt8]?
    package var value: [UInt8]?
    package var headers: [KafkaMessage.Header] = []

    package init(key: [UInt8]?, value: [UInt8]?, headers: [KafkaMessage.Header] = []) {
        self.key = key
        self.value = value
        self.headers = headers
    }

    /// A reading as the contract has it.
    package init(customer: String, timestamp: String, heartRate: some CustomStringConvertible) {
        self.init(
            key: Array(customer.utf8),
            value: Array(
                """
                {"schema_version": "1.0", "customer_id": "\(customer)", "timestamp": "\(timestamp)", \
                "heart_rate": \(heartRate)}
                """.utf8))
    }
}

/// A producer that loses nothing. Used from one thread.
package struct Publisher {
    private let producer: KafkaProducer

    package init(_ broker: TestBroker, _ properties: [String: String] = [:]) throws {
        try self.init(Self.configuration(for: broker, properties), topic: broker.topic)
    }

    package init(_ configuration: KafkaConfiguration, topic: String) throws {
        producer = try KafkaProducer(configuration, topic: topic)
    }

    package static func configuration(
        for broker: TestBroker, _ properties: [String: String] = [:]
    ) throws -> KafkaConfiguration {
        let safe = ["enable.idempotence": "true", "acks": "all", "linger.ms": "20"]
        return try broker.configuration(safe.merging(properties, uniquingKeysWith: { $1 }))
    }

    package func queue(_ message: Message) throws {
        while try !producer.produce(key: message.key, value: message.value, headers: message.headers) {
            producer.poll(milliseconds: 10)
        }
        producer.poll(milliseconds: 0)
    }

    /// Waits until all are acknowledged.
    package func flush() throws {
        let waiting = producer.flush(milliseconds: 60_000)
        guard waiting == 0, producer.counts.failed == 0 else {
            throw HarnessError("\(waiting) messages wait to be published, \(producer.counts.failed) failed")
        }
    }
}
