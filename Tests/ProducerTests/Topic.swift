import Foundation
import Kafka
import Testing

/// A topic of its own: in an embedded broker, or in the cluster that `HEARTBEAT_TEST_KAFKA` names.
final class Topic {
    /// One message as it was read.
    struct Message: Equatable {
        var partition: Int32
        var key: String?
        var payload: String
    }

    static let cluster = ProcessInfo.processInfo.environment["HEARTBEAT_TEST_KAFKA"]
    static let partitions = 4

    let name = "heartbeat-test-\(UUID())"
    let servers: String
    /// Nil when a real cluster is used.
    let broker: Program?

    init() throws {
        guard Self.cluster == nil else {
            (servers, broker) = (try #require(Self.cluster), nil)
            return
        }
        let broker = try Program(["broker", "--topic", name, "--partitions", "\(Self.partitions)"])
        self.broker = broker
        servers = try eventually { broker.printed.split(separator: "\n").first.map(String.init) }
    }

    /// Starts a producer for the topic. Its settings are the defaults without any faults, unless they are given.
    func producer(_ arguments: [String], _ settings: [String: String] = [:]) throws -> Program {
        let own = [
            "KAFKA_BOOTSTRAP_SERVERS": servers, "KAFKA_TOPIC": name, "MALFORMED_RATE": "0", "DROPOUT_RATE": "0",
            "LATE_RATE": "0", "SEED": "1",
        ]
        return try Program(["producer"] + arguments, environment: own.merging(settings) { $1 })
    }

    /// Waits until there are so many messages at least.
    func waitForMessages(_ count: Int) throws { _ = try messages(count, andTheRest: false) }

    /// Reads until there are so many messages, and then what there is beyond them.
    func messages(_ count: Int, andTheRest: Bool = true) throws -> [Message] {
        var configuration = KafkaConfiguration()
        for (name, value) in [
            ("bootstrap.servers", servers), ("group.id", "test"), ("enable.auto.commit", "false"),
            ("fetch.wait.max.ms", "10"),
        ] { try configuration.set(name, value) }
        let consumer = try KafkaConsumer(configuration)
        try consumer.assign(
            (0..<Self.partitions).map { .beginning(of: TopicPartition(topic: name, partition: Int32($0))) })
        var messages: [Message] = []
        func read(milliseconds: Int32) -> Bool {
            guard case .message(let message) = consumer.poll(milliseconds: milliseconds) else { return false }
            messages.append(
                Message(
                    partition: message.partition, key: text(message.key), payload: text(message.payload) ?? "null"))
            return true
        }
        _ = try eventually {
            while messages.count < count, read(milliseconds: 100) {}
            return messages.count >= count ? true : nil
        }
        while andTheRest, read(milliseconds: 500) {}
        return messages
    }
}

private func text(_ bytes: RawSpan?) -> String? {
    guard let bytes else { return nil }
    return String(
        decoding: bytes.byteOffsets.map { bytes.unsafeLoad(fromByteOffset: $0, as: UInt8.self) }, as: UTF8.self)
}
