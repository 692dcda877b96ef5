/// Finds the episodes of one customer in readings: a value without a clock, without input and output.
///
/// The same readings give the same episodes, whatever happens between them: all arithmetic is in integers, and a
/// checkpoint keeps everything. Nothing is allocated per reading, only where something begins that is kept out of line, and
/// where readings wait for late ones. 688 bytes.
public struct Detector: Sendable {
    /// What is thought of one reading.
    public enum Judgement: Hashable, Sendable {
        /// Nothing.
        case usual
        /// It jumps away from its neighbour, or the sensor repeats itself.
        case suspect
        /// It is not later than one that was judged before: it is not judged.
        case late
        /// Its time stamp is far ahead: it is judged when a second one confirms that, and never otherwise.
        case ahead
        /// The customer's clock was set back: the time starts again with this reading.
        case restarted
    }

    /// The last reading that was judged: when, in microseconds, and in bpm.
    var lastAt = noTime
    var clock = SensorClock()
    var period = UsualPeriod()
    var window = RateWindow()
    private var slowKept = OutOfLine<EpisodeTrack>()
    private var fastKept = OutOfLine<EpisodeTrack>()
    private var deviationKept = OutOfLine<EpisodeTrack>()
    var baseline = Baseline()
    /// When the baseline took a rate the last time.
    var minuteAt = noTime
    var runs = BeatRuns()
    var irregularity = Irregularity()
    var effort = Effort()
    var restingSlow = RestingRate()
    var restingFast = RestingRate()
    var sleep = Sleep()
    var trend = Trend()
    var silence = Silence()
    /// After a signal loss, when half of the window is new: until then the rates say little.
    var settledAt = noTime
    var flat = FlatRate()
    private var poorKept = OutOfLine<PoorSignal>()
    var lastRate: Int16 = 0
    /// The last rate that did not jump away from those before it.
    var trustedRate: Int16 = 0
    /// How many of the last readings were inside of all limits, at most 32.
    var calm: UInt8 = 0
    /// What waits for late readings, in its order.
    var pending: [Sample] = []

    // What most customers have nothing of.
    var slow: EpisodeTrack {
        get { slowKept.value }
        set { slowKept.value = newValue }
    }
    var fast: EpisodeTrack {
        get { fastKept.value }
        set { fastKept.value = newValue }
    }
    var deviation: EpisodeTrack {
        get { deviationKept.value }
        set { deviationKept.value = newValue }
    }
    var poor: PoorSignal {
        get { poorKept.value }
        set { poorKept.value = newValue }
    }

    /// Knows nothing yet.
    public init() {}

    /// Knows only when the last reading was: what was learned cannot be read.
    public init(after last: Instant) {
        lastAt = last.microsecondsSince1970
        // As if there had been a step, so that silence is noticed.
        period.append(Int64(60_000), at: lastAt)
    }

    /// When the newest reading was taken that is not late; nil before the first.
    public var lastReadingAt: Instant? {
        if let newest = pending.last { return Instant(microsecondsSince1970: newest.at) }
        return lastAt == noTime ? nil : Instant(microsecondsSince1970: lastAt)
    }

    /// Judges a reading, and calls `changed` with each change of an episode.
    ///
    /// With `lateness` it may wait, and others that waited are judged.
    @discardableResult
    public mutating func take(
        _ sample: Sample, rules: EpisodeRules, limits: CustomerLimits, _ changed: (Episode, EpisodeChange) -> Void
    ) -> Judgement {
        guard sample.at > lastAt else { return takeLate(sample, rules: rules, limits: limits, changed) }
        let newest = pending.last?.at ?? max(lastAt, silence.zeroAt)
        // Nearly always: then there is nothing to compute.
        if newest != noTime, sample.at - newest <= rules.silenceMinimum.count {
            clock.goOn(to: sample.at, rules)
            return accept(sample, rules: rules, limits: limits, changed)
        }
        return takeAhead(sample, after: newest, rules: rules, limits: limits, changed)
    }

    /// Judges a reading whose time stamp is believed, or has it wait for late ones.
    mutating func accept(
        _ sample: Sample, rules: EpisodeRules, limits: CustomerLimits, _ changed: (Episode, EpisodeChange) -> Void
    ) -> Judgement {
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
        if trend.isOpen { body(trend.episode()) }
        if silence.phase != .none { body(silenceEpisode(closedAt: nil)) }
        if flat.track.isOpen { body(flat.track.episode(.sensorStuck)) }
        if poor.track.isOpen { body(poor.track.episode(.poorSignal)) }
    }

