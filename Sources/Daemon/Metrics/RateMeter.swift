/// How many per second, over the last period.
///
/// It looks at no clock: the caller says when, in instants that do not go backwards.
public struct RateMeter: Sendable {
    /// Counts that came within one slice of the period share an entry, so that the memory is bounded.
    static let slices = 20

    /// How far back it looks.
    public let period: Duration
    private let start: ContinuousClock.Instant
    private(set) var counts: [(since: ContinuousClock.Instant, count: Int)] = []

    /// Begins to count.
    ///
    /// - Parameters:
    ///   - period: how far back it looks, more than zero. The default is 10 s.
    ///   - start: from when on it counts; before a whole period has passed, the rate is that since the start.
    public init(over period: Duration = .seconds(10), from start: ContinuousClock.Instant = .now) {
        precondition(period > .zero, "a rate needs a period")
        self.period = period
        self.start = start
    }

    /// Counts what has happened by an instant.
    public mutating func add(_ count: Int, at instant: ContinuousClock.Instant = .now) {
        counts.removeAll { [period] in instant - $0.since >= period }
        if let last = counts.indices.last, instant - counts[last].since < period / Self.slices {
            counts[last].count += count
        } else {
            counts.append((instant, count))
        }
    }

    /// The mean rate per second over the last period.
    public func perSecond(at instant: ContinuousClock.Instant = .now) -> Double {
        let sum = counts.reduce(0) { sum, entry in instant - entry.since < period ? sum + entry.count : sum }
        // The first counts of all come after no time at all; a second is the least that makes sense of them.
        let observed = max(min(period, instant - start), min(period, .seconds(1)))
        return Double(sum) / (observed / .seconds(1))
    }
}
