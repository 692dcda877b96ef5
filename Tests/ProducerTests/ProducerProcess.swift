import Foundation
import Harness
import Testing

extension TestBroker {
    /// Settings of a producer for this broker: the same hearts each time and nothing wrong with their sensors.
    private func producerSettings(_ settings: [String: String]) -> [String: String] {
        let own = [
            "KAFKA_BOOTSTRAP_SERVERS": bootstrapServers, "KAFKA_TOPIC": topic, "KAFKA_PARTITIONS": "\(partitions)",
            "MALFORMED_RATE": "0", "DROPOUT_RATE": "0", "LATE_RATE": "0", "SEED": "1",
        ]
        return own.merging(settings) { $1 }
    }

    /// Starts a producer.
    func startProducer(_ arguments: [String], _ settings: [String: String] = [:]) throws -> ChildProcess {
        try Heartbeat.start("producer", ["producer"] + arguments, settings: producerSettings(settings))
    }

    /// Runs a producer to its end.
    func runProducer(_ arguments: [String], _ settings: [String: String] = [:]) async throws -> Heartbeat.Finished {
        try await Heartbeat.run(["producer"] + arguments, producerSettings(settings))
    }

    /// The partitions' messages, by their keys, in their order.
    func messagesByKey() async throws -> [String: [String]] {
        var messages: [String: [String]] = [:]
        for partition in 0..<partitions {
            for message in try await read(partition: Int32(partition)) {
                messages[text(message.key), default: []].append(text(message.value))
            }
        }
        return messages
    }
}

func text(_ bytes: [UInt8]?) -> String { bytes.map { String(decoding: $0, as: UTF8.self) } ?? "null" }

/// The numbers of the sentence with which a producer ends.
func lastCounts(in log: String) throws -> (delivered: Int, undelivered: Int) {
    let match = try #require(log.firstMatch(of: /: (\d+) delivered, (\d+) not delivered\n/))
    return (try #require(Int(match.1)), try #require(Int(match.2)))
}

/// Only the embedded broker can be taken down.
let isEmbedded = (ProcessInfo.processInfo.environment["HEARTBEAT_TEST_KAFKA"] ?? "").isEmpty
