internal import CLibRdKafka

/// One partition of a topic.
public struct TopicPartition: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// The topic's name.
    public let topic: String
    /// The partition's number, from 0.
    public let partition: Int32

    /// A partition of a topic.
    public init(topic: String, partition: Int32) {
        self.topic = topic
        self.partition = partition
    }

    /// `topic [partition]`, as librdkafka writes it.
    public var description: String { "\(topic) [\(partition)]" }

    /// By topic, then by partition.
    public static func < (left: Self, right: Self) -> Bool {
        (left.topic, left.partition) < (right.topic, right.partition)
    }
}

/// A partition and the offset of the next message to read from it.
public struct PartitionOffset: Hashable, Sendable {
    /// The partition.
    public let partition: TopicPartition
    /// The offset of the next message.
    public let offset: Int64

    /// A partition and the offset of the next message to read from it.
    public init(partition: TopicPartition, offset: Int64) {
        self.partition = partition
        self.offset = offset
    }

    /// Read from the oldest message that the log has.
    public static func beginning(of partition: TopicPartition) -> PartitionOffset {
        PartitionOffset(partition: partition, offset: Int64(RD_KAFKA_OFFSET_BEGINNING))
    }
}

/// The offsets between which a partition can be read.
public struct Watermarks: Hashable, Sendable {
    /// The oldest offset that the log still has.
    public let low: Int64
    /// One past the newest offset.
    public let high: Int64

    /// The offsets between which a partition can be read.
    public init(low: Int64, high: Int64) {
        self.low = low
        self.high = high
    }
}

/// `rd_kafka_topic_partition_list_t`, freed when it goes out of scope.
@safe struct PartitionList: ~Copyable {
    let handle: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>?

    init(_ offsets: [PartitionOffset]) {
        unsafe handle = rd_kafka_topic_partition_list_new(Int32(offsets.count))
        for offset in offsets {
            let entry = unsafe rd_kafka_topic_partition_list_add(
                handle, offset.partition.topic, offset.partition.partition)
            unsafe entry?.pointee.offset = offset.offset
        }
    }

    init(topic: String) {
        unsafe handle = rd_kafka_topic_partition_list_new(1)
        _ = unsafe rd_kafka_topic_partition_list_add(handle, topic, RD_KAFKA_PARTITION_UA)
    }

    deinit { unsafe rd_kafka_topic_partition_list_destroy(handle) }

    /// The offsets that librdkafka has filled in, without those that it could not.
    var offsets: [PartitionOffset] {
        guard let handle = unsafe handle else { return [] }
        return unsafe (0..<Int(handle.pointee.cnt)).compactMap { index in
            let entry = unsafe handle.pointee.elems[index]
            guard unsafe entry.err == RD_KAFKA_RESP_ERR_NO_ERROR, unsafe entry.offset >= 0 else { return nil }
            let partition = unsafe TopicPartition(topic: String(cString: entry.topic), partition: entry.partition)
            return unsafe PartitionOffset(partition: partition, offset: entry.offset)
        }
    }

    /// The partitions of a list that librdkafka owns.
    static func partitions(of list: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>?) -> [TopicPartition] {
        guard let list = unsafe list else { return [] }
        return unsafe (0..<Int(list.pointee.cnt)).map { index in
            let entry = unsafe list.pointee.elems[index]
            return unsafe TopicPartition(topic: String(cString: entry.topic), partition: entry.partition)
        }
    }
}
