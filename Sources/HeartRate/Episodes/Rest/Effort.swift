/// Whether a customer's heart works: known from the activity, or from the rate's own rise and fall. 36 bytes.
struct Effort {
    /// When exercise and a walk were told the last time, in microseconds since 1970.
    private var exercisedAt = noTime
    private var walkedAt = noTime
    /// Since when the rate says so, and when it last did.
    private var risenAt = noTime
    private var fallenAt = noTime
    /// What the rate has risen from: it follows a fall at once, and a rise by `rise` in `riseTime`. In eighths of a bpm.
    private var ground: Int16 = 0
    private var peak: Int16 = 0

    /// Takes what a reading tells.
    @inline(__always)
    mutating func note(_ activity: Activity?, at: Int64) {
        if activity == .exercise { exercisedAt = at } else if activity == .walk { walkedAt = at }
    }

    /// As what a reading's activity counts: after an effort the heart takes minutes to slow down.
    @inline(__always)
    func activity(_ told: Activity?, at: Int64, _ rules: EpisodeRules) -> Activity? {
        if told == .exercise || Self.isRecent(exercisedAt, at, within: rules.recovery) { return .exercise }
        if told == .walk || Self.isRecent(walkedAt, at, within: rules.recoveryFromWalk) { return .walk }
        return told
    }

    /// Whether the customer is not at rest.
    func isOn(_ activity: Activity?, at: Int64, _ rules: EpisodeRules) -> Bool {
        let counts = self.activity(activity, at: at, rules)
        if counts == .exercise || counts == .walk { return true }
        guard activity == nil else { return false }
        return risenAt != noTime || Self.isRecent(fallenAt, at, within: rules.recovery)
    }

    /// Takes the rate of a minute.
    mutating func take(_ rate: EighthsOfBPM, at: Int64, after gap: Microseconds, _ rules: EpisodeRules) {
        let rate = Int16(truncatingIfNeeded: rate)
        let rise = Int32(rules.effortRise) * 8
        let most = Int32(clamping: Int64(rise) * min(gap, .hours(24)).count / max(rules.effortRiseTime.count, 1))
        let reached = ground == 0 ? Int32(rate) : min(Int32(rate), Int32(ground) + most)
        ground = Int16(reached)
        guard risenAt != noTime else {
            if Int32(rate) - reached >= rise { (risenAt, peak) = (at, rate) }
            return
        }
        peak = max(peak, rate)
        // Half of the way back, or too long for an effort of which nobody tells.
        let isOver = at - risenAt > rules.longestEffort.count
        let hasFallen = Int32(peak) - Int32(rate) >= rise / 2
        if hasFallen { fallenAt = at }
        if isOver || hasFallen {
            risenAt = noTime
            ground = rate
        }
    }

    @inline(__always)
    private static func isRecent(_ then: Int64, _ now: Int64, within time: Microseconds) -> Bool {
        then != noTime && now - then < time.count
    }

    mutating func code(_ coder: inout CheckpointCoder) {
        coder.codeOptionalTime(&exercisedAt, none: noTime)
        coder.codeOptionalTime(&walkedAt, none: noTime)
        coder.codeOptionalTime(&risenAt, none: noTime)
        coder.codeOptionalTime(&fallenAt, none: noTime)
        coder.code(&ground, after: 0)
        coder.code(&peak, after: 0)
    }
}
