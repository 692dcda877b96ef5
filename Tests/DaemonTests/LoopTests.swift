import Foundation
import Synchronization
import Testing

@testable import Daemon

@Suite struct BackoffTests {
    @Test func theCeilingDoublesUpToTheLongest() {
        var backoff = Backoff(seed: 1)
        var ceilings: [Duration] = []
        for _ in 0..<11 {
            ceilings.append(backoff.ceiling)
            _ = backoff.next()
        }
        #expect(
            ceilings
                == [100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000].map { .milliseconds($0) })
    }

    @Test(arguments: [UInt64(0), 1, 42, .max])
    func waitsAreBetweenZeroAndTheCeilingForEver(seed: UInt64) {
        var backoff = Backoff(seed: seed)
        for _ in 0..<10_000 {
            let ceiling = backoff.ceiling
            let wait = backoff.next()
            #expect(.zero <= wait && wait <= ceiling)
        }
        #expect(backoff.attempts == 10_000)
    }

    @Test func waitsAreSpreadOverTheWholeRange() {
        var backoff = Backoff(from: .seconds(1), to: .seconds(1), seed: 7)
        let waits = (0..<1000).map { _ in backoff.next() / .seconds(1) }
        for tenth in 0..<10 {
            let low = Double(tenth) / 10
            // 100 are expected; a fair draw is below 50 or above 150 less than once in 10^6 tests.
            #expect((50...150).contains(waits.filter { low <= $0 && $0 < low + 0.1 }.count))
        }
    }

    @Test func theSameSeedGivesTheSameWaits() {
        var (first, second, third) = (Backoff(seed: 5), Backoff(seed: 5), Backoff(seed: 6))
        let waits = (0..<5).map { _ in first.next() }
        #expect(waits == (0..<5).map { _ in second.next() })
        #expect(waits != (0..<5).map { _ in third.next() })
    }

    @Test func aResetBeginsAgain() {
        var backoff = Backoff(from: .milliseconds(3), to: .seconds(1))
        for _ in 0..<5 { _ = backoff.next() }
        backoff.reset()
        #expect(backoff.ceiling == .milliseconds(3))
    }
}

@Suite struct RateMeterTests {
    private let start = ContinuousClock.now

    @Test func countsOverTheLastPeriod() {
        var meter = RateMeter(over: .seconds(10), from: start)
        for second in 0..<100 { meter.add(20, at: start + .seconds(second)) }
        #expect(meter.perSecond(at: start + .seconds(99)) == 20)
    }

    @Test func beforeAPeriodHasPassedItIsTheRateSinceTheStart() {
        var meter = RateMeter(over: .seconds(10), from: start)
        #expect(meter.perSecond(at: start) == 0)
        meter.add(8, at: start)
        #expect(meter.perSecond(at: start) == 8)
        #expect(meter.perSecond(at: start + .seconds(4)) == 2)
    }

    @Test func whatIsOlderThanThePeriodIsForgotten() {
        var meter = RateMeter(over: .seconds(10), from: start)
        meter.add(100, at: start + .seconds(5))
        #expect(meter.perSecond(at: start + .seconds(14)) == 10)
        #expect(meter.perSecond(at: start + .seconds(15)) == 0)
    }

    @Test func theMemoryIsBounded() {
        var meter = RateMeter(over: .seconds(1), from: start)
        for millisecond in 0..<10_000 { meter.add(1, at: start + .milliseconds(millisecond)) }
        #expect(meter.counts.count <= RateMeter.slices)
    }

    @Test func manySmallCountsAreOneSum() {
        var meter = RateMeter(over: .seconds(1), from: start)
        for microsecond in 0..<100_000 { meter.add(1, at: start + .microseconds(microsecond)) }
        #expect(meter.perSecond(at: start + .milliseconds(100)) == 100_000)
    }
}

@Suite struct WorkThreadTests {
    @Test func runsItsBodyUnderItsName() throws {
        let name = Mutex("")
        let thread = try WorkThread(name: "intake-with-a-long-name") {
            let comm = try? String(contentsOfFile: "/proc/thread-self/comm", encoding: .utf8)
            name.withLock { $0 = comm ?? "" }
        }
        thread.join()
        thread.join()
        #expect(name.withLock { $0 } == "intake-with-a-l\n")
    }

    @Test func aJoinCanGiveUp() throws {
        let stop = StopSignal()
        let thread = try WorkThread(name: "slow") { _ = stop.wait(for: .seconds(600)) }
        #expect(!thread.join(within: .milliseconds(1)))
        stop.request()
        #expect(thread.join(within: .seconds(600)))
    }

    @Test func whatTheBodyHoldsIsReleased() throws {
        final class Held: Sendable {}
        weak var held: Held?
        do {
            let kept = Held()
            held = kept
            try WorkThread(name: "holder") { _ = kept }.join()
        }
        // The thread lets go just after the join.
        while held != nil { sched_yield() }
    }
}

@Suite struct ClockTests {
    @Test func theWallClockCountsMicrosecondsSince1970() {
        let before = Date.now.timeIntervalSince1970
        let time = Double(wallClockMicroseconds()) / 1e6
        let after = Date.now.timeIntervalSince1970
        #expect(before - 1 <= time && time <= after + 1)
    }
}
