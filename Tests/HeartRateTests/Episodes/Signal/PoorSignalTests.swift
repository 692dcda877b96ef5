import HeartRate
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
}
