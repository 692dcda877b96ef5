import HeartRate
import Simulation
import Testing

@Suite("Detector, signal loss and late readings") struct DetectorSilenceTests {
    private static let continuous = CustomerLimits(isContinuous: true)

    @Test(
        "a gap of more than five periods is a signal loss of medium severity, and of high only where nobody may be missed"
    )
    func gap() throws {
        for (gap, severity) in [(5.0, nil), (6, .medium), (30, .medium), (31, .high)] as [(Double, Severity?)] {
            for limits in [CustomerLimits(), Self.continuous] {
                var heart = Watched(EpisodeRules(), limits)
                heart.hold(70, for: 20)
                heart.take(70, at: 20 + gap)
                heart.take(70, at: 21 + gap)
                guard let severity else {
                    #expect(heart.told.isEmpty)
                    continue
                }
                let worst = limits.isContinuous ? severity : .medium
                #expect(
                    heart.story(.signalLoss)
                        == (worst == .high
                            ? ["opened medium", "escalated high", "closed high"] : ["opened medium", "closed medium"]))
                let episode = try #require(heart.closed(.signalLoss).first)
                #expect(episode.openedAt.seconds == 25 && episode.raisedAt.seconds == 25)
                #expect(episode.lastSeenAt.seconds == 20 && episode.closedAt?.seconds == 20 + gap)
                #expect(episode.extremeHeartRate == nil && episode.readings == 0 && episode.worstSeverity == worst)
                #expect(episode.reason == "no reading for \(Int(gap)) s, usually one every 1.0 s")
            }
        }
    }

    @Test("seen live it is the same episode", arguments: [CustomerLimits(), continuous])
    func live(limits: CustomerLimits) throws {
        for gap in [6.0, 29, 31, 100, 1799, 1801, 9000] {
            var past = Watched(EpisodeRules(), limits)
            past.hold(70, for: 20)
            var live = past
            func end(_ heart: inout Watched) {
                heart.take(70, at: 20 + gap)
                heart.take(70, at: 21 + gap)
            }
            end(&past)

            #expect(live.detector.silenceLimit(live.rules, limits) == Microseconds(5_000_001))
            live.silence(4.9)
            live.silence(5)
            #expect(live.told.isEmpty)
            live.silence(5.1)
            #expect(live.story(.signalLoss) == ["opened medium"])
            #expect(live.open.first?.reason == "no reading for more than 5 s, usually one every 1.0 s")
            let next = Microseconds(limits.isContinuous ? 30_000_001 : 1_800_000_001)
            #expect(live.detector.silenceLimit(live.rules, limits) == next)
            live.silence(5.2)
            if gap > 30, limits.isContinuous {
                live.silence(30.5)
                #expect(live.detector.silenceLimit(live.rules, limits) == nil)
                live.silence(60)
                #expect(live.story(.signalLoss) == ["opened medium", "escalated high"])
            }
            if gap > 1800 { live.silence(1800.5) }
            end(&live)
            for kind in [EpisodeKind.signalLoss, .notWorn] {
                #expect(live.story(kind) == past.story(kind) && live.closed(kind) == past.closed(kind))
            }
            #expect(live.open.isEmpty)
        }
    }

    @Test("after half an hour the sensor is not worn: that ends the loss, and is told at low severity once")
    func notWorn() throws {
        var heart = Watched()
        heart.hold(70, for: 60)
        for minute in 1...120 { heart.silence(Double(60 * minute)) }
        #expect(heart.story(.signalLoss) == ["opened medium", "closed medium"])
        #expect(heart.story(.notWorn) == ["opened low"])
        #expect(heart.detector.silenceLimit(heart.rules) == nil)
        heart.now = 60 + 8 * 3600
        heart.hold(70, for: 60)
        let episode = try #require(heart.closed(.notWorn).first)
        #expect(episode.openedAt.seconds == 1860 && episode.closedAt?.seconds == 60 + 8 * 3600 + 1)
        #expect(episode.reason == "no reading for 8 h, usually one every 1.0 s")
        #expect(heart.open.isEmpty)
    }

    @Test("a loss is urgent when the last rate was beyond the limits, and stays so", arguments: [30, 200])
    func beyond(bpm: Int) {
        var heart = Watched()
        heart.hold(70, for: 60)
        heart.hold(bpm, for: 20)
        for second in 1...7200 { heart.silence(Double(second)) }
        #expect(heart.story(.signalLoss) == ["opened medium", "escalated high"])
        #expect(heart.story(.notWorn).isEmpty)
        // A few readings beyond are no rate: a strap that is taken off is noisy.
        heart = Watched()
        heart.hold(70, for: 60)
        heart.hold(bpm, for: 4)
        for second in 1...7200 { heart.silence(Double(second)) }
        #expect(heart.story(.signalLoss) == ["opened medium", "closed medium"])
    }

    @Test("somebody whose heart is too fast is urgently missed once, however often a strap slips")
    func slips() {
        var heart = Watched()
        heart.hold(70, for: 60)
        for _ in 0..<10 {
            heart.hold(190, for: 60)
            heart.now += 40
        }
        #expect(heart.told.count { $0.episode.kind == .signalLoss && $0.change == .escalated } == 1)
    }

    @Test("noise, a gap and noise again are no tachycardia: nobody knows what was in the gap")
    func noiseAroundGap() {
        for gap in [20.0, 60, 92, 119] {
            for noisy in 1...7 {
                var heart = Watched()
                heart.hold(70, for: 600)
                heart.hold(205, for: Double(noisy))
                heart.now += gap
                heart.hold(205, for: Double(noisy))
                heart.hold(70, for: 600)
                #expect(heart.alarms(.tachycardia).isEmpty, "\(noisy) s, \(gap) s, \(noisy) s")
            }
        }
        // Within the own steps a gap counts for three of them.
        var heart = Watched()
        heart.hold(70, for: 600, every: 10)
        heart.hold(205, for: 60, every: 10)
        #expect(heart.highs(.tachycardia) == 1)
    }

    @Test("who has sent a few readings only is missed after ten minutes")
    func few() {
        for count in 2...8 {
            var heart = Watched()
            heart.hold(70, for: Double(count))
            #expect(heart.detector.silenceLimit(heart.rules) == Microseconds(600_000_001), "\(count) readings")
            heart.silence(600)
            #expect(heart.told.isEmpty)
            heart.silence(601)
            #expect(heart.story(.signalLoss) == ["opened medium"])
        }
        var heart = Watched()
        heart.take(70, at: 0)
        #expect(heart.detector.silenceLimit(heart.rules) == nil, "one reading is no series")
    }

    @Test("clocks that disagree do not let an episode end before it begins, or begin twice")
    func clocks() throws {
        var heart = Watched()
        heart.hold(70, for: 1200, every: 60)
        heart.silence(1000)
        heart.take(70, at: 1201)
        let first = try #require(heart.closed(.signalLoss).first)
        #expect(first.openedAt.seconds == 2100 && first.closedAt == first.openedAt)
        heart.hold(70, for: 20)
        heart.silence(1700)
        #expect(heart.open.count == 1 && heart.open.allSatisfy { $0.openedAt > first.openedAt })
    }

    @Test("readings of 0 bpm are told as such, are no signal loss, and in the end mean that nobody wears the sensor")
    func zeros() throws {
        var heart = Watched()
        heart.hold(70, for: 60)
        for second in 61...65 { heart.takeUnstorable(at: Double(second)) }
        #expect(heart.told.isEmpty)
        for second in 66...100 { heart.takeUnstorable(at: Double(second)) }
        #expect(heart.open.map(\.kind) == [.zeroRate] && heart.story(.zeroRate) == ["opened medium"])
        #expect(heart.open.first?.openedAt.seconds == 65)
        #expect(heart.open.first?.reason == "0 bpm reported for more than 5 s")
        // Nothing comes any more: still the same.
        heart.silence(600)
        #expect(heart.open.map(\.kind) == [.zeroRate])
        heart.now = 1000
        heart.take(70, at: 1000)
        heart.take(70, at: 1001)
        let episode = try #require(heart.closed(.zeroRate).first)
        #expect(episode.closedAt?.seconds == 1000 && episode.reason == "0 bpm reported for 15 min")
        #expect(heart.story(.signalLoss).isEmpty)

        for second in 1002...3000 { heart.takeUnstorable(at: Double(second)) }
        #expect(heart.open.map(\.kind) == [.notWorn])
        // After a loss they replace it; where nobody may be missed they are urgent.
        heart = Watched(EpisodeRules(), Self.continuous)
        heart.hold(70, for: 60)
        heart.silence(10)
        for second in 71...80 { heart.takeUnstorable(at: Double(second)) }
        #expect(heart.story(.signalLoss) == ["opened medium", "closed medium"])
        for second in 81...95 { heart.takeUnstorable(at: Double(second)) }
        #expect(heart.story(.zeroRate) == ["opened medium", "escalated high"])
    }

    @Test("a gap longer than the closing time ends medium severity where it was last seen, high severity goes on")
    func interruption() throws {
        var heart = Watched()
        heart.hold(150, for: 60)
        heart.take(150, at: 240)
        heart.take(150, at: 241)
        #expect(heart.closed(.tachycardia).map { $0.closedAt?.seconds } == [60])
        heart = Watched()
        heart.hold(190, for: 60)
        heart.take(190, at: 240)
        heart.take(190, at: 241)
        #expect(heart.highs(.tachycardia) == 1)
        heart.take(190, at: 1200)
        heart.take(190, at: 1201)
        #expect(heart.closed(.tachycardia).map { $0.closedAt?.seconds } == [241])
        // What was on its way starts again.
        heart = Watched()
        heart.hold(70, for: 30)
        heart.hold(190, for: 7)
        for second in 0..<13 { heart.take(190, at: Double(300 + second)) }
        #expect(heart.alarms(.tachycardia).isEmpty)
        heart.take(190, at: 313)
        #expect(heart.highs(.tachycardia) == 1)
    }

    @Test("with a lateness, readings that are late by less count as if in order")
    func lateness() {
        var rules = EpisodeRules()
        rules.lateness = .seconds(10)
        var random = SplitMix64(seed: 3, stream: 3)
        for _ in 0..<50 {
            var straight = Watched(rules)
            var course: [(second: Double, bpm: Int)] = []
            for second in 0..<400 where !(200..<230).contains(second) {
                course.append((Double(second), (100..<160).contains(second) ? 33 : 70 + second % 5))
            }
            for reading in course { straight.take(reading.bpm, at: reading.second) }
            // Each at most five seconds late or early.
            let mixed = course.map { ($0, $0.second + Double.random(in: -4.9...4.9, using: &random)) }
                .sorted { $0.1 < $1.1 }.map(\.0)
            var late = Watched(rules)
            for reading in mixed { late.take(reading.bpm, at: reading.second) }
            #expect(late.told.map(\.episode) == straight.told.map(\.episode))
            #expect(straight.told.count == 4)
        }
    }

    @Test("what waits is judged when nothing comes any more, and kept in the checkpoint")
    func waiting() throws {
        var rules = EpisodeRules()
        rules.lateness = .seconds(60)
        var heart = Watched(rules)
        heart.hold(35, for: 30)
        #expect(heart.told.isEmpty && heart.detector.lastReadingAt == Watched.instant(30))
        var bytes: [UInt8] = []
        heart.detector.writeCheckpoint(to: &bytes)
        heart.detector = try #require(Detector(checkpoint: bytes))
        #expect(heart.detector.lastReadingAt == Watched.instant(30))
        heart.silence(59)
        #expect(heart.told.isEmpty)
        heart.silence(61)
        #expect(heart.told.map(\.change) == [.opened, .opened, .escalated])
        #expect(heart.open.map(\.kind) == [.bradycardia, .signalLoss])
        #expect(heart.take(70, at: 29.5) == .late)
    }

    @Test("no more than 3600 readings wait, and a checkpoint keeps all of them")
    func bounded() throws {
        var rules = EpisodeRules()
        rules.lateness = .seconds(3600)
        var heart = Watched(rules)
        // Two a second, so that the oldest is judged before its time.
        for half in 0...3600 { heart.take(35, at: Double(half) / 2) }
        var bytes: [UInt8] = []
        heart.detector.writeCheckpoint(to: &bytes)
        #expect((3600 * 5...3600 * 9).contains(bytes.count))
        heart.detector = try #require(Detector(checkpoint: bytes))
        #expect(heart.told.isEmpty)
        for half in 3601...3640 { heart.take(35, at: Double(half) / 2) }
        #expect(heart.highs(.bradycardia) == 1)
        #expect(heart.take(70, at: 19.75) == .late)
        #expect(heart.take(70, at: 20.75) != .late)
    }
}
