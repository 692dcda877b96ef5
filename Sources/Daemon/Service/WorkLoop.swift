internal import Synchronization

/// A loop that does a daemon's work, and the evidence that it gets on.
///
/// The loop says `progressed()` each time it comes round, also when there was nothing to do or when it waits for a server
/// with its back-off: that is progress. A loop that is stuck in a call does not come round.
public final class WorkLoop: Sendable {
    /// As it is called in the journal: `writer`.
    public let name: String
    private let rounds = Atomic<Int>(0)

    init(_ name: String) { self.name = name }

    /// Says that the loop has come round, or has got on within a round. Cheap enough for each message.
    public func progressed() { rounds.add(1, ordering: .relaxed) }

    var count: Int { rounds.load(ordering: .relaxed) }
}

/// Decides when the service manager's watchdog is told that the work goes on: only when every loop has come round since
/// it was told the last time.
struct WatchdogRounds {
    enum Verdict: Equatable {
        /// All have progressed: tell it.
        case progress
        /// Nothing to tell yet.
        case wait
        /// These, by their place, have not progressed for more than half of the interval. Said once until they do.
        case stalled([Int])
    }

    /// Within which the service manager wants to hear something.
    let interval: Duration
    /// It is told at least as often as this, so that whoever watches the daemon otherwise can see it soon, too.
    private static let mostPause: Duration = .seconds(10)
    private var told: ContinuousClock.Instant
    private var counts: [Int] = []
    private var isStalled = false

    init(interval: Duration, at now: ContinuousClock.Instant) {
        self.interval = interval
        told = now
    }

    /// - Parameter counts: how often each loop has come round; a loop that is new has none yet.
    mutating func judge(_ counts: [Int], at now: ContinuousClock.Instant) -> Verdict {
        let late = counts.indices.filter { $0 < self.counts.count ? counts[$0] == self.counts[$0] : counts[$0] == 0 }
        if late.isEmpty {
            guard now - told >= min(interval / 4, Self.mostPause) else { return .wait }
            self.counts = counts
            told = now
            isStalled = false
            return .progress
        }
        guard !isStalled, now - told > interval / 2 else { return .wait }
        isStalled = true
        return .stalled(late)
    }

    /// How long ago the last round of all was.
    func silence(at now: ContinuousClock.Instant) -> Duration { now - told }
}
