/// Finds the episodes of one customer in readings: a value without a clock, without input and output.
///
/// The same readings give the same episodes, whatever happens between them: all arithmetic is in integers, and a
/// checkpoint keeps everything. Nothing is allocated per reading unless readings wait for late ones.
public struct Detector: Sendable {
    /// What is thought of one reading.
    public enum Judgement: Hashable, Sendable {
        /// Nothing.
        case usual
        /// It jumps away from its neighbour, or the sensor repeats itself.
        case suspect
        /// It is not later than one that was judged before: it is not judged.
        case late
    }

    static let noTime = Int64.min

    /// The last reading that was judged: when, in microseconds, and in bpm.
    var lastAt = Detector.noTime
    var window = RateWindow()
    var period = UsualPeriod()
    var slow = EpisodeTrack()
    var fast = EpisodeTrack()
    var deviation = EpisodeTrack()
    var baseline = Baseline()
    /// When the baseline took a rate the last time.
    var minuteAt = Detector.noTime
    /// When the last signal loss opened.
    var silentAt = Detector.noTime
    /// For how many microseconds the rate has been the same, in how many readings.
    var flatFor: UInt32 = 0
    var flatCount: UInt16 = 1
    var lastRate: Int16 = 0
    /// How many of the last readings were inside of all limits, at most 32.
    var calm: UInt8 = 0
    /// Of the last signal loss.
    var silence = Severity.medium
    /// Whether that is open.
    var isSilent = false
    /// What waits for late readings, in its order.
    var pending: [Sample] = []

    /// Knows nothing yet.
    public init() {}

    /// When the newest reading was taken that is not late; nil before the first.
    public var lastReadingAt: Instant? {
        if let newest = pending.last { return Instant(microsecondsSince1970: newest.at) }
        return lastAt == Self.noTime ? nil : Instant(microsecondsSince1970: lastAt)
    }

    /// Judges a reading, and calls `changed` with each change of an episode.
    ///
    /// With `lateness` it may wait, and others that waited are judged.
    @discardableResult
    public mutating func take(
        _ sample: Sample, rules: EpisodeRules, limits: CustomerLimits, _ changed: (Episode, EpisodeChange) -> Void
    ) -> Judgement {
        guard sample.at > lastAt else { return .late }
        guard rules.lateness.count == 0, pending.isEmpty else {
            return wait(sample, rules: rules, limits: limits, changed)
        }
        return judge(sample, rules: rules, limits: limits, changed)
    }

    /// Calls `body` with each open episode as it stands.
    public func openEpisodes(_ body: (Episode) -> Void) {
        if slow.isOpen { body(slow.episode(.bradycardia)) }
        if fast.isOpen { body(fast.episode(.tachycardia)) }
        if deviation.isOpen { body(deviation.episode(.deviation)) }
        if isSilent { body(signalLoss(closedAt: nil)) }
    }

    /// Judges a reading that is later than all before.
    mutating func judge(
        _ sample: Sample, rules: EpisodeRules, limits: CustomerLimits, _ changed: (Episode, EpisodeChange) -> Void
    ) -> Judgement {
        let isFirst = lastAt == Self.noTime
        // No two instants are further apart than Int64 can hold.
        let gap = Microseconds(isFirst ? 0 : sample.at - lastAt)
        if !isFirst { endSilence(at: sample.at, after: gap, rules: rules, changed) }
        let judgement = isFirst ? .usual : suspect(sample.rate, after: gap, rules)

        let milliseconds = sample.at >= 0 ? sample.at / 1000 : (sample.at - 999) / 1000
        window.append(
            sample.rate, milliseconds: milliseconds, gap: gap.milliseconds, window: rules.window.milliseconds)
        lastAt = sample.at
        lastRate = sample.rate

        let slowLimits = rules.slow(limits)
        let fastLimits = rules.fast(limits, sample.activity)
        let isInside =
            EighthsOfBPM(sample.rate) * 8 <= fastLimits.outermost
            && EighthsOfBPM(sample.rate) * -8 <= slowLimits.outermost
        calm = isInside ? min(calm + 1, 32) : 0
        let isMinute = minuteAt == Self.noTime || sample.at - minuteAt >= 60_000_000
        if slow.isIdle, fast.isIdle, !isMinute,
            calm >= window.count || !window.mayBeBeyond(slow: slowLimits.outermost, fast: fastLimits.outermost)
        {
            return judgement
        }
        let rates = window.robustRates(jump: rules.jump)
        step(
            rates, gap: gap, slow: EpisodeTrack.Rule(kind: .bradycardia, limits: slowLimits, times: rules.times),
            fast: EpisodeTrack.Rule(kind: .tachycardia, limits: fastLimits, times: Self.fastTimes(fastLimits, rules)),
            changed)
        if isMinute { minute(rates.median, activity: sample.activity, rules: rules, changed) }
        return judgement
    }

