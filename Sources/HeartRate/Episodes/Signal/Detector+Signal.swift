/// What a sensor can be wrong about.
extension Detector {
    /// Takes a reading that is not stored: of 0 bpm, or of a rate that no heart can have.
    public mutating func takeUnstorable(
        isZero: Bool, at instant: Instant, rules: EpisodeRules, limits: CustomerLimits,
        _ changed: (Episode, EpisodeChange) -> Void
    ) {
        let at = instant.microsecondsSince1970
        // As if it had waited with those that wait for late ones.
        let due = pending.count { $0.at <= at - rules.lateness.count }
        if due > 0 { judgePending(due, rules: rules, limits: limits, changed) }
        if isZero {
            guard pending.isEmpty else { return }
            takeZero(at: at, rules: rules, limits: limits, changed)
        } else if lastAt != noTime, at > lastAt, at - lastAt <= rules.notWorn.count {
            report(poor.takeBad(at: at, rules), to: changed)
        }
    }

    /// Whether a reading is believable, beside those before it.
    mutating func suspect(
        _ sample: Sample, after gap: Microseconds, isApart: Bool, rules: EpisodeRules,
        _ changed: (Episode, EpisodeChange) -> Void
    ) -> Judgement {
        let rate = sample.rate
        report(flat.take(sample, after: lastRate, gap: gap, isApart: isApart, rules), to: changed)
        if flat.track.isOpen { return .suspect }
        let jumps = !isApart && gap <= rules.jumpTime && abs(rate - lastRate) >= rules.jump
        // Who comes back to where the rate was before an artefact is well.
        if jumps, abs(rate - trustedRate) >= rules.jump { return .suspect }
        trustedRate = rate
        return .usual
    }

    /// Counts a reading as a good or a bad one.
    mutating func takeQuality(
        _ sample: Sample, judged judgement: Judgement, rules: EpisodeRules,
        _ changed: (Episode, EpisodeChange) -> Void
    ) {
        // Beats may be long and short in turns.
        let isBad = judgement == .suspect && !flat.track.isOpen && !runs.areBeats
        if isBad, window.isInTurns(sample.rate, trustedRate, within: rules.jump / 2) {
            report(poor.takeBad(at: sample.at, turns: (trustedRate, sample.rate), rules), to: changed)
        } else if !poor.isIdle {
            report(poor.takeGood(at: sample.at), to: changed)
        }
    }

    /// Whether the time between two readings is so long that the sensor may have been off.
    func isApart(_ gap: Microseconds, _ rules: EpisodeRules) -> Bool {
        guard gap > rules.silenceMinimum, let limit = lossLimit(rules, isStrict: false) else { return false }
        return gap > limit
    }

    /// How much of the time between two readings beyond a limit counts as beyond it.
    func counted(_ gap: Microseconds, _ rules: EpisodeRules) -> Microseconds {
        guard gap > rules.silenceMinimum, let step = period.median else { return gap }
        return min(gap, max(rules.silenceMinimum, .milliseconds(step) * rules.countedPeriods))
    }
}
