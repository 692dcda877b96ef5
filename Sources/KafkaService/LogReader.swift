public import Kafka

/// Reads single places of logs, and asks what a cluster has, with a client of its own, which is in no group. It may wait
/// for Kafka.
public struct LogReader: ~Copyable {
    private let client: KafkaConsumer
    private let lastCause = LastCause()
    /// How long Kafka has for one answer.
    private static let milliseconds: Int32 = 10_000

    /// A client that has not connected yet.
    ///
    /// - Throws: `KafkaError` when librdkafka refuses the configuration.
    public init(_ configuration: KafkaConfiguration) throws(KafkaError) {
        var configuration = configuration
        let own = [
            ("enable.auto.commit", "false"), ("auto.offset.reset", "error"), ("enable.partition.eof", "true"),
            ("statistics.interval.ms", "0"),
            // An assignment waits for the answer to the last fetch, and only the first few messages are wanted of each.
            ("fetch.wait.max.ms", "10"), ("fetch.message.max.bytes", "16384"),
        ]
        for (name, value) in own { try configuration.set(name, value) }
        let lastCause = lastCause
        client = try KafkaConsumer(
            configuration, events: KafkaEvents(log: { _, _ in }, error: { lastCause.note($0) }))
    }

    /// The cluster's id.
    ///
    /// - Throws: `KafkaError` when no broker answers in time, with the cause as far as the client knows it.
    public func clusterID(withinMilliseconds timeout: Int32) throws(KafkaError) -> String {
        if let id = client.cluster.id(withinMilliseconds: timeout) { return id }
        client.handleEvents()
        throw lastCause.behind(.timedOut(unableTo: "ask Kafka for its cluster's id"))
    }

    /// Between which offsets these partitions can be read; without those that have no leader now.
    public func watermarks(of partitions: [TopicPartition]) throws(KafkaError) -> [TopicPartition: Watermarks] {
        try client.cluster.watermarks(of: partitions, withinMilliseconds: Self.milliseconds)
    }

    /// How many partitions a topic has; nil when there is none.
    public func partitionCount(of topic: String) throws(KafkaError) -> Int? {
        try self.topic(topic)?.partitions
    }

    /// What the cluster says of a topic; nil when there is none.
    public func topic(_ name: String) throws(KafkaError) -> KafkaCluster.Topic? {
        try client.cluster.topic(name, withinMilliseconds: Self.milliseconds)
    }

    /// A topic's settings by Kafka's names.
    ///
    /// - Throws: `KafkaError`, also when the broker has no admin interface or this client may not ask.
    public func settings(of topic: String, withinMilliseconds timeout: Int32) throws(KafkaError) -> [String: String] {
        try client.cluster.settings(of: topic, withinMilliseconds: timeout)
    }

    /// How many brokers the cluster has now.
    public func brokerCount() throws(KafkaError) -> Int {
        try client.cluster.brokerCount(withinMilliseconds: Self.milliseconds)
    }

    /// Whether any member of a group has partitions; nil while the group is being assigned.
    public func hasReaders(group: String) throws(KafkaError) -> Bool? {
        try client.cluster.hasReaders(group: group, withinMilliseconds: Self.milliseconds)
    }

    /// What some offsets' first messages are turned into; nothing when readers get none.
    public func messages<Message>(
        of place: TopicPartition, in offsets: Range<Int64>, most: Int, as turned: (borrowing KafkaMessage) -> Message
    ) throws(KafkaError) -> [Message] {
        try client.assign([PartitionOffset(partition: place, offset: offsets.lowerBound)])
        let deadline = ContinuousClock.now + .milliseconds(Int(Self.milliseconds))
        var found: [Message] = []
        var trouble = KafkaError.timedOut(unableTo: "read \(place) at offset \(offsets.lowerBound)")
        while found.count < most {
            switch client.poll(milliseconds: 100) {
            case .message(let message):
                guard message.partition == place.partition, message.offset >= offsets.lowerBound else { continue }
                guard message.offset < offsets.upperBound else { return found }
                found.append(turned(message))
            case .end(let end) where end.partition == place.partition: return found
            case .partitionFailed(_, let error):
                if error.code == .autoOffsetReset { return found }
                throw error
            case .failed(let error): throw error
            // Whether the group can be used does not matter here.
            case .troubled(let error): trouble = error
            default: break
            }
            guard ContinuousClock.now < deadline else { throw trouble }
        }
        return found
    }
}
