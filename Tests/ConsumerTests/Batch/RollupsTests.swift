import HeartRate
import Simulation
import Testing

@testable import Consumer

@Suite("What a batch changes of customers and minutes") struct RollupTests {
    private func reading(_ id: String, second: Int64, bpm: Int16) throws -> Reading {
        try #require(
            Reading(
                customerID: try CustomerID(id), recordedAt: Instant(microsecondsSince1970: second * 1_000_000),
                heartRate: bpm))
    }

    @Test("a customer's latest reading is the latest by its time stamp, of two with the same one the later")
    func latest() throws {
        var customers = CustomerChanges()
        let rule = AnomalyRule()
        for (id, second, bpm) in [("a", 5, 70), ("b", 5, 30), ("a", 7, 200), ("a", 6, 71), ("b", 5, 60)] {
            let reading = try reading(id, second: Int64(second), bpm: Int16(bpm))
            _ = customers.add(reading, rule.judge(reading.heartRate), sourceID: 1)
        }
        #expect(customers.changes.map(\.latest.heartRate) == [200, 60])
        #expect(customers.changes.map { $0.latest.anomaly != nil } == [true, false])
        #expect(customers.changes.map(\.readings) == [3, 2] && customers.changes.map(\.anomalies) == [1, 1])
        customers.removeAll()
        #expect(customers.changes.isEmpty && customers.customers.count == 0)
    }

    @Test("a producer may write anything as the time at which it sent", arguments: [Int64.min, -1, 0, 1, Int64.max])
    func arrival(_ milliseconds: Int64) throws {
        for at in [Instant.earliest, Instant(microsecondsSince1970: 0), Instant.latest] {
            var customers = CustomerChanges()
            let reading = try #require(Reading(customerID: try CustomerID("a"), recordedAt: at, heartRate: 70))
            let number = customers.add(reading, nil, sourceID: 1)
            customers.noteArrival(of: number, at, at: milliseconds)
            let arrival = try #require(customers.changes[0].arrival)
            #expect(arrival.delay == arrival.at - at.microsecondsSince1970 / 1000)
        }
    }

    @Test("what batches change, one after the other, is what one batch changes")
    func sums() throws {
        var random = SplitMix64(seed: 5, stream: 1)
        let rule = AnomalyRule()
        var (whole, parts) = (CustomerChanges(), CustomerChanges())
        var (minutes, minuteParts) = (MinuteChanges(), MinuteChanges())
        for batch in 0..<20 {
            var (part, minutePart) = (CustomerChanges(), MinuteChanges())
            for _ in 0..<30 {
                let id = "customer \(Int.random(in: 0..<12, using: &random))"
                let second = Int64.random(in: -200...200, using: &random)
                let reading = try reading(id, second: second, bpm: .random(in: 20...220, using: &random))
                let anomaly = rule.judge(reading.heartRate)
                _ = whole.add(reading, anomaly, sourceID: Int32(batch))
                _ = part.add(reading, anomaly, sourceID: Int32(batch))
                minutes.add(reading, isAnomaly: anomaly != nil)
                minutePart.add(reading, isAnomaly: anomaly != nil)
            }
            parts.add(part)
            minuteParts.add(minutePart)
        }
        func described(_ changes: CustomerChanges) -> [String] {
            changes.changes.enumerated().map { number, change in
                "\(String(decoding: changes.customers.id(number), as: UTF8.self)) \(change)"
            }
        }
        #expect(described(parts) == described(whole))
        #expect(minuteParts.changes.map { "\($0)" } == minutes.changes.map { "\($0)" })
    }

    @Test("a minute is that of the time stamp, also before 1970")
    func minutes() throws {
        var minutes = MinuteChanges()
        for (second, bpm) in [(0, 60), (59, 80), (60, 300), (-1, 50), (30, 40)] {
            minutes.add(try reading("a", second: Int64(second), bpm: Int16(min(bpm, 299))), isAnomaly: bpm == 300)
        }
        #expect(minutes.changes.map(\.start.microsecondsSince1970) == [0, 60_000_000, -60_000_000])
        #expect(minutes.changes.map(\.readings) == [3, 1, 1] && minutes.changes.map(\.anomalies) == [0, 1, 0])
        #expect(minutes.changes.map(\.lowest) == [40, 299, 50] && minutes.changes.map(\.highest) == [80, 299, 50])
        #expect(minutes.changes.map(\.sum) == [180, 299, 50])
        minutes.removeAll()
        minutes.add(try reading("a", second: 59, bpm: 61), isAnomaly: false)
        #expect(minutes.changes.map(\.sum) == [61])
    }
}
