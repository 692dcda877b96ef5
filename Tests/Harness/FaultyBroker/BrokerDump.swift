import Foundation
import Kafka

/// What a cluster has: the count that does not come from heartbeat.
package struct BrokerDump: Sendable, Decodable {
    package struct Partition: Sendable, Decodable {
        package let topic: String
        package let partition: Int
        package let low, high: Int64
        /// The last stable offset.
        package let stable: Int64
        package let leader, epoch: Int
        /// What a `read_committed` reader gets.
        package let messages: [Kept]
    }

    /// A message that a reader gets.
    package struct Kept: Sendable, Decodable, Hashable {
        package let offset: Int64
        /// Milliseconds since 1970.
        package let timestamp: Int64
        package let key, value: Data?

        package init(from decoder: any Decoder) throws {
            var fields = try decoder.unkeyedContainer()
            offset = try fields.decode(Int64.self)
            timestamp = try fields.decode(Int64.self)
            key = try fields.decodeIfPresent(Data.self)
            value = try fields.decodeIfPresent(Data.self)
        }

        /// As `KafkaMessage.fingerprint`.
        package var fingerprint: Int64 {
            var fingerprint = Fingerprint()
            fingerprint.add(timestamp)
            for part in [key, value] {
                if let part { fingerprint.add([UInt8](part).span.bytes) } else { fingerprint.add(nil) }
            }
            return fingerprint.value
        }
    }

    /// What a group has committed.
    package struct GroupOffset: Sendable, Decodable {
        package let group, topic: String
        package let partition: Int
        package let offset: Int64
        /// How often the group was assigned.
        package let generation: Int
    }

    package let partitions: [Partition]
    package let groups: [GroupOffset]
    /// What the cluster could not answer: a mistake in it or in a client.
    package let complaints: [String]

    /// How many messages a reader gets.
    package var messageCount: Int { partitions.reduce(0) { $0 + $1.messages.count } }
}

extension FaultyBroker {
    /// All that it has now.
    package func dump() async throws -> BrokerDump {
        let path = try TestFolder.required().path + "/\(UUID().uuidString).json"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try await ask("dump", ["path": path])
        return try JSONDecoder().decode(BrokerDump.self, from: Data(contentsOf: URL(filePath: path)))
    }
}