    /// Takes the rates of a moment through bradycardia and tachycardia.
    private mutating func step(
        _ rates: RobustRates, gap: Microseconds, slow slowRule: EpisodeTrack.Rule, fast fastRule: EpisodeTrack.Rule,
        _ changed: (Episode, EpisodeChange) -> Void
    ) {
        let slowValues = SeverityLimits.Values(usual: -rates.lowerQuartile, high: -rates.median)
        let slowStep = EpisodeTrack.Step(values: slowValues, rate: Self.bpm(rates.lowerQuartile), at: lastAt, gap: gap)
        report(slow.take(slowStep, slowRule), to: changed)
        // Noise makes beats too many, and no two alike. Then more of the time has to be beyond.
        let sustained = rates.isRegular ? rates.median : rates.lowerQuartile
        let fastValues = SeverityLimits.Values(usual: rates.median, high: sustained)
        let fastStep = EpisodeTrack.Step(values: fastValues, rate: Self.bpm(rates.median), at: lastAt, gap: gap)
        report(fast.take(fastStep, fastRule), to: changed)
    }

    /// Without the band between, high severity can only end: that may not take less time than easing.
    private static func fastTimes(_ limits: SeverityLimits, _ rules: EpisodeRules) -> EpisodeTrack.Times {
        var times = rules.times
        if limits.medium == .max { times.closingOfHigh = max(times.closing, times.easing) }
        return times
    }

    private static func bpm(_ rate: EighthsOfBPM) -> Int16 { Int16(truncatingIfNeeded: (rate + 4) >> 3) }

    @inline(__always)
    func report(_ event: EpisodeEvent?, to changed: (Episode, EpisodeChange) -> Void) {
        if let event { changed(event.episode, event.change) }
    }

    /// Whether a reading is believable, beside the one before it.
    private mutating func suspect(_ rate: Int16, after gap: Microseconds, _ rules: EpisodeRules) -> Judgement {
        guard rate == lastRate else {
            (flatFor, flatCount) = (0, 1)
            return gap <= rules.jumpTime && abs(rate - lastRate) >= rules.jump ? .suspect : .usual
        }
        flatFor = UInt32(clamping: Int64(flatFor) + gap.count)
        if flatCount < .max { flatCount += 1 }
        return Int(flatCount) >= rules.flatReadings && Int64(flatFor) >= rules.flatTime.count ? .suspect : .usual
    }

    /// Learns the usual rate, and judges whether the one at `lastAt` is far from it.
    private mutating func minute(
        _ robust: EighthsOfBPM, activity: Activity?, rules: EpisodeRules, _ changed: (Episode, EpisodeChange) -> Void
    ) {
        let gap = Microseconds(minuteAt == Self.noTime ? 0 : lastAt - minuteAt)
        minuteAt = lastAt
        let usual = baseline.usualRate
        if gap > rules.deviationDelay { report(deviation.interrupt(.deviation), to: changed) }
        let moves = activity == .walk || activity == .exercise
        if baseline.isKnown(rules) {
            // What is judged by limits already, or explained by what the customer does, is no deviation.
            let explained = moves || slow.isOpen || fast.isOpen
            var limits = SeverityLimits()
            limits.low = baseline.reach(rules)
            limits.opening = usual
            let values = SeverityLimits.Values(usual: explained ? 0 : baseline.distance(robust), high: 0)
            let step = EpisodeTrack.Step(values: values, rate: Self.bpm(robust), at: lastAt, gap: gap, usual: usual)
            let rule = EpisodeTrack.Rule(kind: .deviation, limits: limits, times: rules.deviationTimes)
            report(deviation.take(step, rule), to: changed)
        }
        if !moves, !slow.isOpen, !fast.isOpen { baseline.learn(robust, rules) }
    }
}
