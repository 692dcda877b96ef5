import HeartRate

/// One customer of a recording: what the daemon's detector makes of the readings.
struct ScoredCustomer {
    /// A reading, for the curve.
    struct Point {
        let at: Int64
        let rate: Int16
    }

    /// Limits from a moment on.
    struct LimitStep {
        let at: Int64
        let limits: Detector.LimitsInForce
    }

    let id: String
    private var detector = Detector()
    private(set) var first = Instant.latest
    private(set) var last = Instant.earliest
    private(set) var readings = 0
    private(set) var late = 0
    private(set) var suspect = 0
    private(set) var refused = 0
    /// As they were last, in the order of their beginning.
    private(set) var episodes: [Episode] = []
    /// Everything that became of them, in order.
    private(set) var changes: [CustomerEpisode] = []
    /// What people would be told.
    private(set) var told: [CustomerEpisode] = []
    private(set) var points: [Point] = []
    private(set) var limitSteps: [LimitStep] = []
    var labels: [ScoreLabel] = []
    /// Its own.
    var limits = CustomerLimits()

    private let keepsCurve: Bool

    init(id: String, keepsCurve: Bool) {
        self.id = id
        self.keepsCurve = keepsCurve
    }

    /// From the first reading to the last, in hours.
    var hours: Double {
        readings > 1 ? Double(last.microsecondsSince1970 - first.microsecondsSince1970) / 3_600_000_000 : 0
    }

    mutating func take(
        _ heartRate: Int16, at instant: Instant, activity: Activity?, by rules: EpisodeRules,
        _ choice: inout EpisodeChoice
    ) {
        readings += 1
        first = min(first, instant)
        last = max(last, instant)
        var changes: [CustomerEpisode] = []
        let judgement = detector.take(
            Sample(heartRate, at: instant, activity: activity), rules: rules, limits: limits
        ) {
            changes.append(CustomerEpisode(customerID: id, episode: $0, change: $1))
        }
        if judgement == .late { late += 1 } else if judgement == .suspect { suspect += 1 }
        note(changes, at: instant, &choice)
        guard keepsCurve else { return }
        points.append(Point(at: instant.microsecondsSince1970, rate: heartRate))
        let inForce = detector.limitsInForce(activity, limits: limits, rules: rules)
        if limitSteps.last?.limits != inForce {
            limitSteps.append(LimitStep(at: instant.microsecondsSince1970, limits: inForce))
        }
    }

    /// Takes a reading that is not stored.
    mutating func takeUnstorable(
        isZero: Bool, at instant: Instant, by rules: EpisodeRules, _ choice: inout EpisodeChoice
    ) {
        refused += 1
        var changes: [CustomerEpisode] = []
        detector.takeUnstorable(isZero: isZero, at: instant, rules: rules, limits: limits) {
            changes.append(CustomerEpisode(customerID: id, episode: $0, change: $1))
        }
        note(changes, at: instant, &choice)
    }

    /// Judges what waits, and takes over how the open episodes stand at the end.
    mutating func finish(by rules: EpisodeRules, _ choice: inout EpisodeChoice) {
        var changes: [CustomerEpisode] = []
        detector.finish(rules: rules, limits: limits) {
            changes.append(CustomerEpisode(customerID: id, episode: $0, change: $1))
        }
        note(changes, at: last, &choice)
        detector.openEpisodes { keep($0) }
    }

    private mutating func note(_ changes: [CustomerEpisode], at now: Instant, _ choice: inout EpisodeChoice) {
        guard !changes.isEmpty else { return }
        for change in changes { keep(change.episode) }
        self.changes += changes
        // As if each reading had come when it was taken.
        told += choice.worthTelling(changes, at: now)
    }

    private mutating func keep(_ episode: Episode) {
        let known = episodes.lastIndex { $0.kind == episode.kind && $0.openedAt == episode.openedAt }
        if let known { episodes[known] = episode } else { episodes.append(episode) }
    }

    /// What became of an episode.
    func changes(of episode: Episode) -> [CustomerEpisode] {
        changes.filter { $0.episode.kind == episode.kind && $0.episode.openedAt == episode.openedAt }
    }

    /// Whether people were told of an episode.
    func isTold(_ episode: Episode) -> Bool {
        told.contains { $0.episode.kind == episode.kind && $0.episode.openedAt == episode.openedAt }
    }
}
