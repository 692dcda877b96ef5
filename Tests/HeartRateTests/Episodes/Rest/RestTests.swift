import HeartRate
import Simulation
import Testing

/// What people do with wearables: resting, exercise, and the minutes after it.
@Suite("Detector, rest and effort") struct RestTests {
    @Test("ten minutes above 120 at rest are told at medium severity", arguments: [1.0, 5, 60, 300])
    func fast(step: Double) throws {
        var heart = Watched()
        heart.sway(125, for: 3600, every: step)
        #expect(heart.story(.tachycardia) == ["opened medium"])
        let opened = try #require(heart.told.first)
        #expect(opened.episode.isAtRest && opened.episode.toldSeverity == .medium)
        #expect((600...600 + 60 + 2 * max(step, 30)).contains(opened.at), "after \(opened.at) s")
        #expect(opened.episode.openedAt.seconds <= step)
        #expect(heart.open.first?.reason.contains("at rest for") == true)
    }

    @Test("what was of medium severity already is told when it has lasted for ten minutes")
    func sustained() {
        var heart = Watched()
        heart.sway(140, for: 3600, every: 5)
        #expect(heart.story(.tachycardia) == ["opened medium", "sustained medium"])
    }

    @Test("115 bpm, an own maximum, and a told effort are nothing")
    func nothing() {
        var heart = Watched()
        heart.sway(115, for: 7200, every: 5)
        #expect(heart.told.isEmpty)
        heart = Watched(EpisodeRules(), CustomerLimits(heartRateMin: 80, heartRateMax: 200))
        heart.sway(150, for: 7200, every: 5)
        #expect(heart.told.isEmpty)
        heart = Watched()
        heart.sway(165, for: 3600, every: 5, .exercise)
        #expect(heart.told.isEmpty)
    }

    @Test("an effort of which nobody tells is known by the rate's rise, for an hour")
    func effort() {
        var heart = Watched()
        heart.sway(70, for: 1800, every: 5)
        heart.sway(126, for: 2400, every: 5)
        heart.sway(80, for: 1800, every: 5)
        #expect(heart.told.isEmpty)
        // What goes on for longer is no effort.
        heart.sway(126, for: 5400, every: 5)
        #expect(heart.story(.tachycardia) == ["opened medium"])
    }

    @Test(
        "after an effort the heart slows down for some minutes", arguments: [Activity.exercise, .walk], [1.0, 5, 15])
    func recovery(activity: Activity, step: Double) {
        var heart = Watched()
        heart.sway(75, for: 600, every: step, .rest)
        let peak = activity == .walk ? 140.0 : 168
        heart.sway(Int(peak), for: 1200, every: step, activity)
        let ended = heart.now
        while heart.now < ended + 1200 {
            let minutes = (heart.now - ended) / 60
            let bpm = 75 + (peak - 75) * (minutes < 0.01 ? 1 : 1 / (1 + minutes))
            heart.sway(Int(bpm), for: step, every: step, .rest)
        }
        #expect(heart.told.isEmpty, "\(heart.told.map(\.episode.reason))")
        // What stays is no recovery.
        heart.sway(Int(peak), for: 600, every: step, activity)
        heart.sway(125, for: 1200, every: step, .rest)
        #expect(heart.alarms(.tachycardia).first == "opened medium")
    }

    @Test("ten minutes below 45 are told at medium severity, and an own minimum replaces that")
    func slow() {
        var heart = Watched()
        heart.sway(60, for: 600, every: 5)
        heart.sway(42, for: 1200, every: 5)
        #expect(heart.story(.bradycardia) == ["opened medium"])
        #expect(heart.open.first?.isAtRest == true)
        heart = Watched(EpisodeRules(), CustomerLimits(heartRateMin: 36))
        heart.sway(42, for: 1200, every: 5)
        #expect(heart.told.isEmpty)
        heart = Watched(EpisodeRules(), CustomerLimits(heartRateMin: 30, restMin: 35))
        heart.sway(38, for: 1200, every: 5)
        #expect(heart.told.isEmpty)
        heart.sway(32, for: 1200, every: 5)
        #expect(heart.story(.bradycardia) == ["opened medium"])
    }

    @Test("high severity eases after 15 minutes between limit and margin", arguments: [(38, 43), (185, 177)])
    func easing(beyond: Int, inside: Int) {
        var heart = Watched()
        heart.hold(inside, for: 300)
        heart.hold(beyond, for: 30)
        heart.hold(inside, for: 1000)
        let kind = beyond < 100 ? EpisodeKind.bradycardia : .tachycardia
        #expect(heart.alarms(kind).suffix(1) == ["eased medium"])
        // Where nothing is below high severity it ends.
        heart = Watched(EpisodeRules(), CustomerLimits(heartRateMin: 40, heartRateMax: 180))
        heart.hold(inside, for: 300)
        heart.hold(beyond, for: 30)
        heart.hold(inside, for: 1000)
        #expect(heart.closed(kind).count == 1)
    }

