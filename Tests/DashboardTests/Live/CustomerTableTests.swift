import Foundation
import Testing

@testable import Dashboard

struct CustomerTableTests {
    private func row(_ id: CustomerKey, _ readings: Int64, at time: Int64 = 1_000_000_000) -> CustomerTable.Row {
        CustomerTable.Row(
            id: id, recordedAt: time, heartRate: 70, isAnomaly: false, reason: nil, readings: readings, anomalies: 0)
    }

    @Test("a customer keeps a place among the most active until another is clearly more so")
    func clearly() {
        var table = CustomerTable()
        let ids = "abcdefgh".map { CustomerKey(String($0)) }
        table.update(ids.map { row($0, 100) }, at: 1_000_000_000)
        #expect(table.mostActive == ["a", "b", "c", "d", "e", "f"])
        // As active as the six: nothing changes. Clearly more: the place of the least active, in its line.
        table.update(ids.map { row($0, $0 == "g" ? 110 : 109) }, at: 1_001_000_000)
        #expect(table.mostActive == ["a", "b", "c", "d", "e", "f"])
        table.update(ids.map { row($0, $0 == "g" ? 200 : $0 == "c" ? 110 : 150) }, at: 1_002_000_000)
        #expect(table.mostActive == ["a", "b", "g", "d", "e", "f"])
    }

    @Test("who is silent for five minutes is not active")
    func active() {
        var table = CustomerTable()
        table.update([row("a", 100), row("b", 5, at: 1_290_000_000)], at: 1_301_000_000)
        #expect(table.mostActive == ["b"])
    }

    @Test("older readings complete a trend, and what was seen stays")
    func older() throws {
        var table = CustomerTable()
        table.update([row("a", 1, at: 100_000_000)], at: 100_000_000)
        table.completeTrend(of: "a", with: [(80_000_000, 60), (100_000_000, 61)])
        let customer = try #require(table.customer("a"))
        #expect(customer.trend.values(at: 100_000_000).suffix(3) == [60, nil, 70])
        #expect(customer.isTrendComplete)
    }

    @Test("ids of the same characters and other bytes are two customers")
    func bytes() {
        // "é" as one scalar and as two.
        let (one, two): (CustomerKey, CustomerKey) = ("caf\u{e9}", "cafe\u{301}")
        #expect(one.text == two.text && one != two)
        var table = CustomerTable()
        table.update([row(two, 1), row(one, 2)], at: 1_000_000_000)
        #expect(table.customer(one)?.row.readings == 2)
        #expect(table.customer(two)?.row.readings == 1)
        #expect(Set(table.mostActive) == [one, two])
    }

    @Test("a customer that is deleted disappears")
    func gone() {
        var table = CustomerTable()
        table.update([row("a", 1), row("b", 1)], at: 1_000_000_000)
        table.update([row("b", 2)], at: 1_001_000_000)
        #expect(table.customer("a") == nil)
        #expect(table.customer("b")?.row.readings == 2)
        #expect(table.mostActive == ["b"])
    }
}
