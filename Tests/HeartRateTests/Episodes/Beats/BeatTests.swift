import HeartRate
import Simulation
import Testing

/// Where each reading is a beat, and its rate that of the interval before it.
@Suite("Detector, beats") struct BeatTests {
    private var random = SplitMix64(seed: 11, stream: 4)
    private var heart = Watched()

    /// A beat after an interval in seconds; one that no store takes is rejected.
    private mutating func beat(after interval: Double) {
        let bpm = Int((60 / interval).rounded())
        if (1...299).contains(bpm) { heart.take(bpm, at: heart.now + interval) } else { heart.now += interval }
    }

    /// Beats at a rate with the usual small differences.
    private mutating func beats(_ bpm: Double, for seconds: Double) {
        let end = heart.now + seconds
        while heart.now < end { beat(after: 60 / bpm * Double.random(in: 0.975...1.025, using: &random)) }
    }

    /// Whether each reading is taken for a beat.
    private var knowsBeats: Bool {
        heart.detector.summary.contains { $0.name == "readings are beats" && $0.value == "yes" }
    }

    @Test("a sensor that misses beats is no slow heart", arguments: [70.0, 88, 104, 121], [0.2, 0.35, 0.5, 0.6])
    mutating func missed(bpm: Double, share: Double) {
        beats(bpm, for: 120)
        let end = heart.now + 600
        var interval = 0.0
        while heart.now < end {
            interval += 60 / bpm * Double.random(in: 0.98...1.02, using: &random)
            guard Double.random(in: 0..<1, using: &random) >= share else { continue }
            beat(after: interval)
            interval = 0
        }
        beats(bpm, for: 120)
        #expect(!heart.told.contains { $0.episode.severity == .high }, "\(heart.told.map(\.episode.reason))")
    }

    @Test("each second beat missed may be a block of the heart: medium, not high")
    mutating func everySecond() {
        beats(62, for: 60)
        for _ in 0..<20 {
            beat(after: 60 / 62)
            beat(after: 120 / 62)
        }
        beats(62, for: 300)
        #expect(heart.story(.bradycardia) == ["opened medium", "closed medium"])
    }

    @Test("a beat after the longest interval that a rate can say, among others, is judged", arguments: [1, 2, 3])
    mutating func longest(bpm: Int) {
        for interval in [60 / Double(bpm), 20, 30] {
            beats(62, for: 60)
            beat(after: interval)
        }
        beats(62, for: 120)
        #expect(knowsBeats)
    }

    @Test("a heart whose beats are all slow is one, also at half of the rate before", arguments: [30.0, 35, 38])
    mutating func slow(bpm: Double) throws {
        beats(2 * bpm, for: 60)
        let began = heart.now
        beats(bpm, for: 30)
        let high = try #require(heart.told.first { $0.episode.severity == .high })
        #expect(high.episode.kind == .bradycardia && high.at - began <= 15)
    }

    @Test(
        "a rate that is told each second is no beat, also at 60 bpm",
        arguments: [0.0, 0.02, 0.06], [0.0, 0.05])
    mutating func eachSecond(jitter: Double, dropouts: Double) {
        for second in 1...600 where Double.random(in: 0..<1, using: &random) >= dropouts {
            let late = Double.random(in: 0...max(jitter, 1e-9), using: &random)
            heart.take(60 + [0, 2, -1, 1, -2][second / 7 % 5], at: Double(second) + late)
            #expect(!knowsBeats, "second \(second)")
        }
        // So its silence is noticed after five steps, and not after the time that a pause may last.
        let limit = heart.detector.silenceLimit(heart.rules)
        #expect(limit.map { $0 < .milliseconds(5500) } == true)
        beats(60, for: 120)
        #expect(knowsBeats)
        // A pacemaker's are all alike, and no others are between them.
        for _ in 0..<60 { heart.take(60, at: heart.now + 1) }
        #expect(knowsBeats)
    }

    @Test(
        "fast and irregular is urgent within 15 s when its mean is beyond the limit",
        arguments: [145.0...270, 150...250, 160...230, 143...273])
    mutating func irregular(range: ClosedRange<Double>) throws {
        beats(75, for: 300)
        let began = heart.now
        while heart.now < began + 600 {
            // So that the mean of the rates by time is well above 180.
            beat(
                after: 60
                    / (range.lowerBound + (range.upperBound - range.lowerBound)
                        * Double.random(in: 0...1, using: &random))
            )
        }
        let high = try #require(heart.told.first { $0.episode.severity == .high })
        #expect(high.episode.kind == .tachycardia && high.at - began <= 15, "after \(high.at - began) s")
    }

    @Test("irregular with a mean below the limit is not urgent")
    mutating func irregularBelow() {
        for _ in 0..<3000 { beat(after: 60 / Double.random(in: 110...200, using: &random)) }
        #expect(!heart.told.contains { $0.episode.severity == .high })
        #expect(
            heart.alarms(.tachycardia).first == "opened medium"
                || heart.alarms(.tachycardia).first == "escalated medium")
    }

    @Test("short runs of fast beats leave a record", arguments: [2.0, 5, 6, 7])
    mutating func runs(seconds: Double) throws {
        beats(68, for: 120)
        beats(220, for: seconds)
        beats(68, for: 300)
        let closed = try #require(heart.closed(.tachycardia).first)
        #expect(closed.worstSeverity < .high && (closed.extremeHeartRate ?? 0) > 205)
    }

    @Test("a chaotic rhythm above the limit is urgent within ten seconds, though half of it is rejected")
    mutating func fibrillation() throws {
        beats(80, for: 60)
        let began = heart.now
        while heart.now < began + 12 { beat(after: 60 / Double.random(in: 182...478, using: &random)) }
        beats(80, for: 60)
        let high = try #require(heart.told.first { $0.episode.severity == .high })
        #expect(high.at - began <= 10.5)
    }

    @Test("pauses are one episode of medium severity", arguments: [(4.1, 30.0), (6, 60), (9.5, 300)])
    mutating func pauses(seconds: Double, every: Double) throws {
        beats(70, for: 120)
        for _ in 0..<6 {
            beat(after: seconds)
            beats(70, for: every - seconds)
        }
        #expect(heart.story(.bradycardia) == ["opened medium"])
        let open = try #require(heart.open.first { $0.kind == .bradycardia })
        #expect(open.reason.hasPrefix("6 pauses between two beats in "), "\(open.reason)")
        beats(70, for: 1200)
        #expect(heart.closed(.bradycardia).count == 1)
    }

    @Test("how much of a night is irregular is a figure, and no alarm")
    mutating func irregularNight() throws {
        beats(64, for: 2 * 3600)
        #expect(try #require(heart.detector.irregularPart).percent <= 1)
        let end = heart.now + 3 * 3600
        while heart.now < end { beat(after: 60 / Double.random(in: 58...98, using: &random)) }
        let part = try #require(heart.detector.irregularPart)
        // Three hours of five; by chance some of their minutes look regular.
        #expect((48...62).contains(part.percent) && part.minutes > 290, "\(part)")
        #expect(!heart.told.contains { $0.episode.severity > .low })
        // Where readings are no beats nobody can tell.
        heart = Watched()
        heart.sway(70, for: 7200)
        #expect(heart.detector.irregularPart == nil)
    }

    @Test("seventeen beats above 140 are of medium severity")
    mutating func quick() throws {
        beats(75, for: 60)
        let began = heart.now
        beats(150, for: 30)
        let medium = try #require(heart.told.first)
        #expect(medium.episode.severity == .medium && medium.at - began <= 7.5)
    }
}
