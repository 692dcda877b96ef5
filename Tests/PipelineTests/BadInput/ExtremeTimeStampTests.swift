import Harness
import Testing

extension EndToEnd {
    /// Kafka's time stamps are whatever the sender wrote, and offsets whatever a broker counts.
    @Suite("Extreme time stamps and offsets") struct ExtremeTimeStamps {
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

        @Test("readings and rejected messages are stored, whatever the offsets at which their logs begin")
        func offsets() async throws {
            let starts: [Int64] = [
                0x7FFF_FFFE, 0xFFFF_FFFE, (1 << 53) - 1, 1 << 62, .max / 2, .max - 40, .max - 30, .max - 20,
            ]
            let faulty = try await FaultyBroker(partitions: starts.count)
            for (partition, start) in starts.enumerated() { try await faulty.begin(partition, at: start) }
            let pipeline = try await Pipeline(on: TestBroker(faulty))
            func write(_ minute: Int) async throws {
                for partition in starts.indices {
                    let reading = Message(
                        customer: "c\(partition)", timestamp: "2026-02-19T15:5\(minute):03Z", heartRate: 72)
                    try await faulty.write([reading, Message(key: nil, value: Array("no JSON".utf8))], to: partition)
                }
            }
            try await write(0)
            try await pipeline.drain()
            try await write(1)
            let consumer = try await pipeline.startReadyConsumer()
            try await write(2)
            try await pipeline.untilStored(6 * starts.count)
            // The lag of all of them is computed and told.
            let status = try await Heartbeat.run(
                ["database", "status"], pipeline.database.settings(as: "heartbeat-dashboard"))
            #expect(status.end == .exited(0), "\(status.log)")
            try await pipeline.stop(consumer)
            try await pipeline.expectSound(6 * starts.count)
            let ends = try pipeline.database.rows("SELECT partition, next_offset FROM kafka_offsets ORDER BY 1")
            #expect(ends == starts.enumerated().map { ["\($0)", "\($1 + 6)"] })
        }
    }
}
