import Testing

@testable import Dashboard

@Suite struct SearchDateTests {
    private static let day = Int64(1_771_459_200_000_000)  // 2026-02-19T00:00:00Z
    private static let days = Int64(86_400_000_000)
    private static let moment = day + 57_183_000_000  // 15:53:03

    @Test(
        "a date stands for as long a time as it is exact",
        arguments: [
            ("2026", day - 49 * days, day + 316 * days), ("2026-02", day - 18 * days, day + 10 * days),
            ("2025-12", day - 80 * days, day - 49 * days), ("2026-02-19", day, day + days),
            ("2026-02-19T15:53Z", moment - 3_000_000, moment + 57_000_000),
            ("2026-02-19T15:53:03Z", moment, moment + 1_000_000),
            ("2026-02-19T16:53:03+01:00", moment, moment + 1_000_000),
            ("2026-02-19T16:53:03 01:00", moment, moment + 1_000_000),
            ("2026-02-19T15:53:03", moment, moment + 1_000_000),
            ("2026-02-19T15:53:03.5Z", moment + 500_000, moment + 600_000),
            ("2026-02-19T15:53:03.123456Z", moment + 123_456, moment + 123_457),
            ("2026-02-19T15:53:03.123456789Z", moment + 123_456, moment + 123_457),
        ])
    func exactness(_ text: String, lower: Int64, upper: Int64) {
        let date = SearchDate(text)
        #expect(date?.lower == lower && date?.upper == upper && date?.comparison == .eq)
        #expect(SearchDate("ge" + text)?.comparison == .ge)
    }

    @Test(
        "what is no date",
        arguments: [
            "", "ge", "x", "2026-2-19", "2026-02-30", "26-02-19", "2026-13", "2026-02-19T", "2026-02-19T25:00Z",
            "ne2026",
            "ap2026", "GE2026", "2026-02-19T15Z", "2026-02-19-01", "0000", "9999", "2026-02-\u{661}9", "+026-01-01",
        ])
    func refused(_ text: String) { #expect(SearchDate(text) == nil) }

    @Test(
        "dates that hold together are one range",
        arguments: [
            (["ge2026-02-19", "lt2026-02-20"], day, day + days), (["gt2026-02-19"], day + days, nil),
            (["le2026-02-19"], nil, day + days), (["2026-02-19"], day, day + days),
            (["ge2026", "ge2026-02-19", "le2026-02", "lt2026-02-20"], day, day + days), ([], nil, nil),
        ] as [([String], Int64?, Int64?)])
    func range(_ dates: [String], from: Int64?, until: Int64?) {
        let range = SearchRange(dates.compactMap { SearchDate($0) })
        #expect(range.from == from && range.until == until && !range.isEmpty)
    }

    @Test("a range that ends before it begins has nothing in it")
    func empty() {
        let dates = ["ge2026-02-20", "lt2026-02-20"].compactMap { SearchDate($0) }
        #expect(SearchRange(dates).isEmpty)
    }
}
