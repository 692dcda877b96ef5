import Harness
import Testing

extension EndToEnd {
    /// Kafka's time stamps are whatever the sender wrote.
    @Suite("Extreme time stamps") struct ExtremeTimeStamps {
        @Test("readings and rejected messages are stored, whatever Kafka's time stamp of them is")
        func stored() async throws {
            // Nanoseconds instead of milliseconds, and the ends of the type.
            let stamps: [Int64] = [
                1_771_516_383_000_000_000, .max, .max / 1000 + 1, .max / 1000, 253_402_300_800_000, 0,
            ]
            let faulty = try await FaultyBroker(partitions: 1)
            let pipeline = try await Pipeline(on: TestBroker(faulty))
            let consumer = try await pipeline.startReadyConsumer()
            for (number, stamp) in stamps.enumerated() {
                let reading = Message(customer: "a", timestamp: "2026-02-19T15:53:0\(number)Z", heartRate: 72)
                try await faulty.write([reading, Message(key: nil, value: Array("no JSON".utf8))], timestamp: stamp)
            }
            try await pipeline.untilStored(2 * stamps.count)
            try await pipeline.stop(consumer)
            try await pipeline.expectSound(2 * stamps.count)
            let found = try pipeline.database.rows("SELECT count(*), max(produced_at) > 'today' FROM rejected_messages")
            #expect(found == [["\(stamps.count)", "t"]])
        }
    }
}
