extension Detector {
    /// The limit of high severity of a bradycardia in sleep, in bpm; nil when the customer is not known to be asleep.
    ///
    /// Asleep is who says so, or whose nights are known to be slow, as long as the rate has sunk little by little.
    func sleepingLimit(_ activity: Activity?, _ limits: CustomerLimits, by rules: EpisodeRules) -> Int16? {
        guard limits.heartRateMin == nil, sleep.isSettled(at: lastRate, rules), activity == nil || activity == .sleep,
            rules.sleepMin < rules.heartRateMin
        else { return nil }
        if activity == .sleep { return rules.sleepMin }
        guard let night = trend.nights.usual(least: rules.sleepNights), trend.nights.isNight(trend.hours.hour) else {
            return nil
        }
        let learned = night.bpm - rules.sleepReach
        return learned < rules.heartRateMin ? max(learned, rules.sleepMin) : nil
    }

    /// The limit of rest of a bradycardia, in bpm: lower in sleep; nil where own limits replace it.
    func restMin(_ activity: Activity?, _ limits: CustomerLimits, by rules: EpisodeRules) -> Int16? {
        guard let limit = rules.restMin(limits) else { return nil }
        return sleepingLimit(activity, limits, by: rules).map { min(limit, $0 + rules.margin / 2) } ?? limit
    }
}
