import Harness
import Testing

@testable import Kafka

/// When a full queue of fetched messages has to be filled again.
@Suite("The queue of fetched messages", .ownFolder, .logsOnFailure) struct FetchQueueTests {
    /// What a queue needs at each look: its length, and how many milliseconds after the first.
    private func needs(_ looks: [(count: Int, at: Int)]) -> [FetchQueue.Need?] {
        var queue = FetchQueue()
        let start = ContinuousClock.now + .seconds(1)
        return looks.map { queue.look($0.count, at: start + .milliseconds($0.at)) }
    }

    @Test("more is asked for when nothing has come for a while and half is gone, and again when that did not help")
    func shrinking() {
        let looks = [(60_000, 0), (31_000, 50), (29_000, 60), (14_000, 70), (6000, 90)]
        #expect(needs(looks) == [nil, nil, .more, nil, .more])
        #expect(needs([(300, 0), (0, 5), (0, 25), (0, 50)]) == [nil, nil, .more, nil])
    }

    @Test("nothing is asked for while messages come, or when few came at once")
    func flowing() {
        #expect(needs([(5000, 0), (2000, 10), (2500, 25), (100, 40), (400, 50)]).allSatisfy { $0 == nil })
        #expect(needs([(150, 0), (0, 100), (150, 200), (0, 300)]).allSatisfy { $0 == nil })
    }

    @Test("memory is given back once, some time after many messages waited")
    func memory() {
        let looks = [(10_000, 0), (10_000, 9000), (9999, 18_000), (9999, 19_000), (9999, 60_000)]
        #expect(needs(looks) == [nil, nil, nil, .lessMemory, nil])
        #expect(needs([(9000, 0), (9000, 60_000)]) == [nil, nil])
    }

    @Test("a queue that is full again and again does not stop the reading for a second each time")
    func full() async throws {
        // Each batch alone is more than the queue may have.
        let (batches, size) = (150, 600)
        let broker = try await TestBroker(partitions: 1)
        let producer = try KafkaProducer(
            broker.configuration(["batch.num.messages": "\(size)", "linger.ms": "1000"]), topic: broker.topic)
        for number in 0..<batches * size {
            let value = [UInt8(truncatingIfNeeded: number)]
            while try !producer.produce(key: nil, value: value, headers: []) { producer.poll(milliseconds: 10) }
        }
        #expect(producer.flush(milliseconds: 60_000) == 0)
        var properties = ["queued.min.messages": "\(size / 2)", "fetch.message.max.bytes": "1000"]
        if KafkaConfiguration.knows("fetch.queue.backoff.ms") { properties["fetch.queue.backoff.ms"] = "10" }
        let consumer = try KafkaConsumer(broker.configuration(properties))
        let partition = TopicPartition(topic: broker.topic, partition: 0)
        try consumer.assign([PartitionOffset(partition: partition, offset: 0)])
        var next: Int64 = 0
        // A second for each batch would be more than the limit.
        try await eventually("all were read") {
            while case .message(let message) = consumer.poll(milliseconds: 100) {
                #expect(message.offset == next)
                next += 1
            }
            return next == Int64(batches * size)
        }
    }
}
