import Simulation
import Testing

@testable import Daemon

@Suite("Back-off") struct BackoffTests {
    @Test("the ceiling doubles up to the longest wait")
    func ceiling() {
        var backoff = Backoff()
        var ceilings: [Duration] = []
        for _ in 0..<11 {
            ceilings.append(backoff.ceiling)
            _ = backoff.next()
        }
        #expect(
            ceilings
                == [100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000].map { .milliseconds($0) })
    }

    @Test("every wait is between zero and the ceiling", arguments: [UInt64(0), 1, 42, .max])
    func bounds(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var backoff = Backoff()
        for _ in 0..<10_000 {
            let ceiling = backoff.ceiling
            let wait = backoff.next(using: &random)
            #expect(.zero <= wait && wait <= ceiling)
        }
        #expect(backoff.attempts == 10_000)
    }

    @Test("waits are spread over the whole range")
    func spread() {
        var random = SplitMix64(seed: 7)
        var backoff = Backoff(from: .seconds(1), to: .seconds(1))
        let waits = (0..<1000).map { _ in backoff.next(using: &random) / .seconds(1) }
        for tenth in 0..<10 {
            let low = Double(tenth) / 10
            // 100 are expected; a fair draw is below 50 or above 150 less than once in 10^6 tests.
            #expect((50...150).contains(waits.filter { low <= $0 && $0 < low + 0.1 }.count))
        }
    }

    @Test("without a generator no two sequences are the same")
    func randomness() {
        var (first, second) = (Backoff(), Backoff())
        let waits = (0..<5).map { _ in first.next() }
        #expect(waits != (0..<5).map { _ in second.next() })
    }

    @Test("a reset starts again at the shortest wait")
    func reset() {
        var backoff = Backoff(from: .milliseconds(3), to: .seconds(1))
        for _ in 0..<5 { _ = backoff.next() }
        backoff.reset()
        #expect(backoff.ceiling == .milliseconds(3))
    }
}
