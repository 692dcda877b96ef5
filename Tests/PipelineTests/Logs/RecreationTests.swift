import Harness
import Testing

extension EndToEnd {
    /// The topic is deleted and created again under its name.
    @Suite("Recreated topics") struct Recreations {
        @Test("the new one is read from its beginning, shorter or longer than the old one", arguments: [0, 300, 2000])
        func stopped(count: Int) async throws {
            let faulty = try await FaultyBroker(partitions: 2)
            let pipeline = try await Pipeline(on: TestBroker(faulty))
            try await write(0..<1000, faulty)
            try await pipeline.drain()
            try await faulty.deleteTopic()
            try await faulty.createTopic(writing: new(count))
            let consumer = try await pipeline.startReadyConsumer()
            try await finish(pipeline, faulty, of: consumer, stored: count)
        }

        /// How soon the topic is there again: before the consumer can know that it was deleted, or after.
        enum Return: CaseIterable { case quick, slow }

        @Test("the same while a consumer is running", arguments: [0, 300, 2000], Return.allCases)
        func running(count: Int, return: Return) async throws {
            let faulty = try await FaultyBroker(partitions: 2)
            let pipeline = try await Pipeline(on: TestBroker(faulty))
            let consumer = try await pipeline.startReadyConsumer()
            try await write(0..<1000, faulty)
            try await pipeline.untilStored(1000)
            try await faulty.deleteTopic()
            if `return` == .slow {
                try await eventually("the deletion is seen") { consumer.log.contains("waiting for Kafka") }
            }
            try await faulty.createTopic(writing: new(count))
            try await finish(pipeline, faulty, of: consumer, stored: count)
        }

        @Test("while it is deleted the status says so, and it goes on when the topic is there again")
        func deleted() async throws {
            let faulty = try await FaultyBroker(partitions: 2)
            let pipeline = try await Pipeline(on: TestBroker(faulty))
            let manager = try ServiceManager()
            let consumer = try await pipeline.startReadyConsumer("consumer", manager.environment)
            try await write(0..<1000, faulty)
            try await pipeline.untilStored(1000)
            try await faulty.deleteTopic()
            try await eventually("the status tells of it") {
                !manager.status.contains("lag 0") && manager.status.contains("waiting for Kafka")
            }
            try await faulty.createTopic()
            try await write(1000..<1300, faulty)
            try await finish(pipeline, faulty, of: consumer, stored: 300)
        }

        /// Half of them into each partition.
        private func write(_ numbers: Range<Int>, _ faulty: FaultyBroker) async throws {
            let middle = numbers.lowerBound + numbers.count / 2
            try await faulty.write(batches: batches(numbers.lowerBound..<middle), to: 0)
            try await faulty.write(batches: batches(middle..<numbers.upperBound), to: 1)
        }

        private func new(_ count: Int) -> [(partition: Int, messages: [Message])] {
            batches(1000..<1000 + count, of: 50).enumerated().map { ($0.offset % 2, $0.element) }
        }

        private func finish(
            _ pipeline: Pipeline, _ faulty: FaultyBroker, of consumer: ChildProcess, stored count: Int
        ) async throws {
            let after = 1000 + count
            try await pipeline.untilAllStored(faulty)
            try await write(after..<after + 100, faulty)
            try await pipeline.untilAllStored(faulty)
            try await pipeline.stop(consumer)
            let told = consumer.log.split(separator: "\n").filter { $0.contains("the topic was recreated") }
            #expect(told.count == 2, "once for each partition")
            try await pipeline.expectAll(of: faulty.dump(), lost: 1000)
            try await pipeline.expectSound(after + 100)
            #expect(
                try pipeline.database.rows("SELECT max(incarnation), count(*) FROM kafka_offsets") == [["2", "4"]],
                "a new incarnation of each partition")
        }
    }
}