    /// Judges a reading that is later than all before.
    mutating func judge(
        _ sample: Sample, rules: EpisodeRules, limits: CustomerLimits, _ changed: (Episode, EpisodeChange) -> Void
    ) -> Judgement {
        let isFirst = lastAt == noTime
        // No two instants are further apart than Int64 can hold.
        let gap = Microseconds(isFirst ? 0 : sample.at - lastAt)
        let times = (whole: gap, counted: counted(gap, rules))
        let isApart = isFirst || isApart(gap, rules)
        if !isFirst { endSilence(at: sample.at, after: gap, rules: rules, limits: limits, changed) }
        let judgement = suspect(sample, after: gap, isApart: isApart, rules: rules, changed)
        if judgement == .suspect || !poor.isIdle { takeQuality(sample, judged: judgement, rules: rules, changed) }
        let milliseconds = sample.at >= 0 ? sample.at / 1000 : (sample.at - 999) / 1000
        window.append(
            sample.rate, milliseconds: milliseconds, gap: gap.milliseconds, window: rules.window.milliseconds)
        (lastAt, lastRate) = (sample.at, sample.rate)
        effort.note(sample.activity, at: lastAt)

        let tracks = trackRules(sample.activity, limits, by: rules)
        let isInside =
            EighthsOfBPM(sample.rate) * 8 <= tracks.fast.limits.outermost
            && EighthsOfBPM(sample.rate) * -8 <= tracks.slow.limits.outermost
        calm = isInside ? min(calm + 1, 32) : 0
        if lastAt < settledAt, !slow.isOpen, !fast.isOpen { return judgement }
        if !isInside {
            takeRuns(sample.rate, after: gap, by: tracks, rules: rules, changed: changed)
        } else if !runs.isIdle {
            endRuns(after: gap, by: tracks, rules: rules, changed: changed)
        }
        let isMinute = minuteAt == noTime || sample.at - minuteAt >= 60_000_000
        if slow.isIdle, fast.isIdle, !isMinute,
            calm >= window.count
                || !window.mayBeBeyond(slow: tracks.slow.limits.outermost, fast: tracks.fast.limits.outermost)
        {
            return judgement
        }
        var rates = window.robustRates(jump: rules.jump, usual: &runs.usual, wereBeats: runs.areBeats)
        runs.areBeats = rates.isOfBeats
        if rates.misses {
            runs.missedAt = lastAt
            report(poor.takeBad(at: lastAt, rules), to: changed)
        } else if hasMissed {
            rates.medianOfBeats = max(rates.medianOfBeats, runs.usualRate)
        }
        step(rates, gap: times, by: tracks, changed)
        if isMinute, runs.areBeats, !hasMissed { irregularity.take(isIrregular: window.isIrregular, at: lastAt) }
        if isMinute { minute(rates.median, activity: sample.activity, limits: limits, rules: rules, changed) }
        return judgement
    }

    /// The limits in force after the last reading, in bpm.
    public struct LimitsInForce: Hashable, Sendable {
        /// Of high severity: below and above it.
        public var high: ClosedRange<Int16>
        /// Of medium severity: nil where there is none.
        public var mediumMin: Int16?
        /// See `mediumMin`.
        public var mediumMax: Int16?
    }

    /// The limits in force after the last reading.
    public func limitsInForce(
        _ activity: Activity?, limits: CustomerLimits, rules: EpisodeRules
    ) -> LimitsInForce {
        let (slow, fast) = trackRules(activity, limits, by: rules)
        func medium(_ rule: EpisodeTrack.Rule) -> Int16? {
            guard rule.limits.medium < .max else { return nil }
            return Int16(truncatingIfNeeded: (abs(rule.limits.medium) + 4) / 8)
        }
        return LimitsInForce(
            high: slow.limits.urgent...max(slow.limits.urgent, fast.limits.urgent), mediumMin: medium(slow),
            mediumMax: medium(fast))
    }

    /// By what bradycardia and tachycardia are judged.
    typealias TrackRules = (slow: EpisodeTrack.Rule, fast: EpisodeTrack.Rule)

    /// By what they are judged at `lastAt`.
    @inline(__always)
    private func trackRules(
        _ activity: Activity?, _ limits: CustomerLimits, by rules: EpisodeRules
    ) -> TrackRules {
        var slowLimits = rules.slow(limits)
        if lastRate <= rules.restMin, let limit = sleepingLimit(activity, limits, by: rules) {
            slowLimits = limit.severities(rules)
        }
        var fastLimits = rules.fast(limits, effort.activity(activity, at: lastAt, rules))
        if restingSlow.isSustained, let limit = restMin(activity, limits, by: rules) {
            slowLimits.tighten(to: EighthsOfBPM(limit) * -8, bpm: limit)
        }
        if restingFast.isSustained, let limit = rules.restMax(limits) {
            fastLimits.tighten(to: EighthsOfBPM(limit) * 8, bpm: limit)
        }
        return (
            EpisodeTrack.Rule(kind: .bradycardia, limits: slowLimits, times: rules.times),
            EpisodeTrack.Rule(kind: .tachycardia, limits: fastLimits, times: rules.times)
        )
    }

