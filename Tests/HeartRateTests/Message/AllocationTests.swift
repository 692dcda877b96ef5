import CAllocationCounter
import HeartRate
import Testing

/// Nothing may be allocated per message: neither in release, which is what runs, nor in debug.
@Suite("Allocations") struct AllocationTests {
    @Test("the counter counts")
    func counter() {
        let before = allocation_count()
        var array = [1, 2, 3]
        array.reserveCapacity(1000)
        #expect(allocation_count() > before)
        #expect(array.count == 3)
    }

    @Test("100,000 messages decoded, judged and encoded")
    func readings() throws {
        var decoder = ReadingDecoder()
        var encoder = MessageWriter()
        let rule = AnomalyRule(minimum: 60, maximum: 100)
        let payloads = try (30..<230).map { bpm -> [UInt8] in
            let activity: Activity? = bpm % 3 == 0 ? nil : Activity.allCases[bpm % 4]
            return encode(try reading(bpm % 2 == 0 ? "cust_\(bpm)" : "\"Zoë\" 🫀 \(bpm)", bpm: Int16(bpm), activity))
        }
        var (heartBeats, reasonBytes, encodedBytes) = (0, 0, 0)
        func pass() throws {
            // By index, because an array's iterator allocates in debug.
            for index in payloads.indices {
                let payload = payloads[index]
                let reading = try decoder.decode(payload.span.bytes, receivedAt: now)
                heartBeats += Int(reading.heartRate)
                reasonBytes += rule.judge(reading.heartRate)?.withReason { $0.count } ?? 0
                encodedBytes += encoder.write(reading).byteCount
            }
        }
        // The first passes make the parser's buffers and the runtime's metadata.
        for _ in 0..<3 { try pass() }
        let before = allocation_count()
        for _ in 0..<500 { try pass() }
        let allocations = allocation_count() - before
        #expect(allocations == 0)
        #expect(heartBeats > 0 && reasonBytes > 0 && encodedBytes > 0)
    }
}
