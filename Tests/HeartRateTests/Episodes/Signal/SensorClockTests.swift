import HeartRate
import Simulation
import Testing

@Suite("Time stamps that cannot be believed") struct SensorClockTests {
    @Test(
        "one time stamp ahead blinds nobody, and is no signal loss",
        arguments: [6.0, 60, 240, 3600, 86_400, 900_000_000])
    func oneAhead(ahead: Double) {
        for another in [0, 1, 2, 50, 200] {
            var heart = Watched()
            heart.hold(72, for: 600)
            #expect(heart.take(72, at: 601 + ahead) == .ahead)
            heart.now = 601
            heart.hold(72, for: Double(another))
            // A second one some time later, by another error.
            if another > 0 { heart.take(72, at: heart.now + 1 + ahead * 3) }
            heart.now = Double(602 + another)
            heart.hold(200, for: 60)
            #expect(heart.highs(.tachycardia) == 1)
            #expect(heart.story(.signalLoss).isEmpty && heart.story(.notWorn).isEmpty)
            heart.hold(72, for: 600)
            #expect(heart.open.isEmpty)
        }
    }

    @Test("the same message twice confirms nothing, a second one shortly after it does")
    func confirmation() {
        var heart = Watched()
        heart.hold(72, for: 600)
        #expect(heart.take(72, at: 4000) == .ahead)
        #expect(heart.take(72, at: 4000) == .ahead)
        #expect(heart.detector.lastReadingAt == Watched.instant(600))
        #expect(heart.take(72, at: 4001) == .usual)
        #expect(heart.detector.lastReadingAt == Watched.instant(4001))
        #expect(heart.closed(.notWorn).map { $0.closedAt?.seconds } == [4000])
    }

    @Test("what a phone has kept may come between what is new")
    func interleaved() {
        var heart = Watched()
        heart.hold(72, for: 600)
        for second in 0..<100 {
            heart.take(72, at: 601 + Double(second))
            heart.take(200, at: 2000 + Double(second))
        }
        #expect(heart.highs(.tachycardia) == 1, "what is new is judged")
    }

    @Test(
        "a clock that was set back starts the customer's time again, also with wrong stamps before",
        arguments: [40.0, 60, 3600, 86_400, 700_000_000])
    func setBack(seconds: Double) {
        for ahead in [0, 1, 2, 5] {
            var heart = Watched()
            heart.hold(72, for: 600)
            for index in 0..<ahead { heart.take(72, at: 600 + seconds / 2 + Double(index)) }
            heart.now = 600 - seconds
            var judgements: [Detector.Judgement] = []
            for second in 1...20 { judgements.append(heart.take(30, at: 600 - seconds + Double(second))) }
            #expect(judgements.firstIndex(of: .restarted) == 4, "after five in a row")
            #expect(judgements.count(where: { $0 == .restarted }) == 1)
            #expect(heart.highs(.bradycardia) == 1)
            #expect(heart.open.map(\.kind) == [.bradycardia])
        }
    }

    @Test("what was open in the time before is over, each once")
    func endsEpisodes() {
        var heart = Watched()
        heart.hold(200, for: 600)
        heart.silence(20)
        #expect(heart.open.map(\.kind) == [.tachycardia, .signalLoss])
        heart.now = -3000
        heart.hold(70, for: 10)
        #expect(heart.highs(.tachycardia) == 1 && heart.closed(.tachycardia).count == 1)
        #expect(heart.story(.signalLoss) == ["opened medium", "closed medium"])
        #expect(heart.open.isEmpty)
        heart.silence(20)
        #expect(heart.open.map(\.kind) == [.signalLoss], "and silence is noticed as before")
    }

    @Test("a recording that is sent once more changes nothing")
    func repetition() {
        var heart = Watched()
        func send() {
            for second in 0..<900 { heart.take(second / 300 == 1 ? 200 : 70 + second % 3, at: Double(second)) }
        }
        send()
        let told = heart.told
        send()
        send()
        #expect(heart.told == told && heart.highs(.tachycardia) == 1 && heart.closed(.tachycardia).count == 1)
    }

    @Test("readings in random order are late, and no clock is set back by them")
    func shuffled() {
        var random = SplitMix64(seed: 9, stream: 9)
        for spread in [5.0, 15, 60, 120] {
            var heart = Watched()
            let order = (0..<20_000).map { ($0, Double($0) + Double.random(in: 0...spread, using: &random)) }
                .sorted { $0.1 < $1.1 }.map(\.0)
            let restarts = order.count { heart.take(70, at: Double($0)) == .restarted }
            #expect(restarts == 0, "within \(spread) s")
        }
    }
}
