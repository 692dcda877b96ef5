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
    var pending: [PendingReading] = []

    /// Knows nothing yet.
    public init() {}

    /// When the newest reading was taken that is not late; nil before the first.
    public var lastReadingAt: Instant? {
        if let newest = pending.last { return Instant(microsecondsSince1970: newest.at) }
        return lastAt == Self.noTime ? nil : Instant(microsecondsSince1970: lastAt)
    }

    /// Judges a reading of a heart rate in bpm, 1 to 299 (others count as the nearest), and tells `changed` what it does to the episodes.
    ///
    /// With `latenessSeconds` it may wait, and others that waited are judged.
    @discardableResult
    public mutating func take(
        _ heartRate: Int16, at instant: Instant, activity: Activity?, _ rules: EpisodeRules, _ limits: CustomerLimits,
        _ changed: (Episode, EpisodeChange) -> Void
    ) -> Judgement {
        let at = instant.microsecondsSince1970
        let heartRate = min(max(heartRate, 1), 299)
        guard at > lastAt else { return .late }
        if rules.latenessSeconds == 0, pending.isEmpty { return judge(heartRate, at, activity, rules, limits, changed) }
        return wait(PendingReading(at: at, rate: heartRate, activity: activity), rules, limits, changed)
    }

    /// Tells `body` the open episodes as they stand.
    public func openEpisodes(_ body: (Episode) -> Void) {
        if slow.isOpen { body(slow.episode(.bradycardia)) }
        if fast.isOpen { body(fast.episode(.tachycardia)) }
        if deviation.isOpen { body(deviation.episode(.deviation)) }
        if isSilent { body(signalLoss(closedAt: nil)) }
    }

    /// Judges a reading that is later than all before.
    mutating func judge(
        _ rate: Int16, _ at: Int64, _ activity: Activity?, _ rules: EpisodeRules, _ limits: CustomerLimits,
        _ changed: (Episode, EpisodeChange) -> Void
    ) -> Judgement {
        let isFirst = lastAt == Self.noTime
        // No two instants are further apart than Int64 can tell.
        let gap = isFirst ? 0 : at - lastAt
        if !isFirst { endSilence(at, gap, rules, changed) }
        let judgement = isFirst ? .usual : suspect(rate, gap, rules)

        let milliseconds = at >= 0 ? at / 1000 : (at - 999) / 1000
        window.append(rate, milliseconds: milliseconds, gap: gap / 1000, window: Int64(rules.window) * 1000)
        lastAt = at
        lastRate = rate

        let slowLadder = rules.slow(limits)
        let fastLadder = rules.fast(limits, activity)
        let isInside = Eighths(rate) * 8 <= fastLadder.outermost && Eighths(rate) * -8 <= slowLadder.outermost
        calm = isInside ? min(calm + 1, 32) : 0
        let isMinute = minuteAt == Self.noTime || at - minuteAt >= 60_000_000
        if slow.isIdle, fast.isIdle, !isMinute,
            calm >= window.count || !window.mayBeBeyond(slow: slowLadder.outermost, fast: fastLadder.outermost)
        {
            return judgement
        }

        let rates = window.robustRates(jump: rules.jump)
        let times = rules.times
        slow.step(
            LadderValues(usual: -rates.lowerQuartile, high: -rates.median), rate: Self.bpm(rates.lowerQuartile), at: at,
            gap: gap, slowLadder, times, kind: .bradycardia, changed)
        // Without the band between, high severity can only end: that may not take less time than easing.
        var fastTimes = times
        if fastLadder.medium == .max { fastTimes.closingOfHigh = max(times.closing, times.easing) }
        // Noise makes beats too many, and no two alike. Then more of the time has to be beyond.
        let sustained = rates.isRegular ? rates.median : rates.lowerQuartile
        fast.step(
            LadderValues(usual: rates.median, high: sustained), rate: Self.bpm(rates.median), at: at, gap: gap,
            fastLadder, fastTimes, kind: .tachycardia, changed)
        if isMinute { minute(rates.median, at, activity, rules, changed) }
        return judgement
    }

    private static func bpm(_ rate: Eighths) -> Int16 { Int16(truncatingIfNeeded: (rate + 4) >> 3) }

    /// Whether a reading is believable, beside the one before it.
    private mutating func suspect(_ rate: Int16, _ gap: Int64, _ rules: EpisodeRules) -> Judgement {
        guard rate == lastRate else {
            (flatFor, flatCount) = (0, 1)
            return gap <= Int64(rules.jumpTime) * 1_000_000 && abs(rate - lastRate) >= rules.jump ? .suspect : .usual
        }
        flatFor = UInt32(clamping: Int64(flatFor) + gap)
        if flatCount < .max { flatCount += 1 }
        return Int(flatCount) >= rules.flatReadings && Int64(flatFor) >= Int64(rules.flatTime) * 60_000_000
            ? .suspect : .usual
    }

    /// Learns the usual rate, and judges whether this one is far from it.
    private mutating func minute(
        _ robust: Eighths, _ at: Int64, _ activity: Activity?, _ rules: EpisodeRules,
        _ changed: (Episode, EpisodeChange) -> Void
    ) {
        let gap = minuteAt == Self.noTime ? 0 : at - minuteAt
        minuteAt = at
        let usual = baseline.usualRate
        if gap > Int64(rules.deviationDelay) * 60_000_000 { deviation.interrupt(.deviation, changed) }
        let moves = activity == .walk || activity == .exercise
        if baseline.isKnown(rules) {
            // What is judged by limits already, or explained by what the customer does, is no deviation.
            let explained = moves || slow.isOpen || fast.isOpen
            var ladder = Ladder()
            ladder.low = baseline.reach(rules)
            ladder.limit = usual
            deviation.step(
                LadderValues(usual: explained ? 0 : baseline.distance(robust), high: 0), rate: Self.bpm(robust), at: at,
                gap: gap, ladder, rules.deviationTimes, kind: .deviation, usual: usual, changed)
        }
        if !moves, !slow.isOpen, !fast.isOpen { baseline.learn(robust, rules) }
    }

    mutating func code(_ coder: inout CheckpointCoder) {
        coder.code(&lastAt, after: 0)
        if lastAt != Self.noTime { coder.origin = lastAt }
        window.code(&coder)
        period.code(&coder)
        slow.code(&coder)
        fast.code(&coder)
        deviation.code(&coder)
        baseline.code(&coder)
        coder.codeOptionalTime(&minuteAt, none: Self.noTime)
        coder.codeOptionalTime(&silentAt, none: Self.noTime)
        coder.code(&flatFor, after: 0)
        coder.code(&flatCount, after: 0)
        coder.code(&lastRate, after: 0)
        coder.code(&calm, in: 0...32)
        coder.code(&silence)
        coder.code(&isSilent)
        codePending(&coder)
    }
}

extension EpisodeRules {
    @inline(__always)
    var times: EpisodeTrack.Times {
        EpisodeTrack.Times(
            delay: Int64(scoreDelay) * 1_000_000, highDelay: Int64(highDelay) * 1_000_000,
            closing: Int64(closingTime) * 1_000_000, closingOfHigh: Int64(closingTime) * 1_000_000,
            easing: Int64(easingTime) * 1_000_000,
            margin: Eighths(margin) * 8, readings: UInt8(clamping: min(delayReadings, 7)))
    }

    var deviationTimes: EpisodeTrack.Times {
        EpisodeTrack.Times(
            delay: Int64(deviationDelay) * 60_000_000, highDelay: 0, closing: Int64(deviationDelay) * 30_000_000,
            closingOfHigh: 0, easing: .max, margin: Eighths(margin) * 8,
            readings: UInt8(clamping: min(delayReadings, 7)))
    }
}
