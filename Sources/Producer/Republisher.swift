public import Daemon
public import Kafka
import KafkaService

/// Publishes messages that exist already, as they are: each to its own topic, acknowledged by all replicas.
public final class Republisher {
    /// A message.
    public struct Message: Sendable {
        /// Where to.
        public let topic: String
        /// nil for null.
        public let key, value: [UInt8]?
        /// In their order.
        public let headers: [KafkaMessage.Header]

        /// A message with its parts.
        public init(topic: String, key: [UInt8]?, value: [UInt8]?, headers: [KafkaMessage.Header]) {
            self.topic = topic
            self.key = key
            self.value = value
            self.headers = headers
        }
    }

    private let configuration: KafkaConfiguration
    private var producers: [String: KafkaProducer] = [:]

    /// A publisher with these settings; connects to nothing yet.
    ///
    /// - Throws: `SettingsError` when librdkafka refuses a property.
    public init(_ settings: Settings) throws {
        configuration = try settings.kafkaConfiguration(
            for: .producer,
            defaults: [
                ("client.id", "heartbeat-rejected"), ("message.timeout.ms", "60000"),
                // What a consumer could read may be larger than the default lets a producer send.
                ("message.max.bytes", "10485760"),
            ],
            fixed: [("enable.idempotence", "true"), ("acks", "all")])
    }

    /// Returns when all are acknowledged.
    ///
    /// - Throws: `CommandFailure` when some are not; `KafkaError`.
    public func publish(_ messages: [Message]) throws {
        for message in messages {
            let producer = try producer(for: message.topic)
            while try !producer.produce(key: message.key, value: message.value, headers: message.headers) {
                producer.poll(milliseconds: 100)
            }
        }
        for (topic, producer) in producers {
            // librdkafka itself gives a message up after message.timeout.ms.
            let waiting = producer.flush(milliseconds: 90_000)
            guard waiting == 0, producer.counts.failed == 0 else {
                throw CommandFailure(
                    .unavailable, "\(waiting + producer.counts.failed) messages to \"\(topic)\" are not acknowledged",
                    hint: "they are not marked as published: run the command again when Kafka is well")
            }
        }
    }

    private func producer(for topic: String) throws -> KafkaProducer {
        if let producer = producers[topic] { return producer }
        let producer = try KafkaProducer(configuration, topic: topic)
        producers[topic] = producer
        return producer
    }
}
