import HeartRate
import Simulation
import Testing

@Suite("Detector, trends and the usual rate") struct TrendTests {
    private static func sway(_ bpm: Double, for hours: Double, every step: Double, _ heart: inout Watched) {
        let end = heart.now + hours * 3600
        var index = 0
        while heart.now + step <= end {
            index += 1
            heart.take(Int(bpm.rounded()) + [0, 3, -2, 1, -3, 2][index % 6], at: heart.now + step)
        }
    }

    @Test(
        "a drift over ten hours is a trend, told at medium severity, however sparse it is", arguments: [10.0, 60, 300])
    func drift(step: Double) throws {
        var heart = Watched()
        Self.sway(72, for: 24, every: step, &heart)
        for hour in 0..<10 { Self.sway(72 + 4.6 * Double(hour), for: 1, every: step, &heart) }
        #expect(heart.story(.trend) == ["opened medium"])
        let trend = try #require(heart.told.first { $0.episode.kind == .trend })
        #expect(trend.at < 86_400 + 7 * 3600 && trend.episode.toldSeverity == .medium)
        Self.sway(122, for: 24, every: step, &heart)
        #expect(heart.story(.tachycardia) == ["opened medium"])
    }

    @Test("days and nights, and a journey, are none", arguments: [60.0, 300])
    func days(step: Double) {
        var heart = Watched()
        for _ in 0..<5 {
            Self.sway(52, for: 8, every: step, &heart)
            Self.sway(82, for: 16, every: step, &heart)
        }
        let known = heart.told.count
        // Eight hours to the east.
        Self.sway(82, for: 8, every: step, &heart)
        for _ in 0..<5 {
            Self.sway(52, for: 8, every: step, &heart)
            Self.sway(82, for: 16, every: step, &heart)
        }
        #expect(heart.told.count == known, "\(heart.told.map(\.episode.reason))")
        #expect(heart.story(.trend).isEmpty)
    }

    @Test("a fever is open for the day, and not learned as usual")
    func fever() {
        var heart = Watched()
        Self.sway(65, for: 48, every: 60, &heart)
        Self.sway(90, for: 24, every: 60, &heart)
        #expect(heart.story(.deviation) == ["opened low"])
        Self.sway(65, for: 24, every: 60, &heart)
        #expect(heart.story(.deviation) == ["opened low", "closed low"])
        let closed = heart.closed(.deviation).first
        #expect((closed?.closedAt?.seconds ?? 0) >= 71.9 * 3600)
    }

    @Test("two nights above the usual ones are a trend until a night is as usual", arguments: [60.0, 300])
    func nights(step: Double) throws {
        var heart = Watched()
        func night(_ bpm: Double) {
            Self.sway(74, for: 16, every: step, &heart)
            Self.sway(bpm, for: 8, every: step, &heart)
        }
        for _ in 0..<6 { night(54) }
        night(60)
        #expect(heart.story(.trend).isEmpty)
        night(60)
        night(60)
        #expect(heart.story(.trend) == ["opened medium"])
        #expect(
            heart.open.first { $0.kind == .trend }?.reason == "the resting rate of the nights is +6 over the usual 54")
        night(54)
        night(54)
        #expect(heart.story(.trend) == ["opened medium", "closed medium"])
    }
}
