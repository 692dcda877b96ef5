import HeartRate
import Simulation
import Testing

@Suite("Detector, signal loss and late readings") struct DetectorSilenceTests {
    @Test("a gap of more than five periods is a signal loss of medium severity, of more than six times that high")
    func gap() throws {
        for (gap, severity) in [(5.0, nil), (6, .medium), (30, .medium), (31, .high)] as [(Double, Severity?)] {
            var heart = Watched()
            heart.hold(70, for: 20)
            heart.take(70, at: 20 + gap)
            guard let severity else {
                #expect(heart.told.isEmpty)
                continue
            }
            #expect(heart.story(.signalLoss) == ["opened \(severity)", "closed \(severity)"])
            let episode = try #require(heart.closed(.signalLoss).first)
            #expect(episode.openedAt.seconds == 25 && episode.raisedAt.seconds == 25)
            #expect(episode.lastSeenAt.seconds == 20 && episode.closedAt?.seconds == 20 + gap)
            #expect(episode.extremeHeartRate == nil && episode.readings == 0 && episode.worstSeverity == severity)
            #expect(episode.reason == "no reading for \(Int(gap)) s, usually one every 1.0 s")
        }
    }

    @Test("seen live it is the same episode")
    func live() throws {
        for gap in [6.0, 29, 31, 100, 2000] {
            var past = Watched()
            past.hold(70, for: 20)
            var live = past
            past.take(70, at: 20 + gap)

            #expect(live.detector.silenceLimit(live.rules) == Microseconds(5_000_001))
            live.silence(4.9)
            live.silence(5)
            #expect(live.told.isEmpty)
            live.silence(5.1)
            #expect(live.story(.signalLoss) == ["opened medium"])
            #expect(live.open.first?.reason == "no reading for more than 5 s, usually one every 1.0 s")
            #expect(live.detector.silenceLimit(live.rules) == Microseconds(30_000_001))
            live.silence(5.2)
            if gap > 30 {
                live.silence(30.5)
                #expect(live.detector.silenceLimit(live.rules) == nil)
                live.silence(60)
                #expect(live.story(.signalLoss) == ["opened medium", "escalated high"])
            }
            live.take(70, at: 20 + gap)
            #expect(live.closed(.signalLoss) == past.closed(.signalLoss) && live.open.isEmpty)
        }
    }

    @Test("the period is known after eight steps, follows the customer, and a dropout hardly moves it")
    func period() {
        var heart = Watched()
        heart.hold(70, for: 8)
        #expect(heart.detector.silenceLimit(heart.rules) == nil)
        heart.take(70, at: 300)
        #expect(heart.told.isEmpty)
        #expect(heart.detector.silenceLimit(heart.rules) == Microseconds(5_000_001))
        // Once a minute from now on: a few of these steps are losses, then they are usual.
        heart.hold(70, for: 1800, every: 60)
        #expect(heart.closed(.signalLoss).count == 4)
        #expect(heart.detector.silenceLimit(heart.rules) == Microseconds(300_000_001))
        heart.hold(70, for: 30)
        #expect(heart.detector.silenceLimit(heart.rules) == Microseconds(5_000_001))
    }

    @Test("clocks that disagree do not let an episode end before it begins, or begin twice")
    func clocks() throws {
        var heart = Watched()
        heart.hold(70, for: 1200, every: 60)
        heart.silence(400)
        heart.take(70, at: 1201)
        let first = try #require(heart.closed(.signalLoss).first)
        #expect(first.openedAt.seconds == 1500 && first.closedAt == first.openedAt)
        heart.hold(70, for: 20)
        heart.silence(10)
        #expect(heart.open.count == 1 && heart.open.allSatisfy { $0.openedAt > first.openedAt })
    }

    @Test("a gap longer than the closing time ends medium severity where it was last seen, high severity goes on")
    func interruption() throws {
        var heart = Watched()
        heart.hold(150, for: 60)
        heart.take(150, at: 240)
        #expect(heart.closed(.tachycardia).map { $0.closedAt?.seconds } == [60])
        heart = Watched()
        heart.hold(190, for: 60)
        heart.take(190, at: 240)
        #expect(heart.story(.tachycardia) == ["opened high"])
        heart.take(190, at: 1200)
        #expect(heart.closed(.tachycardia).map { $0.closedAt?.seconds } == [240])
        // What was on its way starts again.
        heart = Watched()
        heart.hold(190, for: 7)
        heart.hold(190, for: 1, every: 200)
        for second in 0..<8 { heart.take(190, at: Double(300 + second)) }
        #expect(heart.story(.tachycardia).isEmpty)
        heart.take(190, at: 308)
        #expect(heart.story(.tachycardia) == ["opened high"])
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
        #expect(heart.told.map(\.change) == [.opened, .opened])
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
        #expect(heart.story(.bradycardia) == ["opened high"])
        #expect(heart.take(70, at: 19.75) == .late)
        #expect(heart.take(70, at: 20.75) != .late)
    }
}
