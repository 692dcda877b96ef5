import HeartRate
import Testing

@testable import Consumer

@Suite("Doubt about this machine's clock") struct ClockDoubtTests {
    private static let now = Instant(microsecondsSince1970: 1_771_516_383_000_000)

    /// - Parameters:
    ///   - ahead: how many seconds rejected messages are ahead.
    ///   - ages: how many seconds old stored readings are.
    private func judge(ahead: [Int], ages: [Int] = []) -> Int? {
        var doubt = ClockDoubt(skew: .minutes(5))
        for seconds in ahead { doubt.rejected(ahead: .seconds(seconds)) }
        for age in ages { doubt.stored(Self.now.advanced(byMicroseconds: -Int64(age) * 1_000_000), at: Self.now) }
        return doubt.judge()?.seconds
    }

    @Test("all are ahead by the same time, and nobody is of now")
    func doubted() {
        #expect(judge(ahead: [7200]) == 7200)
        #expect(judge(ahead: [7200, 7199, 7203]) == 7203)
        #expect(judge(ahead: [7200, 6500]) == 7200, "messages that had to wait in Kafka")
        #expect(judge(ahead: [301, 310], ages: [86_400, 3600]) == 310, "a recording says nothing of the clock")
    }

    @Test("it is the senders' clocks, or nobody's")
    func others() {
        #expect(judge(ahead: []) == nil)
        #expect(judge(ahead: [7200, 7200], ages: [1]) == nil, "somebody agrees with this machine")
        #expect(judge(ahead: [7200, 7200], ages: [-299]) == nil, "also within the allowed skew")
        #expect(judge(ahead: [7200, 31_536_000]) == nil, "each is ahead by another time")
        #expect(judge(ahead: [301, 335]) == nil)
    }

    @Test("each judgement starts over")
    func over() {
        var doubt = ClockDoubt(skew: .minutes(5))
        doubt.stored(Self.now, at: Self.now)
        #expect(doubt.judge() == nil)
        doubt.rejected(ahead: .seconds(600))
        #expect(doubt.judge()?.messages == 1)
        #expect(doubt.judge() == nil)
    }
}
