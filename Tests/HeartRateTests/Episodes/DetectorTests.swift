import CAllocationCounter
import HeartRate
import Simulation
import Testing

@Suite("Detector") struct DetectorTests {
    @Test("a rate below the minimum is raised at high severity after 8 s, and closed where it came back")
    func bradycardia() throws {
        var heart = Watched()
        heart.hold(70, for: 60)
        heart.hold(35, for: 60)
        heart.hold(70, for: 300)
        #expect(heart.story(.bradycardia) == ["opened high", "closed high"])
        let opened = try #require(heart.told.first)
        // The third of eleven readings is the lower quartile, the sixth the median; then eight seconds.
        #expect(opened.at == 74 && opened.episode.raisedAt.seconds == 74 && opened.episode.openedAt.seconds == 63)
        let closed = try #require(heart.closed(.bradycardia).first)
        #expect(closed.openedAt == opened.episode.openedAt && closed.raisedAt == opened.episode.raisedAt)
        #expect(closed.lastSeenAt.seconds == 128 && closed.closedAt?.seconds == 129)
        #expect(closed.extremeHeartRate == 35 && closed.readings == 66 && closed.worstSeverity == .high)
        #expect(closed.reason == "bpm 35 for 65 s, limit 40")
        // Decided when it had been back for two minutes.
        #expect(heart.told.last?.at == 249)
        #expect(heart.open.isEmpty)
    }

    @Test("a rate above the maximum, with its range in the reason")
    func tachycardia() throws {
        var heart = Watched()
        heart.hold(70, for: 60)
        for second in 0..<60 { heart.take(190 + second / 10, at: Double(61 + second)) }
        heart.hold(70, for: 300)
        // Eight seconds of nothing else are urgent before their median says so.
        #expect(heart.story(.tachycardia) == ["opened high", "closed high"])
        let closed = try #require(heart.closed(.tachycardia).first)
        #expect(closed.openedAt.seconds == 61 && closed.raisedAt.seconds == 69)
        #expect(closed.extremeHeartRate == 195)
        #expect(closed.reason == "bpm 190 to 195 for 64 s, limit 130, at worst above 180")
        #expect(heart.story(.bradycardia).isEmpty)
    }

    @Test("what is shorter than the delay is not raised", arguments: [35, 200])
    func short(bpm: Int) {
        var heart = Watched()
        heart.hold(70, for: 60)
        heart.hold(bpm, for: 7)
        heart.hold(70, for: 300)
        #expect(heart.told.allSatisfy { $0.episode.severity == .low })
        heart.hold(bpm, for: 14)
        #expect(heart.told.count { $0.episode.severity > .low } == 1)
    }

    @Test("a short run above the maximum leaves a record when its readings agree", arguments: [5, 6, 8])
    func record(seconds: Int) throws {
        var heart = Watched()
        heart.sway(70, for: 60)
        heart.sway(200, for: Double(seconds))
        #expect(heart.told.isEmpty)
        heart.sway(70, for: 300)
        #expect(heart.story(.tachycardia) == ["opened low", "closed low"])
        let record = try #require(heart.closed(.tachycardia).first)
        // The median of ten seconds follows the rate.
        let last = record.lastSeenAt.seconds - Double(60 + seconds)
        #expect(record.openedAt.seconds == 61 && (0...5).contains(last))
        #expect(record.reason.hasPrefix("bpm 198 to 202 for "))
        for _ in 0..<20 {
            for bpm in [190, 230, 260, 200, 290, 225] { heart.take(bpm, at: heart.now + 1) }
            heart.sway(70, for: 120)
        }
        #expect(heart.closed(.tachycardia).count == 1)
    }

    @Test("the limits themselves are no crossing of them")
    func limits() {
        for (bpm, severity) in [
            (41, nil), (40, .medium), (39, .high), (130, nil), (131, .medium), (180, .medium), (181, .high),
        ]
            as [(Int, Severity?)]
        {
            var heart = Watched()
            heart.hold(bpm, for: 120)
            #expect(heart.open.map(\.severity) == (severity.map { [$0] } ?? []), "\(bpm)")
        }
    }

