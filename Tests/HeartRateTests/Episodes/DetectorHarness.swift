import HeartRate
import Testing

/// A detector with what it told.
struct Watched {
    /// One change, and the reading at which it was told, in seconds since the start.
    struct Told: Hashable {
        var episode: Episode
        var change: EpisodeChange
        var at: Double
    }

    static let start = Instant(microsecondsSince1970: 1_771_516_800_000_000)

    var detector = Detector()
    var rules: EpisodeRules
    var limits = CustomerLimits()
    var told: [Told] = []
    var now = 0.0

    init(_ rules: EpisodeRules = EpisodeRules(), _ limits: CustomerLimits = CustomerLimits()) {
        self.rules = rules
        self.limits = limits
    }

    @discardableResult
    mutating func take(_ bpm: Int, at seconds: Double, _ activity: Activity? = nil) -> Detector.Judgement {
        var changes: [Told] = []
        let judgement = detector.take(
            Sample(Int16(bpm), at: Self.instant(seconds), activity: activity), rules: rules, limits: limits
        ) { changes.append(Told(episode: $0, change: $1, at: seconds)) }
        told += changes
        now = max(now, seconds)
        return judgement
    }

    /// Readings of one rate for a time, the first a step after the last one.
    mutating func hold(_ bpm: Int, for seconds: Double, every step: Double = 1, _ activity: Activity? = nil) {
        let first = now
        var index = 1.0
        while index * step <= seconds + 0.001 {
            take(bpm, at: first + index * step, activity)
            index += 1
        }
    }

    /// Readings that sway around a rate, as a heart's do, for a time.
    mutating func sway(_ bpm: Int, for seconds: Double, every step: Double = 1, _ activity: Activity? = nil) {
        let first = now
        var index = 1
        while Double(index) * step <= seconds + 0.001 {
            take(bpm + [0, 2, -1, 1, -2][index % 5], at: first + Double(index) * step, activity)
            index += 1
        }
    }

    /// A reading that is not stored: of 0 bpm, or of a rate that no heart can have.
    mutating func takeUnstorable(isZero: Bool = true, at seconds: Double) {
        var changes: [Told] = []
        detector.takeUnstorable(isZero: isZero, at: Self.instant(seconds), rules: rules, limits: limits) {
            changes.append(Told(episode: $0, change: $1, at: seconds))
        }
        told += changes
        now = max(now, seconds)
    }

    mutating func silence(_ seconds: Double) {
        var changes: [Told] = []
        let at = now + seconds
        detector.signalLost(for: Microseconds(Int64(seconds * 1_000_000)), rules: rules, limits: limits) {
            changes.append(Told(episode: $0, change: $1, at: at))
        }
        told += changes
    }

    /// What was told of a kind: `opened medium`.
    func story(_ kind: EpisodeKind) -> [String] {
        told.filter { $0.episode.kind == kind }.map { "\($0.change) \($0.episode.severity)" }
    }

    /// The same without records: what was of medium severity or more.
    func alarms(_ kind: EpisodeKind) -> [String] {
        told.filter { $0.episode.kind == kind && $0.episode.severity > .low && $0.change != .sustained }
            .map { "\($0.change) \($0.episode.severity)" }
    }

    /// How often high severity was raised.
    func highs(_ kind: EpisodeKind) -> Int {
        told.count {
            $0.episode.kind == kind && $0.episode.severity == .high && [.opened, .escalated].contains($0.change)
        }
    }

    func closed(_ kind: EpisodeKind) -> [Episode] {
        told.filter { $0.episode.kind == kind && $0.change == .closed }.map(\.episode)
    }

    var open: [Episode] {
        var episodes: [Episode] = []
        detector.openEpisodes { episodes.append($0) }
        return episodes
    }

    static func instant(_ seconds: Double) -> Instant {
        start.advanced(byMicroseconds: Int64((seconds * 1_000_000).rounded()))
    }
}

extension Instant {
    /// Since the start of a course, in seconds.
    var seconds: Double {
        Double(microsecondsSince1970 - Watched.start.microsecondsSince1970) / 1_000_000
    }
}
