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
