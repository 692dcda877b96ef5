import Testing

@testable import Consumer

@Suite("A member without partitions") struct StandbyTests {
    @Test("it asks who reads at once, and again a second later, or ten when somebody does")
    func rounds() {
        let examinations = Examinations()
        var standby = Standby()
        var now = ContinuousClock.now
        for (finding, pause) in [(Examinations.Readers.unsettled, 1), (.nobodyReads, 1), (.othersRead, 10)] {
            #expect(standby.update(examinations, at: now) == nil)
            #expect(examinations.next() == .lookUpReaders)
            #expect(standby.update(examinations, at: now + .seconds(60)) == nil, "there is no answer yet")
            examinations.finish(finding)
            #expect(standby.update(examinations, at: now) == finding)
            #expect(examinations.takeReaders() == nil)
            now += .seconds(pause)
            #expect(standby.update(examinations, at: now - .milliseconds(1)) == nil)
        }
        examinations.stop()
        #expect(examinations.next() == .stop, "nothing was asked before it was due")
    }
}
