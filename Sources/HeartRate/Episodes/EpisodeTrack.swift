/// One customer's bradycardia, tachycardia or deviation: idle, on its way to be raised, or open. 62 bytes.
///
/// Values rise with severity: a bradycardia's are negated rates. Times that are short are kept as how long they have
/// lasted, in microseconds.
struct EpisodeTrack: Idling {
    private(set) var openedAt: Int64 = 0
    private(set) var lastSeenAt: Int64 = 0
    /// How long low (or any), medium and high severity's limits have been exceeded without a break.
    private var lasted = InlineArray<3, UInt32>(repeating: 0)
    /// How long the value has been inside; of what: see `settle` and `ease`.
    private var inside: UInt32 = 0
    /// From opening to raising.
    private var delay: UInt32 = 0
    private var readings: Int32 = 0
    /// Rates in bpm.
    private var extreme: Int16 = 0
    private var nearest: Int16 = 0
    private var limit: Int16 = 0
    private var highLimit: Int16 = 0
    /// How many readings `lasted` is made of, at most 7.
    private var counts = InlineArray<3, UInt8>(repeating: 0)
    private var severity = Severity.low
    private var worst = Severity.low
    private(set) var isOpen = false
    private var isInside = false
    private var isEasing = false
    /// Whether it was beyond a limit of rest for long.
    private var isAtRest = false
    /// The longest pause between two beats, in milliseconds, and how many there were.
    private var longestPause: UInt16 = 0
    private var pauses: UInt16 = 0

    /// Whether the last values were beyond the limit of high severity, and had been for a part of its delay.
    func isBeyondHigh(_ times: Times) -> Bool {
        if isOpen, severity == .high, !isInside { return true }
        return counts[2] >= times.readings && Int64(lasted[2]) * 2 >= times.highDelay.count
    }

    /// Whether there is nothing to remember.
    @inline(__always)
    var isIdle: Bool { !isOpen && counts[0] == 0 }

    /// How long what has to last; what is needed of the rules.
    struct Times {
        var delay: Microseconds
        var highDelay: Microseconds
        var closing: Microseconds
        var easing: Microseconds
        var margin: EighthsOfBPM
        /// How many readings a delay has at least, 1 to 7.
        var readings: UInt8
    }

    /// By what a track is judged.
    struct Rule {
        let kind: EpisodeKind
        let limits: SeverityLimits
        let times: Times
    }

    /// The next value.
    struct Step {
        let values: SeverityLimits.Values
        /// What the value was made of, in bpm.
        let rate: Int16
        /// In microseconds since 1970.
        let at: Int64
        /// The time since the last step.
        let gap: Microseconds
        /// How much of that counts as beyond a limit: of a pause without readings nobody knows; nil for all.
        var counted: Microseconds?
        /// The customer's usual rate, for a deviation, in bpm.
        var usual: Int16 = 0
        /// Since when the rate has been beyond a limit of rest, if for long enough.
        var restSince: Int64?
    }

    /// What readings in a row, or one pause, raise at once.
    struct Raise {
        let severity: Severity
        /// In microseconds since 1970.
        let since: Int64
        let at: Int64
        /// In bpm.
        let extreme: Int16
        let nearest: Int16
        let readings: Int32
        /// In milliseconds; 0 when it is none.
        var pause: Int64 = 0
    }

    /// Takes the next value. It opens, closes, or moves an episode by one severity, if anything.
    mutating func take(_ step: Step, _ rule: Rule) -> EpisodeEvent? {
        let reached = rule.limits.severity(step.values)
        count(reached, step.counted ?? step.gap)
        if reached != nil {
            if counts[0] == 1, !isOpen {
                (extreme, nearest, readings) = (step.rate, step.rate, 0)
                openedAt = step.restSince ?? step.at
            }
            if readings < .max { readings += 1 }
            lastSeenAt = step.at
            note(step, rule.kind)
        }
        let raised = raisedSeverity(rule.times, isAtRest: step.restSince != nil)
        guard isOpen else {
            guard let raised else { return nil }
            isAtRest = step.restSince != nil
            return open(raised, at: step.at, rule)
        }
        if let raised, raised > severity { return escalate(to: raised, rule) }
        if step.restSince != nil, !isAtRest, severity == .medium {
            isAtRest = true
            return event(.sustained, at: step.at, rule)
        }
        if reached != nil {
            isInside = false
        } else if let closed = settle(step, rule) {
            return closed
        }
        return isInside ? nil : ease(step, reached: reached, by: rule)
    }