    @Test("who falls asleep slowly is not urgent when the sensor says so; a sudden drop is", arguments: [1.0, 5, 60])
    func asleep(step: Double) {
        var heart = Watched()
        heart.sway(58, for: 1800, every: step, .rest)
        for bpm in stride(from: 57, through: 38, by: -1) { heart.hold(bpm, for: max(30, step), every: step, .sleep) }
        heart.sway(38, for: 7200, every: step, .sleep)
        #expect(heart.told.allSatisfy { $0.episode.severity == .low }, "\(heart.told.map(\.episode.reason))")
        heart.hold(27, for: max(60, 10 * step), every: step, .sleep)
        #expect(heart.told.last?.episode.severity == .high)
        heart = Watched()
        heart.sway(58, for: 1800, every: step, .sleep)
        heart.hold(36, for: max(60, 10 * step), every: step, .sleep)
        #expect(heart.told.last?.episode.severity == .high)
        // Of a slow one, too, that is at the lowest rate of sleepers for a while.
        heart = Watched()
        heart.sway(46, for: 1800, every: step, .sleep)
        heart.sway(31, for: max(60, 10 * step), every: step, .sleep)
        #expect(heart.told.last?.episode.severity == .high)
        // And when it is over the night goes on.
        let told = heart.told.count
        heart.sway(44, for: 7200, every: step, .sleep)
        #expect(heart.told.dropFirst(told).allSatisfy { $0.change == .closed || $0.change == .eased })
    }

    @Test("the first night of a slow heart is a record, and not for longer than a night", arguments: [1.0, 5, 60])
    func firstNight(step: Double) {
        func night(from usual: Int, _ limits: CustomerLimits = CustomerLimits()) -> Watched {
            var heart = Watched(EpisodeRules(), limits)
            heart.sway(usual, for: 1800, every: step)
            for bpm in stride(from: usual - 1, through: 38, by: -1) { heart.sway(bpm, for: max(30, step), every: step) }
            heart.sway(38, for: 4 * 3600, every: step)
            return heart
        }
        var heart = night(from: 59)
        #expect(heart.story(.bradycardia) == ["opened low"])
        let proposed = heart.detector.proposedMinimum(CustomerLimits(), by: heart.rules)
        #expect(proposed.map { (30...36).contains($0) } == true, "\(proposed ?? 0)")
        // What goes on into the day is told, and so is what no sleeping heart does.
        heart.sway(38, for: 9 * 3600, every: step)
        #expect(heart.highs(.bradycardia) == 1)
        heart = night(from: 59)
        heart.hold(28, for: max(60, 10 * step), every: step)
        #expect(heart.highs(.bradycardia) == 1)
        // Of whom it is not likely, and of whom somebody relies on it.
        #expect(night(from: 75).highs(.bradycardia) == 1)
        #expect(night(from: 59, CustomerLimits(isContinuous: true)).highs(.bradycardia) == 1)
    }

    @Test("nobody proposes limits for a heart that the common ones suit")
    func suits() {
        var heart = Watched()
        for _ in 0..<3 {
            heart.sway(70, for: 16 * 3600, every: 60)
            heart.sway(55, for: 8 * 3600, every: 60)
        }
        #expect(heart.detector.proposedMinimum(CustomerLimits(), by: heart.rules) == nil)
    }

    @Test("a low rate in sleep that is learned is no nightly alarm", arguments: [5.0, 60])
    func athlete(step: Double) {
        var heart = Watched()
        for night in 0..<6 {
            let before = heart.told.count
            heart.sway(60, for: 15 * 3600, every: step)
            for bpm in stride(from: 58, to: 38, by: -1) { heart.sway(bpm, for: max(30, step), every: step) }
            heart.sway(38, for: 8 * 3600, every: step)
            for bpm in stride(from: 39, to: 60, by: 1) { heart.sway(bpm, for: max(30, step), every: step) }
            if night >= 2 {
                let told = heart.told.dropFirst(before).filter { $0.episode.severity > .low }
                #expect(told.isEmpty, "night \(night): \(told.map(\.episode.reason))")
                #expect(heart.detector.proposedMinimum(CustomerLimits(), by: heart.rules) == 30)
                #expect(heart.detector.proposedMinimum(CustomerLimits(heartRateMin: 30), by: heart.rules) == nil)
            }
        }
    }
}
