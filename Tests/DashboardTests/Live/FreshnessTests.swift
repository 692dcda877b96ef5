import Testing

@testable import Dashboard

struct FreshnessTests {
    /// Polls each second, with readings of everybody every `step` seconds until `end`; answers the states of each second.
    private func run(
        _ seconds: ClosedRange<Int64>, step: Int64 = 1, end: Int64, delay: Int64 = 0
    ) -> [(second: Int64, data: Snapshot.DataAge?)] {
        var freshness = Freshness()
        return seconds.map { second in
            let newest = min(second, end) / step * step - delay
            freshness.take(
                newest: newest * 1_000_000, readings: min(second, end) / step, at: second * 1_000_000)
            return (second, freshness.data(at: second * 1_000_000, staleAfter: 15_000_000))
        }
    }

    @Test("before the first reading there is no age")
    func none() {
        var freshness = Freshness()
        freshness.take(newest: nil, readings: 0, at: 1_000_000)
        #expect(freshness.data(at: 1_000_000, staleAfter: 15_000_000) == nil)
    }

    @Test("when all sensors stop the data are old once, since the last reading, and stay so")
    func stop() {
        let states = run(100...200, end: 130)
        let firstStale = states.first { $0.data?.state == .stale }?.second
        #expect(firstStale == 146)
        #expect(states.filter { $0.second >= 146 }.allSatisfy { $0.data?.state == .stale })
        #expect(states.last?.data?.since.microseconds == 130_000_000)
        let since = states.compactMap { $0.data?.since.microseconds }
        #expect(since == since.sorted(), "it never goes back")
    }

    @Test("sensors that send once a minute are not old in between, and are when they stop")
    func minute() {
        #expect(run(600...1200, step: 60, end: 1200).allSatisfy { $0.data?.state == .live })
        #expect(run(600...1500, step: 60, end: 1200).last?.data?.state == .stale)
    }

    @Test("readings that arrive hours late are told as late, not as live and not as nothing")
    func late() {
        let states = run(10_000...10_100, end: 20_000, delay: 7200)
        #expect(states.dropFirst().allSatisfy { $0.data?.state == .late })
    }

    @Test("right after the start the customers' own period counts, and without one a sensor may send once a minute")
    func start() {
        func state(_ period: Int64?, after seconds: Int64) -> Snapshot.DataAge.Age? {
            var freshness = Freshness()
            freshness.take(newest: 100_000_000, readings: 9, at: 101_000_000)
            freshness.expect(period)
            return freshness.data(at: 100_000_000 + seconds * 1_000_000, staleAfter: 15_000_000)?.state
        }
        #expect(state(1_000_000, after: 14) == .live)
        #expect(state(1_000_000, after: 16) == .stale)
        #expect(state(60_000_000, after: 170) == .live)
        #expect(state(60_000_000, after: 181) == .stale)
        #expect(state(nil, after: 89) == .live)
        #expect(state(nil, after: 91) == .stale)
    }

    @Test("a row that is deleted makes nothing older")
    func back() {
        var freshness = Freshness()
        freshness.take(newest: 100_000_000, readings: 1, at: 101_000_000)
        freshness.take(newest: 50_000_000, readings: 1, at: 102_000_000)
        #expect(freshness.data(at: 102_000_000, staleAfter: 15_000_000)?.since.microseconds == 100_000_000)
    }
}