    /// Keeps how long the limits have been exceeded.
    private mutating func count(_ reached: Severity?, _ gap: Microseconds) {
        for index in 0..<3 {
            if let reached, index <= Int(reached.rawValue) {
                if counts[index] > 0 { lasted[index] = Self.sum(lasted[index], gap) }
                if counts[index] < 7 { counts[index] += 1 }
            } else {
                counts[index] = 0
                lasted[index] = 0
            }
        }
    }

    private mutating func note(_ step: Step, _ kind: EpisodeKind) {
        let rate = step.rate
        switch kind {
        case .bradycardia:
            extreme = min(extreme, rate)
            nearest = max(nearest, rate)
        case .deviation:
            if abs(Int32(rate) - Int32(step.usual)) > abs(Int32(extreme) - Int32(step.usual)) { extreme = rate }
        default:
            extreme = max(extreme, rate)
            nearest = min(nearest, rate)
        }
    }

    /// The worst severity whose delay is over: that of a limit of rest is.
    private func raisedSeverity(_ times: Times, isAtRest: Bool) -> Severity? {
        func isOver(_ severity: Severity, _ delay: Microseconds) -> Bool {
            let index = Int(severity.rawValue)
            return counts[index] >= times.readings && Int64(lasted[index]) >= delay.count
        }
        if isOver(.high, times.highDelay) { return .high }
        if isOver(.medium, times.delay) || isAtRest && counts[1] > 0 { return .medium }
        return isOver(.low, times.delay) ? .low : nil
    }

    private mutating func open(_ raised: Severity, at: Int64, _ rule: Rule) -> EpisodeEvent {
        isOpen = true
        (isInside, isEasing, inside) = (false, false, 0)
        severity = raised
        worst = raised
        delay = UInt32(clamping: at - openedAt)
        limit = rule.limits.opening
        highLimit = raised == .high ? rule.limits.urgent : 0
        return EpisodeEvent(episode: episode(rule.kind), change: .opened)
    }

    private mutating func escalate(to raised: Severity, _ rule: Rule) -> EpisodeEvent {
        severity = raised
        worst = max(worst, raised)
        if raised == .high { highLimit = rule.limits.urgent }
        // Something is beyond the limits.
        (isInside, isEasing) = (false, false)
        return EpisodeEvent(episode: episode(rule.kind), change: .escalated)
    }

    /// Takes what is raised at once: it opens an episode, or raises the one that is open.
    mutating func take(_ raise: Raise, _ rule: Rule) -> EpisodeEvent? {
        if !isOpen {
            if counts[0] == 0 { (extreme, nearest, readings) = (raise.extreme, raise.nearest, 0) }
            openedAt = counts[0] == 0 ? raise.since : min(openedAt, raise.since)
        }
        readings = max(readings, raise.readings)
        lastSeenAt = raise.at
        extreme = rule.kind == .bradycardia ? min(extreme, raise.extreme) : max(extreme, raise.extreme)
        nearest = rule.kind == .bradycardia ? max(nearest, raise.nearest) : min(nearest, raise.nearest)
        if raise.pause > 0 {
            if pauses < .max { pauses += 1 }
            longestPause = max(longestPause, UInt16(clamping: raise.pause))
        }
        isInside = false
        guard isOpen else { return open(raise.severity, at: raise.at, rule) }
        return raise.severity > severity ? escalate(to: raise.severity, rule) : nil
    }

    /// Closes what has been inside of all limits for long enough.
    private mutating func settle(_ step: Step, _ rule: Rule) -> EpisodeEvent? {
        // Without a severity below it high can only end; then that takes as long as easing, and no margin.
        let ends = severity == .high && rule.limits.severity(below: .high) == nil && rule.kind != .deviation
        guard isInside else {
            let margin = ends ? 0 : rule.times.margin
            guard rule.limits.isInside(step.values, of: .low, by: margin) else { return nil }
            (isInside, isEasing, inside) = (true, false, 0)
            return nil
        }
        inside = Self.sum(inside, step.gap)
        let needed = ends || pauses > 0 ? max(rule.times.closing, rule.times.easing) : rule.times.closing
        return Int64(inside) >= needed.count ? close(at: step.at - Int64(inside), rule.kind) : nil
    }