    @Test("NEWS2's score of 3 is medium after 19 s; it can be switched off, or joined by 2 at low severity")
    func score() throws {
        var heart = Watched()
        heart.hold(150, for: 19)
        #expect(heart.told.isEmpty)
        heart.hold(150, for: 1)
        #expect(heart.story(.tachycardia) == ["opened medium"])
        #expect(heart.open.first?.reason == "bpm 150 for 19 s, limit 130")

        var rules = EpisodeRules()
        rules.lowestScore = nil
        heart = Watched(rules)
        heart.hold(150, for: 600)
        heart.hold(40, for: 600)
        #expect(heart.told.isEmpty)
        heart.hold(39, for: 600)
        #expect(heart.story(.bradycardia) == ["opened high"])

        rules.lowestScore = 2
        heart = Watched(rules)
        heart.hold(110, for: 60)
        #expect(heart.told.isEmpty)
        heart.hold(111, for: 60)
        heart.hold(131, for: 60)
        heart.hold(181, for: 60)
        heart.hold(131, for: 1000)
        heart.hold(115, for: 1000)
        #expect(
            heart.story(.tachycardia) == [
                "opened low", "escalated medium", "escalated high", "eased medium", "eased low",
            ])
        #expect(heart.open.first?.reason == "bpm 111 to 181 for 36 min, limit 110, at worst above 180")
    }

    @Test("an episode goes on when the rate comes back within the closing time or not inside by the margin")
    func hysteresis() throws {
        // Without the limit of rest.
        var rules = EpisodeRules()
        rules.restMax = 200
        var heart = Watched(rules)
        heart.hold(150, for: 60)
        heart.hold(100, for: 110)
        heart.hold(150, for: 60)
        // Not beyond the limit, but not five inside either.
        heart.hold(128, for: 3600)
        #expect(heart.story(.tachycardia) == ["opened medium"])
        heart.hold(125, for: 140)
        #expect(heart.story(.tachycardia) == ["opened medium", "closed medium"])
        let closed = try #require(heart.closed(.tachycardia).first)
        #expect(closed.lastSeenAt.seconds == 235 && closed.closedAt?.seconds == 3836)
    }

    @Test("around the maximum high severity is raised at most four times in an hour")
    func easing() {
        for wave in [20, 60, 130, 300, 600, 900, 920, 1000, 1800] {
            for activity in [nil, Activity.exercise] {
                var heart = Watched()
                heart.hold(165, for: 600, activity)
                for _ in 0..<36_000 / (2 * wave) {
                    heart.hold(187, for: Double(wave), activity)
                    heart.hold(165, for: Double(wave), activity)
                }
                let alarms = heart.told.filter {
                    $0.change != .closed && $0.change != .eased && $0.episode.severity == .high
                }
                #expect(!alarms.isEmpty)
                for alarm in alarms {
                    let inHour = alarms.count { $0.at >= alarm.at && $0.at < alarm.at + 3600 }
                    #expect(inHour <= 4, "waves of \(wave) s, \(inHour) alarms")
                }
            }
        }
    }

    @Test(
        "single artefacts raise nothing, however sparse the readings are",
        arguments: [0.5, 1, 2, 2.5, 5, 10, 15, 30, 60])
    func artefacts(step: Double) {
        for artefact in [1, 30, 131, 220, 299] {
            var heart = Watched()
            for _ in 0..<20 {
                heart.hold(70, for: 20 * step, every: step)
                heart.hold(artefact, for: step, every: step)
            }
            heart.hold(70, for: 20 * step, every: step)
            #expect(heart.told.isEmpty, "\(artefact) bpm every \(20 * step) s")
        }
    }

    @Test("sparse readings need three beyond the limit", arguments: [10.0, 30, 60, 300])
    func sparse(step: Double) throws {
        var heart = Watched()
        heart.hold(70, for: 10 * step, every: step)
        heart.hold(30, for: 2 * step, every: step)
        heart.hold(70, for: 10 * step, every: step)
        #expect(heart.story(.bradycardia).isEmpty)
        heart.hold(30, for: 6 * step, every: step)
        #expect(heart.story(.bradycardia) == ["opened high"])
        heart.hold(70, for: max(10 * step, 200), every: step)
        #expect(heart.story(.bradycardia) == ["opened high", "closed high"])
    }

    @Test("beats that alternate around the minimum are found, by the time that is spent in them")
    func alternating() {
        // Bigeminy: each second beat comes early. Three quarters of the time are slow.
        var heart = Watched()
        beats([38, 110], for: 120, &heart)
        #expect(heart.story(.bradycardia) == ["opened high"])
        // Each fourth beat is slow: a third of the time, at a mean rate of 50.
        heart = Watched()
        beats([57, 36, 56, 58], for: 120, &heart)
        #expect(heart.story(.bradycardia) == ["opened medium"])
        // Each tenth: not more than what healthy hearts do.
        heart = Watched()
        beats([60, 60, 60, 60, 60, 36, 60, 60, 60, 60], for: 600, &heart)
        #expect(heart.told.isEmpty)
    }

    @Test("noise is no tachycardia of high severity, a regular rate above the maximum is one")
    func noise() {
        var random = SplitMix64(seed: 5, stream: 5)
        var heart = Watched()
        for _ in 0..<3000 {
            // What no heart can do is rejected, and leaves a gap.
            let bpm = Int.random(in: 110...500, using: &random)
            if bpm < 300 { beats([bpm], for: 0, &heart) } else { heart.now += 60 / Double(bpm) }
        }
        #expect(!heart.told.contains { $0.episode.severity == .high })
        heart = Watched()
        for _ in 0..<3000 { beats([Int.random(in: 182...200, using: &random)], for: 0, &heart) }
        #expect(heart.alarms(.tachycardia).contains("escalated high"))
    }

    @Test("own limits replace the rules', NEWS2's and those of rest")
    func customerLimits() {
        var heart = Watched(EpisodeRules(), CustomerLimits(heartRateMin: 32, heartRateMax: 150))
        heart.hold(34, for: 600)
        #expect(heart.told.isEmpty)
        heart.hold(31, for: 60)
        #expect(heart.story(.bradycardia) == ["opened high"])
        heart.hold(149, for: 1200)
        #expect(heart.story(.tachycardia).isEmpty)
        heart.hold(160, for: 60)
        #expect(heart.alarms(.tachycardia) == ["opened high"])
        // A high minimum is of high severity, and NEWS2's band is within it.
        heart = Watched(EpisodeRules(), CustomerLimits(heartRateMin: 55, heartRateMax: 110))
        heart.hold(52, for: 20)
        heart.hold(115, for: 20)
        #expect(heart.told.map(\.episode.severity) == [.high, .high])
    }

    @Test("what the customer does shifts medium severity, never high")
    func activity() {
        for (activity, limit) in [(nil, 131), (.rest, 111), (.sleep, 111), (.walk, 151)] as [(Activity?, Int)] {
            var heart = Watched()
            heart.hold(limit - 1, for: 60, activity)
            #expect(heart.told.isEmpty)
            heart.hold(limit, for: 60, activity)
            #expect(heart.story(.tachycardia) == ["opened medium"])
            heart.hold(181, for: 60, activity)
            #expect(heart.story(.tachycardia) == ["opened medium", "escalated high"])
        }
        var heart = Watched()
        heart.hold(180, for: 600, .exercise)
        #expect(heart.told.isEmpty)
        heart.hold(181, for: 60, .exercise)
        heart.hold(38, for: 60, .exercise)
        #expect(heart.told.map(\.episode.severity) == [.high, .high])
    }

    @Test("a reading that is not later than the last one is late and changes nothing")
    func late() {
        var heart = Watched()
        heart.hold(35, for: 10)
        let told = heart.told
        var before: [UInt8] = []
        heart.detector.writeCheckpoint(to: &before)
        #expect(heart.take(250, at: 10) == .late)
        #expect(heart.take(250, at: 3) == .late)
        var after: [UInt8] = []
        heart.detector.writeCheckpoint(to: &after)
        #expect(before == after && heart.told == told)
    }

    @Test("a reading that jumps away is suspect, and the one that comes back is not")
    func suspect() {
        var heart = Watched()
        #expect(heart.take(70, at: 0) == .usual)
        #expect(heart.take(99, at: 1) == .usual)
        #expect(heart.take(69, at: 2) == .suspect)
        #expect(heart.take(99, at: 3) == .usual)
        #expect(heart.take(140, at: 4) == .suspect)
        // It stays there: not the sensor, but the heart.
        #expect(heart.take(141, at: 5) == .usual)
        #expect(heart.take(140, at: 6) == .usual)
        // After a while a heart may be anywhere.
        #expect(heart.take(60, at: 12) == .usual)
    }

    /// Window 132, period 106, trend 71, runs 61, clock 48, baseline 46, effort 36, what is out of line and what waits 5 times 8,
    /// rates at rest 28, silence 19, flat 17, irregularity 16, sleep 5, three times and three rates 29: 654, and 34 of alignment.
    @Test("a detector is small")
    func size() { #expect(MemoryLayout<Detector>.stride <= 688) }

    @Test("nothing is allocated but what begins")
    func cost() {
        var detector = Detector()
        let rules = EpisodeRules()
        var second = 0
        var changes = 0
        func pass() {
            var index = 0
            while index < 10_000 {
                index += 1
                // Usual, too fast, too slow, and away.
                let phase = second / 500 % 5
                second += phase == 3 && second % 500 == 0 ? 100 : 1
                let bpm: Int16 = phase == 1 ? 150 : phase == 2 ? 190 : phase == 4 ? 30 : 70
                _ = detector.take(
                    Sample(bpm + Int16(second % 7), at: Watched.instant(Double(second))), rules: rules,
                    limits: CustomerLimits()
                ) { _, _ in changes += 1 }
                if detector.silenceLimit(rules) == nil { changes += 1 }
            }
        }
        pass()
        let (before, known) = (allocation_count(), changes)
        pass()
        pass()
        let allocations = Int(allocation_count() - before)
        // Each thing that begins opens and closes.
        #expect(allocations * 2 <= changes - known)
        #expect(changes > known && known > 10)
    }

    /// Beats of these rates in turn, each at the end of its own interval.
    private func beats(_ rates: [Int], for seconds: Double, _ heart: inout Watched) {
        let end = heart.now + seconds
        repeat {
            for rate in rates { heart.take(rate, at: heart.now + 60 / Double(rate)) }
        } while heart.now < end
    }
}
