import HeartRate
import Simulation
import Testing

@Suite("The usual time between two readings") struct UsualPeriodTests {
    private func losses(_ heart: Watched) -> Int { heart.story(.signalLoss).count { $0.hasPrefix("opened") } }

    @Test(
        "it is known after eight steps and a quarter of a minute, follows the customer, and a dropout hardly moves it")
    func period() {
        var heart = Watched()
        heart.hold(70, for: 15)
        #expect(heart.detector.silenceLimit(heart.rules) == Microseconds(600_000_001))
        heart.hold(70, for: 1)
        #expect(heart.detector.silenceLimit(heart.rules) == Microseconds(5_000_001))
        heart.now += 300
        heart.hold(70, for: 20)
        #expect(losses(heart) == 1)
        #expect(heart.detector.silenceLimit(heart.rules) == Microseconds(5_000_001))
        // Once a minute from now on: a few of these steps are losses, then they are usual.
        heart.hold(70, for: 1800, every: 60)
        #expect((2...5).contains(losses(heart)))
        #expect(heart.detector.silenceLimit(heart.rules) == Microseconds(900_000_001))
    }

    @Test(
        "a device that changes its rate is not lost at each change",
        arguments: [(1.0, 600.0), (5, 300), (1, 60), (60, 600)])
    func rates(fast: Double, slow: Double) {
        var heart = Watched()
        for day in 0..<4 {
            for _ in 0..<6 {
                heart.hold(70, for: slow * 20, every: slow)
                heart.hold(130, for: 1200, every: fast)
            }
            if day == 0 { heart.told = [] }
        }
        #expect(losses(heart) == 0)
        // Whoever is watched continuously is missed by the step as it is.
        heart.limits.isContinuous = true
        heart.hold(70, for: 60, every: 1)
        #expect(heart.detector.silenceLimit(heart.rules, heart.limits) == Microseconds(5_000_001))
    }

    @Test("bursts are no losses", arguments: [(10, 0.05, 10.0), (60, 0.001, 60), (5, 0.2, 30), (30, 1, 300)])
    func bursts(count: Int, step: Double, every: Double) {
        var heart = Watched()
        for burst in 0..<200 {
            for index in 0..<count { heart.take(70, at: Double(burst) * every + Double(index) * step) }
        }
        #expect(losses(heart) <= (every > 10 ? 2 : 0), "of the first pauses nobody knows")
    }

    @Test("missing readings are no losses when they are usual, and silence still is one", arguments: [0.05, 0.3, 0.5])
    func missing(share: Double) {
        var random = SplitMix64(seed: 4, stream: 4)
        var heart = Watched()
        for second in 0..<10_800 where Double.random(in: 0..<1, using: &random) >= share {
            heart.take(70, at: Double(second))
        }
        #expect(losses(heart) <= (share < 0.1 ? 0 : 3))
        heart.silence(120)
        #expect(heart.open.map(\.kind) == [.signalLoss])
    }

    @Test("dropouts and a bad connection do not become a rate")
    func dropouts() {
        var heart = Watched()
        for _ in 0..<51 {
            heart.hold(70, for: 600)
            heart.now += 40
        }
        #expect(losses(heart) == 50)
        #expect(heart.detector.silenceLimit(heart.rules) == Microseconds(5_000_001))
    }
}