    /// Lowers the severity of what has been inside of the limit of its severity for long enough.
    private mutating func ease(_ step: Step, reached: Severity?, by rule: Rule) -> EpisodeEvent? {
        guard let lower = rule.limits.severity(below: severity), reached.map({ $0 < severity }) ?? true else {
            isEasing = false
            return nil
        }
        guard isEasing else {
            let margin = severity == .high ? 0 : rule.times.margin
            guard rule.limits.isInside(step.values, of: severity, by: margin) else { return nil }
            (isEasing, inside) = (true, 0)
            return nil
        }
        inside = Self.sum(inside, step.gap)
        guard Int64(inside) >= rule.times.easing.count else { return nil }
        severity = lower
        isEasing = false
        return event(.eased, at: step.at, rule)
    }

    private mutating func close(at: Int64, _ kind: EpisodeKind) -> EpisodeEvent {
        var closed = episode(kind)
        closed.closedAt = Instant(microsecondsSince1970: max(at, openedAt))
        reset()
        return EpisodeEvent(episode: closed, change: .closed)
    }

    private func event(_ change: EpisodeChange, at: Int64, _ rule: Rule) -> EpisodeEvent {
        var changed = episode(rule.kind)
        changed.changedAt = Instant(microsecondsSince1970: at)
        return EpisodeEvent(episode: changed, change: change)
    }

    /// No reading came for long: ends what is open where it was last seen, and forgets what was on its way.
    mutating func interrupt(_ kind: EpisodeKind, keepsHigh: Bool = false) -> EpisodeEvent? {
        guard isOpen else {
            reset()
            return nil
        }
        guard keepsHigh, severity == .high else { return close(at: lastSeenAt, kind) }
        count(nil, Microseconds(0))
        return nil
    }

    /// Forgets what was on its way to be raised.
    mutating func forgetUnraised() { if !isOpen { reset() } }

    private static func sum(_ time: UInt32, _ gap: Microseconds) -> UInt32 { UInt32(clamping: Int64(time) + gap.count) }

    private mutating func reset() { self = EpisodeTrack() }

    /// The open episode.
    func episode(_ kind: EpisodeKind) -> Episode {
        Episode(
            kind: kind, severity: severity, worstSeverity: worst, openedAt: Instant(microsecondsSince1970: openedAt),
            raisedAt: Instant(microsecondsSince1970: openedAt + Int64(delay)),
            lastSeenAt: Instant(microsecondsSince1970: lastSeenAt), extremeHeartRate: extreme, readings: readings,
            isAtRest: isAtRest, evidence: evidence(kind))
    }

    private func evidence(_ kind: EpisodeKind) -> Episode.Evidence {
        if kind == .deviation { return .usual(limit) }
        if pauses > 0, worst < .high { return .pauses(count: pauses, longest: longestPause) }
        return .limit(nearest: nearest, limit: limit, highLimit: worst == .high ? highLimit : nil)
    }
}

extension EpisodeTrack {
    mutating func code(_ coder: inout CheckpointCoder) {
        var phase: UInt8 = isOpen ? 2 : isIdle ? 0 : 1
        coder.code(&phase, in: 0...2)
        guard phase > 0 else { return }
        isOpen = phase == 2
        coder.codeTime(&openedAt)
        coder.codeTime(&lastSeenAt)
        for index in 0..<3 {
            coder.code(&lasted[index], after: 0)
            coder.code(&counts[index], in: 0...7)
        }
        coder.code(&inside, after: 0)
        coder.code(&delay, after: 0)
        coder.code(&readings, after: 0)
        coder.code(&extreme, after: 0)
        coder.code(&nearest, after: 0)
        coder.code(&limit, after: 0)
        coder.code(&highLimit, after: 0)
        coder.code(&severity)
        coder.code(&worst)
        coder.code(&isInside)
        coder.code(&isEasing)
        coder.code(&isAtRest)
        coder.code(&pauses, after: 0)
        coder.code(&longestPause, after: 0)
    }
}
