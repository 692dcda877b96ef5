import Testing

@testable import Dashboard

struct TrendTests {
    /// Adds a reading every `step` seconds, the last one at the end.
    private func trend(_ rates: [Int64], every step: Int64 = 10, until end: Int64) -> Trend {
        var trend = Trend()
        for (place, rate) in rates.enumerated() {
            trend.add(rate, at: (end - Int64(rates.count - 1 - place) * step) * 1_000_000)
        }
        return trend
    }

    @Test("it has the latest rate of each ten seconds of the last five minutes")
    func steps() {
        let values = trend(Array(1...400), every: 1, until: 3999).values(at: 3_999_000_000)
        #expect(values == stride(from: 110, through: 400, by: 10).map { Int16($0) })
    }

    @Test("time that passes without a reading is empty, and five minutes later there is nothing")
    func silence() {
        let trend = trend([70, 71], until: 1000)
        #expect(trend.values(at: 1_020_000_000).suffix(4) == [70, 71, nil, nil])
        #expect(trend.values(at: 1_400_000_000) == Array(repeating: nil, count: 30))
        #expect(trend.direction(at: 1_400_000_000) == nil)
    }

    @Test("a late reading goes where it belongs, and one from long ago nowhere")
    func late() {
        var trend = trend([70, 71], until: 1000)
        trend.add(50, at: 980_000_000)
        trend.add(51, at: 1_000_000)
        #expect(trend.values(at: 1_000_000_000).compactMap(\.self) == [50, 70, 71])
    }

    @Test(
        "the arrow shows where the rate goes, not how it trembles",
        arguments: [
            (Array(repeating: 70, count: 9), Trend.Direction.steady), ([70, 72, 69, 71, 70, 72, 74, 69, 73], .steady),
            ([70, 70, 70, 70, 70, 70, 80, 90, 100], .rising), ([170, 160, 150, 140, 130, 120, 110, 100, 90], .falling),
        ] as [([Int64], Trend.Direction)])
    func direction(rates: [Int64], wanted: Trend.Direction) {
        #expect(trend(rates, until: 1000).direction(at: 1_000_000_000) == wanted)
    }
}
