import HeartRate
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
