extension Detector {
    /// Below which rate a bradycardia in sleep is of high severity, and whether one above it is at least recorded.
    struct SleepingLimit {
        /// In bpm.
        let bpm: Int16
        let isRecorded: Bool

        func severities(_ rules: EpisodeRules) -> SeverityLimits {
            var limits = SeverityLimits(high: EighthsOfBPM(bpm) * -8, opening: bpm, urgent: bpm)
            if isRecorded { (limits.low, limits.opening) = (EighthsOfBPM(rules.heartRateMin) * -8, rules.heartRateMin) }
            return limits
        }
    }

    /// Nil when the customer is not known to be asleep.
    ///
    /// Asleep is who says so, or whose nights are known to be slow, as long as the rate has sunk little by little. Of others
    /// that is likely when the rate has sunk so from one that is slow already; then people have a record to look at.
    func sleepingLimit(_ activity: Activity?, _ limits: CustomerLimits, by rules: EpisodeRules) -> SleepingLimit? {
        guard limits.heartRateMin == nil, sleep.isSettled(at: lastRate, rules), activity == nil || activity == .sleep,
            rules.sleepMin < rules.heartRateMin
        else { return nil }
        if activity == .sleep { return SleepingLimit(bpm: rules.sleepMin, isRecorded: false) }
        if let night = trend.nights.usual(least: rules.sleepNights), trend.nights.isNight(trend.hours.hour),
            night.bpm - rules.sleepReach < rules.heartRateMin
        {
            return SleepingLimit(bpm: max(night.bpm - rules.sleepReach, rules.sleepMin), isRecorded: false)
        }
        return firstSleepingLimit(limits, by: rules)
    }

    /// Before nights are known: only for a sensor that tells a rate, of a customer whom nobody watches continuously, and for
    /// no longer than somebody sleeps.
    private func firstSleepingLimit(_ limits: CustomerLimits, by rules: EpisodeRules) -> SleepingLimit? {
        guard !limits.isContinuous, !runs.areBeats, baseline.minutes >= rules.firstSleepMinutes,
            !slow.isOpen || lastAt - slow.openedAt < rules.longestSleep.count
        else { return nil }
        let limit = max(baseline.usualRate - rules.sleepDip, rules.sleepMin)
        return limit < rules.heartRateMin ? SleepingLimit(bpm: limit, isRecorded: true) : nil
    }

    /// An own minimum that would suit this heart, in bpm: below the resting rate of its nights, or below what is being recorded
    /// as the first of them. For a person to take or not; nil when the rules' suits.
    public func proposedMinimum(_ limits: CustomerLimits, by rules: EpisodeRules) -> Int16? {
        guard limits.heartRateMin == nil else { return nil }
        let isFirst = slow.isOpen && slow.episode(.bradycardia).severity == .low
        let night = trend.nights.usual(least: 1).map { $0.bpm - rules.sleepReach }
        guard let minimum = night ?? (isFirst ? baseline.usualRate - rules.sleepDip : nil),
            minimum < rules.heartRateMin
        else { return nil }
        return max(minimum, rules.sleepMin)
    }

    /// The limit of rest of a bradycardia, in bpm: lower in sleep; nil where own limits replace it.
    func restMin(_ activity: Activity?, _ limits: CustomerLimits, by rules: EpisodeRules) -> Int16? {
        guard let limit = rules.restMin(limits) else { return nil }
        return sleepingLimit(activity, limits, by: rules).map { min(limit, $0.bpm + rules.margin / 2) } ?? limit
    }
}
