extension Detector {
    /// Takes a reading that is beyond some limit: what readings in a row and pauses tell at once.
    mutating func takeRuns(
        _ rate: Int16, after gap: Microseconds, by tracks: TrackRules, rules: EpisodeRules,
        changed: (Episode, EpisodeChange) -> Void
    ) {
        let isBeat = BeatIntervals.isBeat(rate, after: gap.milliseconds)
        if rate <= tracks.fast.limits.urgent { record(after: gap, by: tracks, rules: rules, changed: changed) }
        let limit = tracks.slow.limits.urgent
        runs.take(
            BeatRuns.Excess(rate: rate, at: lastAt, gap: gap, isBeat: isBeat),
            limits: limit...max(limit, tracks.fast.limits.urgent), rules)
        // Where readings are no beats, such a rate is an artefact.
        if isBeat, runs.areBeats, gap >= rules.pause, !hasMissed {
            let pause = EpisodeTrack.Raise(
                severity: .medium, since: lastAt - gap.count, at: lastAt, extreme: rate, nearest: rate, readings: 1,
                pause: gap.milliseconds)
            report(slow.take(pause, tracks.slow), to: changed)
        }
        if isLong(runs.slow, rules), !hasMissed {
            report(slow.take(raise(runs.slow, .high, of: .bradycardia), tracks.slow), to: changed)
        }
        if isLong(runs.fast, rules) {
            report(fast.take(raise(runs.fast, .high, of: .tachycardia), tracks.fast), to: changed)
        } else if isBeat, runs.fast.count >= rules.runBeats {
            report(fast.take(raise(runs.fast, .low, of: .tachycardia), tracks.fast), to: changed)
        }
        guard runs.quick.count >= rules.quickBeats else { return }
        // Fast and irregular: single beats are not beyond the limit, their mean is.
        let isHigh = isLong(runs.quick, rules) && runs.quickMean(until: lastAt) > tracks.fast.limits.high
        guard isHigh || tracks.fast.limits.medium < .max else { return }
        report(fast.take(raise(runs.quick, isHigh ? .high : .medium, of: .tachycardia), tracks.fast), to: changed)
    }

    /// Ends the readings in a row, when one comes that is inside of all limits.
    mutating func endRuns(
        after gap: Microseconds, by tracks: TrackRules, rules: EpisodeRules, changed: (Episode, EpisodeChange) -> Void
    ) {
        record(after: gap, by: tracks, rules: rules, changed: changed)
        runs.reset()
    }

    /// Keeps a record of a run of readings that are no beats, when one comes that is not beyond the limit: so short a run is no
    /// alarm, and the readings of an artefact do not agree.
    private mutating func record(
        after gap: Microseconds, by tracks: TrackRules, rules: EpisodeRules, changed: (Episode, EpisodeChange) -> Void
    ) {
        guard !fast.isOpen, runs.fast.count >= rules.runBeats, runs.fast.highest - runs.fast.lowest < rules.jump else {
            return
        }
        let record = raise(runs.fast, .low, of: .tachycardia, at: lastAt - gap.count)
        report(fast.take(record, tracks.fast), to: changed)
    }

    /// Whether beats were missed shortly before: then a long interval is rather several.
    var hasMissed: Bool { runs.missedAt != noTime && lastAt - runs.missedAt < 60_000_000 }

    /// Whether a run has lasted for as long as high severity needs.
    private func isLong(_ run: Run, _ rules: EpisodeRules) -> Bool {
        run.count >= rules.runBeats && Int(run.count) >= rules.delayReadings
            && lastAt - run.since >= rules.highDelay.count
    }

    private func raise(
        _ run: Run, _ severity: Severity, of kind: EpisodeKind, at: Int64? = nil
    ) -> EpisodeTrack.Raise {
        let isSlow = kind == .bradycardia
        return EpisodeTrack.Raise(
            severity: severity, since: run.since, at: at ?? lastAt, extreme: isSlow ? run.lowest : run.highest,
            nearest: isSlow ? run.highest : run.lowest, readings: Int32(run.count))
    }
}
