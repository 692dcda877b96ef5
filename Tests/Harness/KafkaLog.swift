import Kafka

/// A message as Kafka keeps it.
package struct KeptMessage: Sendable {
    package let offset: Int64
    /// Milliseconds since 1970.
    package let timestamp: Int64?
    package let key: [UInt8]?
    package let value: [UInt8]?
    package let headers: [KafkaMessage.Header]

    init(_ message: borrowing KafkaMessage) {
        offset = message.offset
        timestamp = message.timestamp
        // A span can not go through Optional's map.
        if let bytes = message.key { key = bytes.withUnsafeBytes { Array($0) } } else { key = nil }
        if let bytes = message.payload { value = bytes.withUnsafeBytes { Array($0) } } else { value = nil }
        headers = message.headers
    }
}

extension TestBroker {
    /// Reads one partition from its beginning to the end that it has now, past any consumer group.
    package func read(partition number: Int32) async throws -> [KeptMessage] {
        let partition = TopicPartition(topic: topic, partition: number)
        let consumer = try KafkaConsumer(configuration(["fetch.wait.max.ms": "10", "enable.auto.commit": "false"]))
        let end = try consumer.cluster.watermarks(of: partition, withinMilliseconds: 10_000).high
        try consumer.assign([.beginning(of: partition)])
        var kept: [KeptMessage] = []
        try await eventually("offset \(end - 1) of partition \(number) is read") {
            while (kept.last?.offset ?? -1) < end - 1 {
                guard case .message(let message) = consumer.poll(milliseconds: 100) else { return false }
                kept.append(KeptMessage(message))
            }
            return true
        }
        return kept
    }
}