    /// Takes the rates of a moment through bradycardia and tachycardia.
    private mutating func step(
        _ rates: RobustRates, gap: (whole: Microseconds, counted: Microseconds), by tracks: TrackRules,
        _ changed: (Episode, EpisodeChange) -> Void
    ) {
        let slowValues = SeverityLimits.Values(usual: -rates.lowerQuartile, high: -rates.medianOfBeats)
        let slowStep = EpisodeTrack.Step(
            values: slowValues, rate: rates.lowerQuartile.bpm, at: lastAt, gap: gap.whole, counted: gap.counted,
            restSince: restingSlow.isSustained ? restingSlow.since : nil)
        report(slow.take(slowStep, tracks.slow), to: changed)
        let fastValues = SeverityLimits.Values(usual: rates.median, high: rates.sustained)
        let fastStep = EpisodeTrack.Step(
            values: fastValues, rate: rates.median.bpm, at: lastAt, gap: gap.whole, counted: gap.counted,
            restSince: restingFast.isSustained ? restingFast.since : nil)
        report(fast.take(fastStep, tracks.fast), to: changed)
    }

    @inline(__always)
    mutating func report(_ event: EpisodeEvent?, to changed: (Episode, EpisodeChange) -> Void) {
        guard let event else { return }
        if event.change == .closed { forgetRuns(event.episode.kind) }
        changed(event.episode, event.change)
    }

    /// After an episode nothing may open that began before its end.
    private mutating func forgetRuns(_ kind: EpisodeKind) {
        guard kind == .bradycardia || kind == .tachycardia else { return }
        runs.reset()
        if kind == .bradycardia { restingSlow.reset() } else { restingFast.reset() }
    }

    /// Learns the usual rate, and judges whether the one at `lastAt` is far from it, or from what is usual at rest.
    private mutating func minute(
        _ robust: EighthsOfBPM, activity: Activity?, limits: CustomerLimits, rules: EpisodeRules,
        _ changed: (Episode, EpisodeChange) -> Void
    ) {
        let gap = Microseconds(minuteAt == noTime ? 0 : lastAt - minuteAt)
        minuteAt = lastAt
        rest(robust, gap: gap, activity: activity, limits: limits, rules: rules)
        let minutes = Int32(min(max(gap.minutes, 1), 15))
        let isAtRest = !effort.isOn(activity, at: lastAt, rules)
        let minute = Trend.Minute(rate: robust, at: lastAt, minutes: minutes, isAtRest: isAtRest)
        report(trend.take(minute, beside: baseline, rules), to: changed)
        let usual = baseline.usualRate(near: robust)
        if gap > rules.deviationDelay { report(deviation.interrupt(.deviation), to: changed) }
        let moves = activity == .walk || activity == .exercise
        if baseline.isKnown(rules) {
            // What is judged by limits already, or explained by what the customer does, is no deviation.
            let explained = moves || slow.isOpen || fast.isOpen
            var limits = SeverityLimits()
            limits.low = baseline.reach(rules)
            limits.opening = usual
            let values = SeverityLimits.Values(usual: explained ? 0 : baseline.distance(robust), high: 0)
            let step = EpisodeTrack.Step(values: values, rate: robust.bpm, at: lastAt, gap: gap, usual: usual)
            let rule = EpisodeTrack.Rule(kind: .deviation, limits: limits, times: rules.deviationTimes)
            report(deviation.take(step, rule), to: changed)
        }
        // A fever is not learned as usual, but what has lasted for two windows is.
        let isDeviating = !deviation.isIdle && lastAt - deviation.openedAt < rules.baselineWindow.count * 2
        if !moves, !slow.isOpen, !fast.isOpen, !isDeviating {
            baseline.learn(robust, at: lastAt, minutes: minutes, rules)
        }
    }

    /// Judges how long the rate has been beyond what is usual at rest.
    private mutating func rest(
        _ robust: EighthsOfBPM, gap: Microseconds, activity: Activity?, limits: CustomerLimits, rules: EpisodeRules
    ) {
        // What comes after a gap does not go on from what was before it.
        if gap > max(.minutes(3), .milliseconds(period.median ?? 0) * rules.countedPeriods) {
            restingSlow.reset()
            restingFast.reset()
        }
        effort.take(robust, at: lastAt, after: gap, rules)
        sleep.take(robust, after: gap, rules)
        if let limit = restMin(activity, limits, by: rules) {
            restingSlow.take(-robust, limit: EighthsOfBPM(limit) * -8, at: lastAt, after: gap, rules)
        }
        guard let limit = rules.restMax(limits), !effort.isOn(activity, at: lastAt, rules) else {
            return restingFast.reset()
        }
        restingFast.take(robust, limit: EighthsOfBPM(limit) * 8, at: lastAt, after: gap, rules)
    }
}
