import Daemon
import HeartRate
import Kafka

/// Reads single places of logs with a client of its own, which is in no group. It may wait for Kafka.
struct LogReader: ~Copyable {
    private let client: KafkaConsumer
    private let topic: String
    private var decoder = ReadingDecoder()
    /// How long Kafka has for one answer.
    private static let milliseconds: Int32 = 10_000

    init(_ configuration: KafkaConfiguration, topic: String) throws(KafkaError) {
        client = try KafkaConsumer(configuration)
        self.topic = topic
    }

    /// Between which offsets these partitions can be read; without those that have no leader now.
    func watermarks(of partitions: [Int32]) throws(KafkaError) -> [Int32: Watermarks] {
        let places = partitions.map { TopicPartition(topic: topic, partition: $0) }
        let found = try client.cluster.watermarks(of: places, withinMilliseconds: Self.milliseconds)
        return Dictionary(uniqueKeysWithValues: found.map { ($0.key.partition, $0.value) })
    }

    /// How many partitions the topic has; nil when there is none.
    func partitionCount() throws(KafkaError) -> Int? {
        try client.cluster.topic(topic, withinMilliseconds: Self.milliseconds)?.partitions
    }

    /// The first messages of some offsets; none when readers get none.
    mutating func messages(
        of partition: Int32, in offsets: Range<Int64>, most: Int
    ) throws(KafkaError) -> [StoredMessage] {
        let place = TopicPartition(topic: topic, partition: partition)
        try client.assign([PartitionOffset(partition: place, offset: offsets.lowerBound)])
        let deadline = ContinuousClock.now + .milliseconds(Int(Self.milliseconds))
        var found: [StoredMessage] = []
        while found.count < most {
            switch client.poll(milliseconds: 100) {
            case .message(let message):
                guard message.partition == partition, message.offset >= offsets.lowerBound else { continue }
                guard message.offset < offsets.upperBound else { return found }
                found.append(stored(message))
            case .end: return found
            case .partitionFailed(_, let error):
                if error.code == .autoOffsetReset { return found }
                throw error
            case .troubled(let error): throw error
            case .failed(let error): throw error
            default:
                guard ContinuousClock.now < deadline else {
                    throw KafkaError.timedOut(unableTo: "read \(place) at offset \(offsets.lowerBound)")
                }
            }
        }
        return found
    }

    private mutating func stored(_ message: borrowing KafkaMessage) -> StoredMessage {
        // Whatever was judged when it was stored: time has not gone back since.
        let limits = DecodingLimits(
            maximumPayloadBytes: .max, maximumClockSkew: Microseconds(.seconds(86_400)))
        let now = Instant(microsecondsSince1970: wallClockMicroseconds())
        let reading = try? decoder.decode(message.payload, receivedAt: now, limits: limits)
        return StoredMessage(
            offset: message.offset, reading: reading, payload: message.payloadBytes, fingerprint: message.fingerprint)
    }
}
