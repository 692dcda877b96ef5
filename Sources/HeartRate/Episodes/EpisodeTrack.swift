/// One customer's bradycardia, tachycardia or deviation: idle, on its way to be raised, or open. 56 bytes.
///
/// Values rise with severity: a bradycardia's are negated rates. Times that are short are kept as how long they have
/// lasted, in microseconds.
struct EpisodeTrack {
    private(set) var openedAt: Int64 = 0
    private(set) var lastSeenAt: Int64 = 0
    /// How long low (or any), medium and high severity's limits have been exceeded without a break.
    private var lasted = InlineArray<3, UInt32>(repeating: 0)
    /// How long the value has been inside; of what: see `step`.
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

    /// Whether the step has nothing to remember of it.
    @inline(__always)
    var isIdle: Bool { !isOpen && counts[0] == 0 }

    /// What is needed of the rules.
    struct Times {
        /// In microseconds.
        var delay: Int64
        var highDelay: Int64
        var closing: Int64
        var closingOfHigh: Int64
        var easing: Int64
        var margin: Eighths
        var readings: UInt8
    }

    /// Takes the next value, `gap` microseconds after the last one. `rate` is what the value was made of.
    mutating func step(
        _ values: LadderValues, rate: Int16, at: Int64, gap: Int64, _ ladder: Ladder, _ times: Times,
        kind: EpisodeKind, usual: Int16 = 0, _ changed: (Episode, EpisodeChange) -> Void
    ) {
        let reached = ladder.severity(values)
        count(reached, gap)
        if reached != nil {
            if counts[0] == 1, !isOpen {
                (extreme, nearest, readings) = (rate, rate, 0)
                openedAt = at
            }
            if readings < .max { readings += 1 }
            lastSeenAt = at
            note(rate, kind, usual)
        }
        let raised = raisedSeverity(times)
        guard isOpen else {
            if let raised { open(raised, at, ladder, kind, changed) }
            return
        }
        if let raised, raised > severity {
            severity = raised
            worst = max(worst, raised)
            if raised == .high { highLimit = ladder.highLimit }
            changed(episode(kind), .escalated)
        }
        if reached == nil { settle(values, at, gap, ladder, times, kind, changed) } else { isInside = false }
        if isOpen, !isInside { ease(values, reached, gap, ladder, times, kind, changed) }
    }

    /// Keeps how long the limits have been exceeded.
    private mutating func count(_ reached: Severity?, _ gap: Int64) {
        for index in 0..<3 {
            if let reached, index <= Int(reached.rawValue) {
                if counts[index] > 0 { lasted[index] = UInt32(clamping: Int64(lasted[index]) + gap) }
                if counts[index] < 7 { counts[index] += 1 }
            } else {
                counts[index] = 0
                lasted[index] = 0
            }
        }
    }

    private mutating func note(_ rate: Int16, _ kind: EpisodeKind, _ usual: Int16) {
        switch kind {
        case .bradycardia:
            extreme = min(extreme, rate)
            nearest = max(nearest, rate)
        case .deviation:
            if abs(Int32(rate) - Int32(usual)) > abs(Int32(extreme) - Int32(usual)) { extreme = rate }
        default:
            extreme = max(extreme, rate)
            nearest = min(nearest, rate)
        }
    }

    /// The worst severity whose delay is over.
    private func raisedSeverity(_ times: Times) -> Severity? {
        func isOver(_ severity: Severity, _ delay: Int64) -> Bool {
            let index = Int(severity.rawValue)
            return counts[index] >= times.readings && Int64(lasted[index]) >= delay
        }
        if isOver(.high, times.highDelay) { return .high }
        if isOver(.medium, times.delay) { return .medium }
        return isOver(.low, times.delay) ? .low : nil
    }

    private mutating func open(
        _ raised: Severity, _ at: Int64, _ ladder: Ladder, _ kind: EpisodeKind,
        _ changed: (Episode, EpisodeChange) -> Void
    ) {
        isOpen = true
        (isInside, isEasing, inside) = (false, false, 0)
        severity = raised
        worst = raised
        delay = UInt32(clamping: at - openedAt)
        limit = ladder.limit
        highLimit = raised == .high ? ladder.highLimit : 0
        changed(episode(kind), .opened)
    }

    /// Closes what has been inside of all limits for long enough.
    private mutating func settle(
        _ values: LadderValues, _ at: Int64, _ gap: Int64, _ ladder: Ladder, _ times: Times, _ kind: EpisodeKind,
        _ changed: (Episode, EpisodeChange) -> Void
    ) {
        guard isInside else {
            guard ladder.isInside(values, of: .low, by: times.margin) else { return }
            (isInside, isEasing, inside) = (true, false, 0)
            return
        }
        inside = UInt32(clamping: Int64(inside) + gap)
        if Int64(inside) >= (severity == .high ? times.closingOfHigh : times.closing) {
            close(at - Int64(inside), kind, changed)
        }
    }

    /// Lowers the severity of what has been inside of the limit of its severity for long enough.
    private mutating func ease(
        _ values: LadderValues, _ reached: Severity?, _ gap: Int64, _ ladder: Ladder, _ times: Times,
        _ kind: EpisodeKind, _ changed: (Episode, EpisodeChange) -> Void
    ) {
        guard let lower = ladder.severity(below: severity), reached.map({ $0 < severity }) ?? true else {
            isEasing = false
            return
        }
        guard isEasing else {
            guard ladder.isInside(values, of: severity, by: times.margin) else { return }
            (isEasing, inside) = (true, 0)
            return
        }
        inside = UInt32(clamping: Int64(inside) + gap)
        guard Int64(inside) >= times.easing else { return }
        severity = lower
        isEasing = false
        changed(episode(kind), .eased)
    }

    private mutating func close(
        _ at: Int64, _ kind: EpisodeKind, _ changed: (Episode, EpisodeChange) -> Void
    ) {
        var closed = episode(kind)
        closed.closedAt = Instant(microsecondsSince1970: max(at, openedAt))
        changed(closed, .closed)
        reset()
    }

    /// No reading came for long: ends what is open where it was last seen, and forgets what was on its way.
    mutating func interrupt(
        _ kind: EpisodeKind, keepsHigh: Bool = false, _ changed: (Episode, EpisodeChange) -> Void
    ) {
        guard isOpen else { return reset() }
        if keepsHigh, severity == .high {
            count(nil, 0)
        } else {
            close(lastSeenAt, kind, changed)
        }
    }

    private mutating func reset() { self = EpisodeTrack() }

    /// The open episode.
    func episode(_ kind: EpisodeKind) -> Episode {
        Episode(
            kind: kind, severity: severity, worstSeverity: worst, openedAt: Instant(microsecondsSince1970: openedAt),
            raisedAt: Instant(microsecondsSince1970: openedAt + Int64(delay)),
            lastSeenAt: Instant(microsecondsSince1970: lastSeenAt), extremeHeartRate: extreme, readings: readings,
            evidence: kind == .deviation
                ? .usual(limit)
                : .limit(nearest: nearest, limit: limit, highLimit: worst == .high ? highLimit : nil))
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
    }
}
