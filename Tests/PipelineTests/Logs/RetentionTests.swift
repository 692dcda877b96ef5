import Harness
import Testing

extension EndToEnd {
    /// Kafka deletes the beginning of a log before it was read.
    @Suite("Deleted before it was read") struct Retentions {
        @Test("it has one name, at the start of a consumer and while it is running", arguments: [true, false])
        func deleted(isRunning: Bool) async throws {
            let faulty = try await FaultyBroker(partitions: 1)
            let pipeline = try await Pipeline(on: TestBroker(faulty))
            var consumer = try await pipeline.startReadyConsumer()
            try await faulty.write(batches: batches(0..<500))
            try await pipeline.untilStored(500)
            if !isRunning { try await pipeline.stop(consumer) }
            try await faulty.write(batches: batches(500..<1000), deletingBefore: 750)
            if !isRunning { consumer = try await pipeline.startReadyConsumer() }
            try await pipeline.untilAllStored(faulty)
            try await faulty.write(batches: batches(1000..<1050))
            try await pipeline.untilAllStored(faulty)
            try await pipeline.stop(consumer)
            #expect(consumer.log.contains(" error consumer: Kafka has deleted 250 messages before they were read"))
            let gaps = try pipeline.database.rows("SELECT from_offset, until_offset, reason FROM offset_gaps")
            #expect(gaps == [["500", "750", "deleted by Kafka before it was read"]])
            // What retention deletes after it was stored is nobody's loss.
            try await pipeline.expectAll(of: faulty.dump(), lost: 500)
            try await pipeline.expectSound(800)
        }
    }
}
