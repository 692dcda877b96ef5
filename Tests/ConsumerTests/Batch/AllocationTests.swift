import CAllocationCounter
import HeartRate
import Testing

@testable import Consumer

/// The path of a message from its bytes to its row: decode, detect, append.
@Suite("Allocations") struct AllocationTests {
    private let payloads: [[UInt8]] = (0..<2000).map { number in
        let bpm = number % 50 == 0 ? 200 : 60 + number % 60
        let id = "customer number \(number % 500)"
        return Array(
            """
            {"schema_version": "1.0", "customer_id": "\(id)", "timestamp": "2026-02-19T15:53:03.123456+00:00", \
            "heart_rate": \(bpm)}
            """.utf8)
    }

    @Test("100,000 messages from bytes to rows, through both batches")
    func steadyState() throws {
        let now = Instant(microsecondsSince1970: 1_800_000_000_000_000)
        let exchange = BatchExchange(mostRows: 2000)
        exchange.gather { $0.start(at: [Position(sourceID: 1, partition: 0, offset: 0)]) }
        var written = Batch()
        var decoder = ReadingDecoder()
        let rule = AnomalyRule()
        var offset: Int64 = 0
        var allocations: UInt64 = 0
        var rows = 0
        var anomalies = 0
        for pass in 0..<60 {
            let before = allocation_count()
            for index in payloads.indices {
                let payload = payloads[index]
                let reading = try decoder.decode(payload.span.bytes, receivedAt: now)
                let anomaly = rule.judge(reading.heartRate)
                exchange.gather {
                    $0.append(reading, anomaly: anomaly, day: 20_000, slot: 0, offset: offset)
                }
                offset += 1
            }
            // The first passes make the buffers of both batches and the customers.
            if pass >= 10 { allocations += allocation_count() - before }
            guard case .write? = exchange.next(into: &written, milliseconds: 0)?.job else {
                Issue.record("nothing was gathered")
                return
            }
            rows += written.readings.rowCount
            anomalies += written.progress.reduce(0) { $0 + Int($1.anomalies) }
            #expect(written.moved.map(\.next) == [offset])
            exchange.finish(.written(written.moved), epoch: 0)
            written.removeAll()
        }
        #expect(allocations == 0)
        #expect(rows == 120_000)
        #expect(anomalies == 2400)
        #expect(offset == 120_000)
    }
}
