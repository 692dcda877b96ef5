/// A rate at rest that has risen within hours, or that is higher than usual in the nights. 71 bytes.
struct Trend {
    private var kept = OutOfLine<Track>()
    private(set) var hours = Hours()
    private(set) var nights = Nights()

    private var track: Track {
        get { kept.value }
        set { kept.value = newValue }
    }

    var isOpen: Bool { track.isOpen }

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
            return open(EighthsOfBPM(nights.lastRate), usual, at: minute.at, isOfNights: true)
        }
        let rise = EighthsOfBPM(rules.trendRise) * 8
        guard baseline.isKnown(rules), hours.rise >= rise, baseline.excess(hour.low) >= rise else { return nil }
        let usual = EighthsOfBPM(baseline.usualRate(near: hour.low)) * 8
        return open(hour.low, usual, at: minute.at, isOfNights: false)
    }

    private mutating func open(
        _ rate: EighthsOfBPM, _ usual: EighthsOfBPM, at: Int64, isOfNights: Bool
    ) -> EpisodeEvent {
        track = Track(
            isOpen: true, openedAt: at, raisedAt: at, lastSeenAt: at, readings: 1, extreme: rate.bpm, usual: usual.bpm,
            isOfNights: isOfNights)
        return EpisodeEvent(episode: episode(), change: .opened)
    }

    private mutating func goOn(
        _ hour: Hours.Hour, isNight: Bool, at: Int64, _ rules: EpisodeRules
    ) -> EpisodeEvent? {
        let rate = track.isOfNights ? EighthsOfBPM(nights.lastRate) : hour.low
        if track.isOfNights, !isNight { return nil }
        let rise = track.isOfNights ? rules.nightRise : rules.trendRise - rules.margin
        guard rate < EighthsOfBPM(track.usual) * 8 + EighthsOfBPM(rise) * 8 else {
            track.lastSeenAt = at
            if track.readings < .max { track.readings += 1 }
            track.extreme = max(track.extreme, rate.bpm)
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
        var closed = episode()
        closed.closedAt = Instant(microsecondsSince1970: max(at, track.openedAt))
        track = Track()
        return EpisodeEvent(episode: closed, change: .closed)
    }

    /// The open episode.
    func episode() -> Episode {
        Episode(
            kind: .trend, severity: .medium, worstSeverity: .medium,
            openedAt: Instant(microsecondsSince1970: track.openedAt),
            raisedAt: Instant(microsecondsSince1970: track.raisedAt),
            lastSeenAt: Instant(microsecondsSince1970: track.lastSeenAt), extremeHeartRate: track.extreme,
            readings: track.readings, evidence: .trend(usual: track.usual, ofNights: track.isOfNights))
    }

    mutating func code(_ coder: inout CheckpointCoder) {
        hours.code(&coder)
        nights.code(&coder)
        track.code(&coder)
    }
}

extension Trend {
    /// What is open: when it opened, was raised and was last seen, for how many hours, the highest rate and the usual one in
    /// bpm.
    private struct Track: Idling {
        var isOpen = false
        var openedAt: Int64 = 0
        var raisedAt: Int64 = 0
        var lastSeenAt: Int64 = 0
        var readings: Int32 = 0
        var extreme: Int16 = 0
        var usual: Int16 = 0
        var isOfNights = false

        var isIdle: Bool { !isOpen }

        mutating func code(_ coder: inout CheckpointCoder) {
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
}
