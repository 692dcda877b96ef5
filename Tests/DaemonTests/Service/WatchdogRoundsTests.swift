import Testing

@testable import Daemon

@Suite struct WatchdogRoundsTests {
    private let start = ContinuousClock.now

    @Test("is told when every loop has come round")
    func round() {
        var rounds = WatchdogRounds(interval: .seconds(20), at: start)
        #expect(rounds.judge([1, 1], at: start + .seconds(1)) == .wait)
        #expect(rounds.judge([9, 9], at: start + .seconds(5)) == .progress)
        #expect(rounds.judge([10, 10], at: start + .seconds(9)) == .wait)
        #expect(rounds.judge([10, 10], at: start + .seconds(10)) == .progress)
    }

    @Test("is told every 10 s when it could wait for longer")
    func pause() {
        var rounds = WatchdogRounds(interval: .seconds(90), at: start)
        #expect(rounds.judge([1, 1], at: start + .seconds(9)) == .wait)
        #expect(rounds.judge([1, 1], at: start + .seconds(10)) == .progress)
        #expect(rounds.judge([2, 2], at: start + .seconds(20)) == .progress)
    }

    @Test("one loop that hangs is enough", arguments: [[5, 1], [1, 5]])
    func enough(counts: [Int]) {
        var rounds = WatchdogRounds(interval: .seconds(20), at: start)
        #expect(rounds.judge([1, 1], at: start + .seconds(5)) == .progress)
        for second in 6...15 { #expect(rounds.judge(counts, at: start + .seconds(second)) == .wait) }
        let hanging = counts.firstIndex(of: 1) ?? -1
        #expect(rounds.judge(counts, at: start + .seconds(16)) == .stalled([hanging]))
        #expect(rounds.silence(at: start + .seconds(16)) == .seconds(11))
        // Said once.
        #expect(
            rounds.judge([99, 99].enumerated().map { $0.offset == hanging ? 1 : 99 }, at: start + .seconds(60)) == .wait
        )
        #expect(rounds.judge([99, 99], at: start + .seconds(61)) == .progress)
    }

    @Test("a new loop has to come round once")
    func once() {
        var rounds = WatchdogRounds(interval: .seconds(20), at: start)
        #expect(rounds.judge([1], at: start + .seconds(5)) == .progress)
        #expect(rounds.judge([2, 0], at: start + .seconds(10)) == .wait)
        #expect(rounds.judge([2, 0], at: start + .seconds(16)) == .stalled([1]))
        #expect(rounds.judge([3, 1], at: start + .seconds(17)) == .progress)
    }
}
