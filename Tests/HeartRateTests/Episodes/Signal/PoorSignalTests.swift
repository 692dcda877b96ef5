import HeartRate
import Simulation
import Testing

@Suite("Readings that no heart can have") struct PoorSignalTests {
    @Test("many of them within a minute are a poor signal of low severity, until a minute is well")
    func poor() throws {
        var heart = Watched()
        heart.hold(70, for: 60)
        for second in 61...180 {
            if second.isMultiple(of: 3) {
                heart.takeUnstorable(isZero: false, at: Double(second))
            } else {
                heart.take(70, at: Double(second))
            }
        }
        #expect(heart.story(.poorSignal) == ["opened low"])
        #expect(
            heart.open.first?.reason.hasSuffix("readings that no heart can have, at first among 8 good ones") == true)
        heart.hold(70, for: 120)
        let episode = try #require(heart.closed(.poorSignal).first)
        #expect(episode.readings == 40 && episode.closedAt?.seconds == 180)
        #expect(heart.open.isEmpty)
    }

    @Test("single ones are nothing")
    func single() {
        var heart = Watched()
        for second in 0..<3600 {
            heart.take(70, at: Double(second))
            if second.isMultiple(of: 15) { heart.takeUnstorable(isZero: false, at: Double(second) + 0.5) }
        }
        #expect(heart.told.isEmpty)
    }

    @Test("two sensors in turns are said to be", arguments: [0.5, 1, 2.5, 5])
    func twoSensors(step: Double) throws {
        var heart = Watched()
        heart.sway(72, for: 60, every: step)
        let from = heart.now
        for index in 1...Int(120 / step) {
            heart.take(index.isMultiple(of: 2) ? 71 + index % 3 : 150 - index % 5, at: from + Double(index) * step)
        }
        #expect(heart.story(.poorSignal) == ["opened low"])
        let reason = try #require(heart.open.first { $0.kind == .poorSignal }?.reason)
        let said = try #require(reason.wholeMatch(of: /(\d+) and (\d+) bpm in turns, \d+ jumps: perhaps two sensors/))
        #expect((71...73).contains(Int(said.1) ?? 0) && (146...150).contains(Int(said.2) ?? 0))
        heart.sway(72, for: 180, every: step)
        #expect(heart.open.isEmpty && heart.closed(.poorSignal).count == 1)
        #expect(heart.story(.tachycardia).isEmpty)
    }

    @Test("a checkpoint keeps that two sensors send")
    func keptTurns() throws {
        var heart = Watched()
        for second in 1...60 { heart.take(second.isMultiple(of: 2) ? 72 : 150, at: Double(second)) }
        let reason = try #require(heart.open.first?.reason)
        var bytes: [UInt8] = []
        heart.detector.writeCheckpoint(to: &bytes)
        heart.detector = try #require(Detector(checkpoint: bytes))
        #expect(heart.open.first?.reason == reason && reason.hasPrefix("72 and 150 bpm in turns"))
    }

    @Test("an irregular heart that is looked at each second is no two sensors, nor are single artefacts")
    func irregular() {
        var heart = Watched()
        var random = SplitMix64(seed: 3, stream: 1)
        for second in 1...3600 { heart.take(Int.random(in: 60...160, using: &random), at: Double(second)) }
        #expect(heart.story(.poorSignal).isEmpty)
        var other = Watched()
        for second in 1...3600 {
            other.take(Int.random(in: 0..<50, using: &random) == 0 ? 150 : 70 + second % 3, at: Double(second))
        }
        #expect(other.story(.poorSignal).isEmpty)
    }
}
