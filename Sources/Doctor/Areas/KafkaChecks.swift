import Consumer
import Daemon
import Kafka
import KafkaService
import SharedSettings

/// Whether Kafka answers, and what becomes of readings there.
struct KafkaChecks {
    private let installation: Installation
    /// What a cluster that does not answer may take.
    private static let patience: Int32 = 5000

    init(_ installation: Installation) { self.installation = installation }

    var checks: [Check] {
        guard let settings = installation.consumer else {
            return [.skipped("kafka", "the consumer's settings cannot be used")]
        }
        let place = settings.kafkaPlace
        do {
            let configuration = try settings.kafkaConfiguration(
                for: .consumer, defaults: [("client.id", "heartbeat-doctor"), ("group.id", "heartbeat-doctor")],
                fixed: [])
            let reader = try LogReader(configuration)
            _ = try reader.clusterID(withinMilliseconds: Self.patience)
            return try [.ok("kafka.reachable", place)] + topicChecks(reader, settings)
        } catch {
            return [
                .error(
                    "kafka.reachable", "\(place): \(error)",
                    remedy: installation.adviceToRoot
                        ?? "start the broker, or correct KAFKA_BOOTSTRAP_SERVERS and RDKAFKA_... in consumer.conf"),
                .skipped("kafka", "the rest cannot be known without an answer"),
            ]
        }
    }

    private func topicChecks(_ reader: borrowing LogReader, _ settings: Settings) throws -> [Check] {
        let name = settings[.kafkaTopic]
        guard let found = try reader.topic(name) else {
            return [
                .error(
                    "kafka.topic", "there is no topic \"\(name)\"",
                    remedy: "start a consumer or producer, which creates it, or correct KAFKA_TOPIC in consumer.conf"),
                .skipped("kafka", "the rest cannot be known without a topic"),
            ]
        }
        var facts = TopicFacts(name: name, partitions: found.partitions, copies: found.replicationFactor)
        facts.servers = settings[.kafkaBootstrapServers]
        facts.brokers = try reader.brokerCount()
        facts.consumers = DaemonMetrics.all(in: settings[.metricsDirectory])
            .count { $0.isCurrent && $0.name.hasPrefix("consumer") }
        facts.retentionDays = settings[.retentionDays]
        facts.maxMessageBytes = settings[.maxMessageBytes]
        do throws(KafkaError) {
            facts.settings = try reader.settings(of: name, withinMilliseconds: Self.patience)
        } catch {
            facts.unknown = error.isWithoutAnswer ? "the broker has no admin interface" : "\(error)"
        }
        facts.newestAhead = try newest(reader, name, of: found.partitions).map { $0 - wallClockMicroseconds() / 1000 }
        facts.skew = Int64(settings[.maxClockSkewSeconds] / .milliseconds(1))
        return facts.checks
    }

    /// The time stamp of the last message of the longest log, in milliseconds since 1970.
    private func newest(_ reader: borrowing LogReader, _ topic: String, of count: Int) throws -> Int64? {
        let places = (0..<min(count, 100)).map { TopicPartition(topic: topic, partition: Int32($0)) }
        let ends = try reader.watermarks(of: places)
        guard let (place, end) = ends.max(by: { $0.value.high < $1.value.high }), end.high > end.low else { return nil }
        return try reader.messages(of: place, in: end.high - 1..<end.high, most: 1) { $0.timestamp }.first ?? nil
    }
}
