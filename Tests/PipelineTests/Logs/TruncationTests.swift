import Harness
import Testing

extension EndToEnd {
    /// Kafka loses the end of a log, as by a power cut.
    @Suite("Truncated logs") struct Truncations {
        /// How much longer the log gets before the consumer looks: 1,000 messages are stored, and 900 are left.
        enum Growth: Int, CaseIterable { case none = 0, short = 20, overgrown = 250 }

        @Test("nothing is stored twice, what is new is stored, and the number is said", arguments: Growth.allCases)
        func stopped(growth: Growth) async throws {
            let faulty = try await FaultyBroker(partitions: 1)
            let pipeline = try await Pipeline(on: TestBroker(faulty))
            try await faulty.write(batches: batches(0..<1000))
            try await pipeline.drain()
            let growing = 1000 + growth.rawValue
            try await faulty.truncate(at: 940, thenWriting: batches(1000..<growing, of: 30))
            let consumer = try await pipeline.startReadyConsumer()
            try await finish(pipeline, faulty, of: consumer, messages: growing)
        }

        @Test("the same while a consumer is running", arguments: Growth.allCases)
        func running(growth: Growth) async throws {
            let faulty = try await FaultyBroker(partitions: 1)
            let pipeline = try await Pipeline(on: TestBroker(faulty))
            let consumer = try await pipeline.startReadyConsumer()
            try await faulty.write(batches: batches(0..<1000))
            try await pipeline.untilStored(1000)
            let growing = 1000 + growth.rawValue
            try await faulty.truncate(at: 940, thenWriting: batches(1000..<growing, of: 30))
            try await finish(pipeline, faulty, of: consumer, messages: growing)
        }

        /// Expects that the loss of 100 is said, and that all goes on.
        private func finish(
            _ pipeline: Pipeline, _ faulty: FaultyBroker, of consumer: ChildProcess, messages: Int
        ) async throws {
            try await eventually("the loss is said") {
                consumer.log.contains(
                    "Kafka has lost the end of its log from offset 900 on: 100 stored messages are no longer in Kafka")
            }
            try await faulty.write(batches: batches(messages..<messages + 50))
            try await pipeline.untilAllStored(faulty)
            try await pipeline.stop(consumer)
            #expect(consumer.log.components(separatedBy: "has lost the end").count == 2, "it is said once")
            try await pipeline.expectAll(of: faulty.dump(), lost: 100)
            try await pipeline.expectSound(messages + 50)
            let verification = try await pipeline.verify()
            #expect(verification.output.contains("100 stored messages are no longer in Kafka"))
        }
    }
}
