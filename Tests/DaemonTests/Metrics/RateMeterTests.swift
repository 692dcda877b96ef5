import Foundation
import Synchronization
import Testing

@testable import Daemon

@Suite struct RateMeterTests {
    private let start = ContinuousClock.now

    @Test("counts over the last period")
    func period() {
        var meter = RateMeter(over: .seconds(10), from: start)
        for second in 0..<100 { meter.add(20, at: start + .seconds(second)) }
        #expect(meter.perSecond(at: start + .seconds(99)) == 20)
    }

    @Test("before a period has passed it is the rate since the start")
    func before() {
        var meter = RateMeter(over: .seconds(10), from: start)
        #expect(meter.perSecond(at: start) == 0)
        meter.add(8, at: start)
        #expect(meter.perSecond(at: start) == 8)
        #expect(meter.perSecond(at: start + .seconds(4)) == 2)
    }

    @Test("what is older than the period is forgotten")
    func forgotten() {
        var meter = RateMeter(over: .seconds(10), from: start)
        meter.add(100, at: start + .seconds(5))
        #expect(meter.perSecond(at: start + .seconds(14)) == 10)
        #expect(meter.perSecond(at: start + .seconds(15)) == 0)
    }

    @Test("the memory is bounded")
    func bounded() {
        var meter = RateMeter(over: .seconds(1), from: start)
        for millisecond in 0..<10_000 { meter.add(1, at: start + .milliseconds(millisecond)) }
        #expect(meter.counts.count <= RateMeter.slices)
    }

    @Test("many small counts are one sum")
    func sum() {
        var meter = RateMeter(over: .seconds(1), from: start)
        for microsecond in 0..<100_000 { meter.add(1, at: start + .microseconds(microsecond)) }
        #expect(meter.perSecond(at: start + .milliseconds(100)) == 100_000)
    }
}
