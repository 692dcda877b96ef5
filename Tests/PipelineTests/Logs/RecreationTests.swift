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

        @Test("it is recreated when the old one has just been examined: the new one is read from its beginning")
        func examined() async throws {
            let faulty = try await FaultyBroker(partitions: 1)
            let pipeline = try await Pipeline(on: TestBroker(faulty))
            try await faulty.write(batches: batches(0..<100))
            try await pipeline.drain()
            // Compaction has removed the last message, so that the log has to be examined.
            try await faulty.compact(removing: [99])
            try await recreate(faulty, of: pipeline, once: "the log is the same")
        }

        @Test("the same where Kafka had deleted all that is stored, and maybe the rest, too", arguments: [150, 200])
        func deletedAndExamined(before low: Int) async throws {
            let faulty = try await FaultyBroker(partitions: 1)
            let pipeline = try await Pipeline(on: TestBroker(faulty))
            try await faulty.write(batches: batches(0..<100))
            try await pipeline.drain()
            try await faulty.write(batches: batches(100..<200))
            try await faulty.write(batches: [], to: 0, deletingBefore: Int64(low))
            try await recreate(faulty, of: pipeline, once: "Kafka has deleted \(low - 100) messages")
        }

        /// Has a consumer examine a log of which 100 messages are stored, and puts another one with more messages in its place
        /// before the first of it is fetched.
        private func recreate(_ faulty: FaultyBroker, of pipeline: Pipeline, once verdict: String) async throws {
            // The broker keeps the examination waiting.
            try await faulty.mute(1, ["list_offsets"])
            let consumer = try pipeline.startConsumer("consumer")
            try await eventually("the database has said where") { consumer.log.contains("reading 1 partitions") }
            // It cannot say so again before the topic is another one.
            var writer: StoppedThread? = try StoppedThread("writer", of: consumer)
            try await faulty.mute(1, [])
            try await eventually("the log was examined") { consumer.log.contains(verdict) }
            try await faulty.deleteTopic()
            try await faulty.createTopic(writing: batches(1000..<1300).map { (partition: 0, messages: $0) })
            withExtendedLifetime(writer) {}
            writer = nil
            try await pipeline.untilAllStored(faulty)
            try await pipeline.stop(consumer)
            #expect(consumer.log.contains("the topic was recreated"))
            try await pipeline.expectAll(of: faulty.dump(), lost: 100)
            try await pipeline.expectSound(400)
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
