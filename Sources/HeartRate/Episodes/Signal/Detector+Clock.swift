extension Detector {
    /// Takes a reading whose time stamp may be far ahead of those before it.
    mutating func takeAhead(
        _ sample: Sample, after newest: Int64, rules: EpisodeRules, limits: CustomerLimits,
        _ changed: (Episode, EpisodeChange) -> Void
    ) -> Judgement {
        switch clock.take(sample, after: newest, reach: reach(rules), rules) {
        case .setAside: return .ahead
        case .takeEarlier(let earlier):
            _ = accept(earlier, rules: rules, limits: limits, changed)
            return .ahead
        case .takeBoth(let one, let other):
            _ = accept(one, rules: rules, limits: limits, changed)
            return accept(other, rules: rules, limits: limits, changed)
        default: return accept(sample, rules: rules, limits: limits, changed)
        }
    }

    /// Takes a reading that is not later than one that was judged.
    mutating func takeLate(
        _ sample: Sample, rules: EpisodeRules, limits: CustomerLimits, _ changed: (Episode, EpisodeChange) -> Void
    ) -> Judgement {
        guard clock.takeLate(sample, after: lastAt, reach: reach(rules), rules) == .restart else { return .late }
        judgePending(pending.count, rules: rules, limits: limits, changed)
        restart(changed)
        _ = accept(sample, rules: rules, limits: limits, changed)
        return .restarted
    }

    /// Ends what was open in the time before, and keeps what is known of the heart.
    private mutating func restart(_ changed: (Episode, EpisodeChange) -> Void) {
        report(slow.interrupt(.bradycardia), to: changed)
        report(fast.interrupt(.tachycardia), to: changed)
        report(deviation.interrupt(.deviation), to: changed)
        report(trend.restart(at: lastAt), to: changed)
        report(flat.restart(), to: changed)
        report(poor.restart(), to: changed)
        abandonSilence(changed)
        (runs, effort) = (BeatRuns(), Effort())
        (restingSlow, restingFast, sleep) = (RestingRate(), RestingRate(), Sleep())
        window.removeAll()
        period.restart()
        calm = 0
        (lastAt, minuteAt, settledAt) = (noTime, noTime, noTime)
    }

    /// How far ahead of the newest time stamp one is believed at once.
    private func reach(_ rules: EpisodeRules) -> Microseconds {
        let usual = period.silenceLimit(rules, isStrict: false) ?? rules.silenceUnknown
        return Microseconds(usual.count + rules.lateness.count)
    }
}
