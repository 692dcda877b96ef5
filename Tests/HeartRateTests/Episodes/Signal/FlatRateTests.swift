import HeartRate
import Testing

@Suite("A rate that stands still") struct FlatRateTests {
    private func vary(_ heart: inout Watched, for seconds: Int) {
        for second in 0..<seconds { heart.take(70 + second % 4, at: heart.now + 1) }
    }

    @Test("a sensor that repeats itself is stuck after ten minutes, until the rate moves", arguments: [61, 72, 80])
    func stuck(bpm: Int) throws {
        var heart = Watched()
        vary(&heart, for: 300)
        var judgements: [Detector.Judgement] = []
        for _ in 0..<1200 { judgements.append(heart.take(bpm, at: heart.now + 1)) }
        #expect(heart.story(.sensorStuck) == ["opened medium"])
        #expect(judgements.firstIndex(of: .suspect) == 600)
        #expect(judgements[600...].allSatisfy { $0 == .suspect })
        let open = try #require(heart.open.first)
        #expect(open.openedAt.seconds == 301 && open.raisedAt.seconds == 901)
        #expect(open.reason == "always \(bpm) bpm for 19 min, in 1200 readings")
        #expect(heart.take(bpm + 1, at: heart.now + 1) == .usual)
        #expect(heart.closed(.sensorStuck).map { $0.closedAt?.seconds } == [1500])
    }

    @Test("a sensor that has never told another rate is stuck, too, unless a pacemaker may be set to it")
    func always() {
        for (bpm, isStuck) in [(72, true), (61, true), (48, true), (100, true), (60, false), (50, false), (75, false)] {
            var heart = Watched()
            heart.hold(bpm, for: 10_800)
            #expect(heart.story(.sensorStuck) == (isStuck ? ["opened medium"] : []), "\(bpm)")
        }
    }

    @Test("a pacemaker's base rate is learned where the heart's own takes over")
    func paced() {
        var heart = Watched()
        for night in 0..<5 {
            vary(&heart, for: 300)
            var judgements: [Detector.Judgement] = []
            for _ in 0..<3600 { judgements.append(heart.take(60, at: heart.now + 1)) }
            if night > 0 { #expect(!judgements.contains(.suspect)) }
            heart.take(61, at: heart.now + 1)
        }
        #expect(heart.story(.sensorStuck) == ["opened medium", "closed medium"])
    }

    @Test("few readings, and the same rate after a pause, say nothing")
    func few() {
        var heart = Watched()
        vary(&heart, for: 300)
        heart.hold(71, for: 1800, every: 60)
        #expect(heart.story(.sensorStuck).isEmpty)
        for _ in 0..<10 {
            heart.now += 4000
            heart.hold(71, for: 300, every: 1)
        }
        #expect(heart.story(.sensorStuck).isEmpty)
    }
}
