import Harness
import Kafka
import Testing

/// What librdkafka says by itself, of a broker in another process.
@Suite("Statistics and ends", .ownFolder) struct KafkaStatisticsTests {
    @Test("a consumer hears of its brokers, of the partitions' ends and of an offset that the log does not have")
    func events() async throws {
        let broker = try await TestBroker(partitions: 2)
        try broker.publish((0..<20).map { Message(key: [1], value: [UInt8($0)]) })
        let consumer = try KafkaConsumer(
            broker.configuration([
                "statistics.interval.ms": "200", "enable.partition.eof": "true", "auto.offset.reset": "error",
            ]))
        let partitions = [Int32(0), 1].map { TopicPartition(topic: broker.topic, partition: $0) }
        let marks = try consumer.cluster.watermarks(of: partitions, withinMilliseconds: 10_000)
        #expect(marks.count == 2 && marks.values.reduce(0) { $0 + $1.high } == 20)
        try consumer.assign([
            PartitionOffset(partition: partitions[0], offset: 0),
            PartitionOffset(partition: partitions[1], offset: 500),
        ])
        var end: KafkaPlace?
        var failure: (KafkaPlace, KafkaError)?
        var statistics: KafkaStatistics?
        try await eventually("all three were heard") {
            switch consumer.poll(milliseconds: 100) {
            case .end(let place): end = place
            case .partitionFailed(let place, let error): failure = (place, error)
            case .statistics(let found):
                if found.topics[broker.topic]?[0]?.end == marks[partitions[0]]?.high { statistics = found }
            default: break
            }
            return end != nil && failure != nil && statistics != nil
        }
        #expect(end?.partition == 0 && end?.offset == marks[partitions[0]]?.high)
        #expect(failure?.0.partition == 1 && failure?.1.code == .autoOffsetReset)
        let leader = try #require(statistics?.topics[broker.topic]?[0]?.leader)
        let found = try #require(statistics?.brokers.first { $0.id == leader })
        #expect(found.isUp && found.silence.map { $0 < 10_000_000 } == true)
        let counts = consumer.connectionCounts
        #expect(counts.count(of: leader) > counts.count(of: 99), "its connections, and look-ups for all")
        #expect(counts.count(of: 99) > 0 && consumer.connectionCount >= counts.count(of: leader))
    }

    @Test("what is no JSON of librdkafka's is nothing")
    func malformed() {
        #expect(KafkaStatistics(json: []) == nil && KafkaStatistics(json: Array("{}".utf8)) == nil)
    }
}
