import Testing

@testable import Producer

@Suite struct LagReportTests {
    /// What it says at each second when the messages are so many seconds late.
    private func said(_ lags: [Double]) -> [LagReport.Sentence?] {
        var report = LagReport()
        return lags.enumerated().map { second, lag in
            report.observe(lag: Int64(lag * 1e9), at: Int64(second) * 1_000_000_000)
        }
    }

    @Test("says nothing as long as messages are nearly on time")
    func time() {
        #expect(said([0, 0.5, 0.99, 0]) == [nil, nil, nil, nil])
    }

    @Test("says once that it is behind and once that it has caught up")
    func up() {
        #expect(said([0, 2, 3, 0.5, 0.05, 0]) == [nil, .behind(2_000_000_000), nil, nil, .caughtUp, nil])
    }

    @Test("repeats itself after a minute")
    func minute() {
        let sentences = said([Double](repeating: 5, count: 130))
        #expect(sentences.indices.filter { sentences[$0] != nil } == [0, 60, 120])
    }

    @Test("says it again the next time")
    func says() {
        #expect(said([1, 0, 1]) == [.behind(1_000_000_000), .caughtUp, .behind(1_000_000_000)])
    }
}
