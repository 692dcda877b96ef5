extension Detector {
    /// Takes a reading that is beyond some limit: what readings in a row and pauses tell at once.
    mutating func takeRuns(
        _ rate: Int16, after gap: Microseconds, _ slowRule: EpisodeTrack.Rule, _ fastRule: EpisodeTrack.Rule,
        rules: EpisodeRules, changed: (Episode, EpisodeChange) -> Void
    ) {
        let isBeat = BeatIntervals.isBeat(rate, after: gap.milliseconds)
        runs.take(
            rate, at: lastAt, after: gap, isBeat: isBeat,
            limits: slowRule.limits.urgent...max(slowRule.limits.urgent, fastRule.limits.urgent), rules: rules)
        if isBeat, gap >= rules.pause, !hasMissed(rules) {
            let pause = EpisodeTrack.Raise(
                severity: .medium, since: lastAt - gap.count, at: lastAt, extreme: rate, nearest: rate, readings: 1,
                pause: gap.milliseconds)
            report(slow.take(pause, slowRule), to: changed)
        }
        if isLong(runs.slow, rules), !hasMissed(rules) {
            report(slow.take(raise(runs.slow, .high, .bradycardia), slowRule), to: changed)
        }
        if isLong(runs.fast, rules) {
            report(fast.take(raise(runs.fast, .high, .tachycardia), fastRule), to: changed)
        } else if isBeat, runs.fast.count >= rules.runBeats {
            report(fast.take(raise(runs.fast, .low, .tachycardia), fastRule), to: changed)
        }
        guard runs.quick.count >= rules.quickBeats else { return }
        // Fast and irregular: single beats are not beyond the limit, their mean is.
        let isHigh = isLong(runs.quick, rules) && runs.quickMean(until: lastAt) > fastRule.limits.high
        guard isHigh || fastRule.limits.medium < .max else { return }
        report(fast.take(raise(runs.quick, isHigh ? .high : .medium, .tachycardia), fastRule), to: changed)
    }

    /// Whether beats were missed shortly before: then a long interval is rather several.
    private func hasMissed(_ rules: EpisodeRules) -> Bool {
        runs.missedAt != Self.noTime && lastAt - runs.missedAt < 60_000_000
    }

    /// Whether a run has lasted for as long as high severity needs.
    private func isLong(_ run: Run, _ rules: EpisodeRules) -> Bool {
        run.count >= rules.runBeats && Int(run.count) >= rules.delayReadings
            && lastAt - run.since >= rules.highDelay.count
    }

    private func raise(_ run: Run, _ severity: Severity, _ kind: EpisodeKind) -> EpisodeTrack.Raise {
        let isSlow = kind == .bradycardia
        return EpisodeTrack.Raise(
            severity: severity, since: run.since, at: lastAt, extreme: isSlow ? run.lowest : run.highest,
            nearest: isSlow ? run.highest : run.lowest, readings: Int32(run.count))
    }
}
