import HeartRate
import Simulation
import Testing

@Suite("Detector, baseline and checkpoint") struct DetectorBaselineTests {
    /// A day of readings once every 20 s, in which the rate sways around 62 bpm.
    private static let day: Watched = {
        var heart = Watched()
        for index in 1...4320 { heart.take(62 + index / 30 % 5 - 2, at: Double(index) * 20) }
        return heart
    }()

    @Test("half an hour far from the usual rate is a deviation of low severity, until it is over")
    func deviation() throws {
        var heart = Self.day
        #expect(heart.told.isEmpty)
        heart.sway(100, for: 29 * 60, every: 20)
        #expect(heart.told.isEmpty)
        heart.sway(100, for: 180, every: 20)
        #expect(heart.story(.deviation) == ["opened low"])
        let open = try #require(heart.open.first)
        #expect(open.extremeHeartRate == 102 && open.severity == .low)
        #expect(["+40 over the usual 62 for 30 min", "+40 over the usual 62 for 31 min"].contains(open.reason))
        heart.hold(64, for: 3600, every: 20)
        #expect(heart.story(.deviation) == ["opened low", "closed low"])
        let closed = try #require(heart.closed(.deviation).first)
        #expect(closed.closedAt.map { $0.seconds < 86_400 + 40 * 60 } == true)
    }

    @Test("below the usual rate, too")
    func below() {
        var heart = Self.day
        // Without a limit of rest, which comes first.
        heart.limits.heartRateMin = 36
        heart.hold(41, for: 3600, every: 20)
        #expect(heart.open.first { $0.kind == .deviation }?.reason == "-21 below the usual 62 for 58 min")
    }

    @Test("nothing is a deviation that is near, short, explained by what the customer does, or judged by limits")
    func explained() {
        for (bpm, minutes, activity) in [(78, 120.0, nil), (100, 25, nil), (110, 120, .walk), (120, 120, .exercise)]
            as [(Int, Double, Activity?)]
        {
            var heart = Self.day
            heart.hold(bpm, for: minutes * 60, every: 20, activity)
            heart.hold(62, for: 600, every: 20)
            #expect(heart.story(.deviation).isEmpty, "\(bpm) bpm")
        }
        var heart = Self.day
        heart.sway(140, for: 7200, every: 20)
        #expect(Set(heart.told.map(\.episode.kind)) == [.tachycardia])
    }

    @Test("nothing is a deviation before half of the window is known")
    func learning() {
        var heart = Watched()
        heart.sway(62, for: 11 * 3600, every: 60)
        heart.sway(100, for: 3000, every: 60)
        #expect(heart.told.isEmpty)
        heart.sway(62, for: 2 * 3600, every: 60)
        heart.sway(100, for: 3000, every: 60)
        #expect(heart.story(.deviation) == ["opened low"])
    }

    @Test("the baseline follows a lasting change, and exercise that is told leaves it alone")
    func following() {
        var heart = Self.day
        heart.hold(110, for: 8 * 3600, every: 20, .exercise)
        heart.hold(100, for: 3600, every: 20)
        #expect(heart.open.first?.reason.contains("over the usual 62") == true)
        heart.hold(100, for: 5 * 86_400, every: 60)
        #expect(heart.story(.deviation) == ["opened low", "closed low"])
    }

    @Test("a checkpoint is small, and bytes of something else are none")
    func checkpoint() throws {
        var heart = Self.day
        heart.hold(35, for: 60, every: 0.4)
        var bytes: [UInt8] = []
        heart.detector.writeCheckpoint(to: &bytes)
        #expect(bytes.count <= 400)
        #expect(Detector(checkpoint: bytes) != nil)
        #expect(Detector(checkpoint: []) == nil)
        for index in bytes.indices {
            #expect(Detector(checkpoint: Array(bytes.prefix(index))) == nil)
            for bit in 0..<8 {
                var broken = bytes
                broken[index] ^= 1 << bit
                #expect(Detector(checkpoint: broken) == nil)
            }
        }
        var random = SplitMix64(seed: 9, stream: 9)
        for length in 0..<500 {
            let garbage = (0..<length).map { _ in UInt8.random(in: 0...255, using: &random) }
            #expect(Detector(checkpoint: garbage) == nil)
        }
    }
}
