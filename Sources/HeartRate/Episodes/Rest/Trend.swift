/// A rate at rest that has risen within hours, or that is higher than usual in the nights. 112 bytes.
struct Trend {
    private(set) var hours = Hours()
    private(set) var nights = Nights()
    private var openedAt: Int64 = 0
    private var raisedAt: Int64 = 0
    private var lastSeenAt: Int64 = 0
    private var readings: Int32 = 0
    /// In bpm.
    private var extreme: Int16 = 0
    private var usual: Int16 = 0
    private(set) var isOpen = false
    private var isOfNights = false

    /// A minute's rate.
    struct Minute {
        /// In eighths of a bpm.
        let rate: EighthsOfBPM
        let at: Int64
        /// How many minutes it stands for.
        let minutes: Int32
        let isAtRest: Bool
    }

    /// Takes a minute's rate; at the end of an hour a trend may open or close.
    mutating func take(_ minute: Minute, beside baseline: Baseline, _ rules: EpisodeRules) -> EpisodeEvent? {
        let hour = hours.pass(to: minute.at)
        if minute.isAtRest { hours.take(minute.rate, minutes: minute.minutes) }
        guard let hour else { return nil }
        let isNight = nights.take(hour.mean, hour: hour.number, rise: EighthsOfBPM(rules.nightRise) * 8)
        if isOpen { return goOn(hour, isNight: isNight, at: minute.at, rules) }
        if isNight, nights.above >= rules.trendNights, let usual = nights.usual() {
            isOfNights = true
            return open(EighthsOfBPM(nights.lastRate), usual, at: minute.at)
        }
        let rise = EighthsOfBPM(rules.trendRise) * 8
        guard baseline.isKnown(rules), hours.rise >= rise, baseline.excess(hour.low) >= rise else { return nil }
        isOfNights = false
        return open(hour.low, EighthsOfBPM(baseline.usualRate(near: hour.low)) * 8, at: minute.at)
    }

    private mutating func open(_ rate: EighthsOfBPM, _ usual: EighthsOfBPM, at: Int64) -> EpisodeEvent {
        isOpen = true
        (openedAt, raisedAt, lastSeenAt, readings) = (at, at, at, 1)
        (extreme, self.usual) = (rate.bpm, usual.bpm)
        return EpisodeEvent(episode: episode(), change: .opened)
    }

    private mutating func goOn(
        _ hour: Hours.Hour, isNight: Bool, at: Int64, _ rules: EpisodeRules
    ) -> EpisodeEvent? {
        let rate = isOfNights ? EighthsOfBPM(nights.lastRate) : hour.low
        if isOfNights, !isNight { return nil }
        let limit =
            EighthsOfBPM(usual) * 8
            + EighthsOfBPM(isOfNights ? rules.nightRise : rules.trendRise - rules.margin) * 8
        guard rate < limit else {
            lastSeenAt = at
            if readings < .max { readings += 1 }
            extreme = max(extreme, rate.bpm)
            return nil
        }
        return close(at: at)
    }

    /// For a clock that was set back.
    mutating func restart(at: Int64) -> EpisodeEvent? {
        hours = Hours()
        return close(at: at)
    }

    /// Ends what is open.
    mutating func close(at: Int64) -> EpisodeEvent? {
        guard isOpen else { return nil }
        isOpen = false
        var closed = episode()
        closed.closedAt = Instant(microsecondsSince1970: max(at, openedAt))
        return EpisodeEvent(episode: closed, change: .closed)
    }

    /// The open episode.
    func episode() -> Episode {
        Episode(
            kind: .trend, severity: .medium, worstSeverity: .medium,
            openedAt: Instant(microsecondsSince1970: openedAt), raisedAt: Instant(microsecondsSince1970: raisedAt),
            lastSeenAt: Instant(microsecondsSince1970: lastSeenAt), extremeHeartRate: extreme, readings: readings,
            evidence: .trend(usual: usual, ofNights: isOfNights))
    }

    mutating func code(_ coder: inout CheckpointCoder) {
        hours.code(&coder)
        nights.code(&coder)
        coder.code(&isOpen)
        guard isOpen else { return }
        coder.codeTime(&openedAt)
        coder.codeTime(&raisedAt)
        coder.codeTime(&lastSeenAt)
        coder.code(&readings, after: 0)
        coder.code(&extreme, after: 0)
        coder.code(&usual, after: 0)
        coder.code(&isOfNights)
    }
}
