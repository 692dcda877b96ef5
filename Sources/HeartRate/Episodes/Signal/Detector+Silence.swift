extension Detector {
    /// Of what somebody's silence depends.
    struct SilenceLimits {
        /// After it the signal is lost.
        var loss: Microseconds
        /// After it that is of high severity; nil for never.
        var urgent: Microseconds?
        /// After it the sensor is not worn; nil for never.
        var notWorn: Microseconds?
    }

    /// How long after the last message of the customer `signalLost` has something to report.
    ///
    /// Nil before the first step between two readings, and when nothing more can be raised.
    public func silenceLimit(_ rules: EpisodeRules, _ own: CustomerLimits = CustomerLimits()) -> Microseconds? {
        guard let limits = silenceLimits(rules, own) else { return nil }
        let next: Microseconds? =
            switch silence.phase {
            case .none: min(limits.loss, limits.notWorn ?? limits.loss)
            case .lost, .zero: silence.severity == .high ? nil : limits.urgent ?? limits.notWorn
            case .notWorn: nil
            }
        guard pending.isEmpty else { return max(next ?? rules.lateness, rules.lateness) }
        return next.map { max(Microseconds($0.count - zeroTime.count + 1), rules.lateness) }
    }

    /// For how long there have been readings of 0 bpm: that is a part of the time without a heart rate.
    private var zeroTime: Microseconds { Microseconds(silence.phase == .zero ? signalAt - lastAt : 0) }

    /// Who is watched continuously, or had a rate beyond the limits, is missed after some steps as they are now, and urgently.
    /// Of others a device may rest.
    func silenceLimits(_ rules: EpisodeRules, _ own: CustomerLimits) -> SilenceLimits? {
        let isBeyond = endsBeyond(rules)
        guard let loss = lossLimit(rules, isStrict: own.isContinuous || isBeyond) else { return nil }
        if own.isContinuous || isBeyond {
            // Who is told of the heart already is told of one loss.
            let isUrgent = own.isContinuous || !silence.wasUrgent
            return SilenceLimits(loss: loss, urgent: isUrgent ? loss * rules.urgentSilence : nil, notWorn: nil)
        }
        return SilenceLimits(loss: loss, urgent: nil, notWorn: max(rules.notWorn, loss))
    }

    /// After which time without a reading the signal is lost; nil before the first step.
    ///
    /// - Parameter isStrict: by the step that is usual now only, whatever other rates the device has.
    func lossLimit(_ rules: EpisodeRules, isStrict: Bool) -> Microseconds? {
        guard let limit = period.silenceLimit(rules, isStrict: isStrict) else { return nil }
        // A pause between two beats is the heart's.
        return runs.areBeats ? max(limit, rules.beatSilence) : limit
    }

    /// Opens a signal loss, makes it urgent, or takes the sensor for not worn, when nothing has come for the time `silent`.
    ///
    /// To be called only when everything has been taken that was sent in that time. What waits for late readings is
    /// judged first.
    public mutating func signalLost(
        for silent: Microseconds, rules: EpisodeRules, limits: CustomerLimits = CustomerLimits(),
        _ changed: (Episode, EpisodeChange) -> Void
    ) {
        guard silent >= rules.lateness else { return }
        judgePending(pending.count, rules: rules, limits: limits, changed)
        passSilence(silent, rules: rules, limits: limits, changed)
    }

    /// Judges what waits for late readings, when no more is to be expected.
    public mutating func finish(
        rules: EpisodeRules, limits: CustomerLimits, _ changed: (Episode, EpisodeChange) -> Void
    ) {
        judgePending(pending.count, rules: rules, limits: limits, changed)
    }

    /// Whether silence has opened something: a signal loss, readings of 0 bpm, or that the sensor is not worn.
    public var isSilent: Bool { silence.phase != .none }

    /// Whether readings wait for late ones.
    public var isWaiting: Bool { !pending.isEmpty }

    /// The last time that something came: a heart rate, or 0 bpm.
    private var signalAt: Int64 { max(lastAt, silence.zeroAt) }

    /// Nothing has come for a time: what that opens and closes.
    private mutating func passSilence(
        _ silent: Microseconds, rules: EpisodeRules, limits own: CustomerLimits,
        _ changed: (Episode, EpisodeChange) -> Void
    ) {
        guard lastAt != noTime, let limits = silenceLimits(rules, own) else { return }
        if silence.phase == .none, silent > limits.loss, limits.notWorn != limits.loss {
            openSilence(.lost, at: signalAt + limits.loss.count, changed)
        }
        let without = Microseconds(silent.count + zeroTime.count)
        if silence.phase == .lost || silence.phase == .zero, silence.severity < .high, let urgent = limits.urgent,
            without > urgent
        {
            escalateSilence(at: lastAt + urgent.count, changed)
        }
        let isKept = silence.phase == .notWorn || silence.phase != .none && silence.severity == .high
        guard let notWorn = limits.notWorn, without > notWorn, !isKept else { return }
        let at = signalAt - zeroTime.count + notWorn.count
        closeSilence(at: at, changed)
        openSilence(.notWorn, at: at, changed)
    }

    private mutating func escalateSilence(at: Int64, _ changed: (Episode, EpisodeChange) -> Void) {
        (silence.severity, silence.wasUrgent) = (.high, true)
        var episode = silenceEpisode(closedAt: nil)
        episode.changedAt = Instant(microsecondsSince1970: max(at, silence.openedAt))
        changed(episode, .escalated)
    }

    private mutating func openSilence(_ phase: Silence.Phase, at: Int64, _ changed: (Episode, EpisodeChange) -> Void) {
        silence.phase = phase
        silence.severity = phase == .notWorn ? .low : .medium
        // Only when our clock and the sensor's disagree could it be as early as the one before.
        silence.openedAt = max(at, silence.openedAt == noTime ? noTime : silence.openedAt + 1)
        changed(silenceEpisode(closedAt: nil), .opened)
    }

    private mutating func closeSilence(at: Int64, _ changed: (Episode, EpisodeChange) -> Void) {
        guard silence.phase != .none else { return }
        changed(silenceEpisode(closedAt: at), .closed)
        silence.phase = .none
    }
}

// MARK: - What ends a silence, or goes on with it

extension Detector {
    /// A reading of 0 bpm: the sensor is there, and has no heart rate. Such a reading is not stored.
    mutating func takeZero(
        at: Int64, rules: EpisodeRules, limits own: CustomerLimits, _ changed: (Episode, EpisodeChange) -> Void
    ) {
        guard lastAt != noTime, at > signalAt, let limits = silenceLimits(rules, own) else { return }
        let reach = max(limits.loss, rules.notWorn).count
        // Of a clock that is ahead it says nothing.
        guard silence.zeroAt != noTime || silence.phase != .none || at - signalAt <= reach else { return }
        passSilence(Microseconds(at - signalAt), rules: rules, limits: own, changed)
        silence.zeroAt = at
        let since = at - lastAt
        switch silence.phase {
        case .none where since > limits.loss.count: openSilence(.zero, at: lastAt + limits.loss.count, changed)
        case .lost:
            let severity = silence.severity
            closeSilence(at: at, changed)
            openSilence(.zero, at: at, changed)
            // It was urgent, and is no less so.
            if severity == .high { escalateSilence(at: at, changed) }
        case .zero:
            if silence.severity < .high, let urgent = limits.urgent, since > urgent.count {
                escalateSilence(at: lastAt + urgent.count, changed)
            }
        default: break
        }
    }

    /// A reading has come, `gap` after the last one: ends the silence that is open or that was between them.
    mutating func endSilence(
        at: Int64, after gap: Microseconds, rules: EpisodeRules, limits: CustomerLimits,
        _ changed: (Episode, EpisodeChange) -> Void
    ) {
        // With a short gap there is nothing to compute.
        if silence.phase != .none || gap > rules.silenceMinimum {
            endLongSilence(at: at, after: gap, rules: rules, limits: limits, changed)
        }
        if silence.wasUrgent, !endsBeyond(rules) { silence.wasUrgent = false }
        // Longer ones are no steps: nobody wore the sensor.
        if gap <= rules.notWorn { period.append(gap.milliseconds, at: at) }
        silence.zeroAt = noTime
    }

    private mutating func endLongSilence(
        at: Int64, after gap: Microseconds, rules: EpisodeRules, limits: CustomerLimits,
        _ changed: (Episode, EpisodeChange) -> Void
    ) {
        if at > signalAt { passSilence(Microseconds(at - signalAt), rules: rules, limits: limits, changed) }
        closeSilence(at: at, changed)
        // For sparse readings a long gap is nothing special.
        let usual = lossLimit(rules, isStrict: false) ?? rules.silenceUnknown
        // What comes after a loss does not go on from what was before it: a strap that is taken off and put on again is noisy.
        if gap > usual {
            slow.forgetUnraised()
            fast.forgetUnraised()
            runs.reset()
            settledAt = at + rules.window.count / 2
        }
        guard gap > max(rules.closingTime, usual) else { return }
        let isShort = gap <= max(rules.easingTime, usual)
        report(slow.interrupt(.bradycardia, keepsHigh: isShort), to: changed)
        report(fast.interrupt(.tachycardia, keepsHigh: isShort), to: changed)
        window.removeAll()
    }

    /// Ends it without a reading, for a clock that was set back.
    mutating func abandonSilence(_ changed: (Episode, EpisodeChange) -> Void) {
        closeSilence(at: max(silence.openedAt, signalAt), changed)
        silence = Silence()
    }

    /// Whether the last rates were beyond the limits of high severity: then no reading may mean no heartbeat.
    private func endsBeyond(_ rules: EpisodeRules) -> Bool {
        !(slow.isIdle && fast.isIdle) && (slow.isBeyondHigh(rules.times) || fast.isBeyondHigh(rules.times))
    }

    /// The silence that is open, or that ends at a time.
    func silenceEpisode(closedAt: Int64?) -> Episode {
        let opened = Instant(microsecondsSince1970: silence.openedAt)
        let kind = silence.kind ?? .signalLoss
        let limit = (silence.openedAt - lastAt) / 1000
        return Episode(
            kind: kind, severity: silence.severity, worstSeverity: silence.severity, openedAt: opened,
            raisedAt: opened, lastSeenAt: Instant(microsecondsSince1970: lastAt),
            closedAt: closedAt.map { Instant(microsecondsSince1970: max($0, silence.openedAt)) }, extremeHeartRate: nil,
            readings: 0,
            evidence: kind == .zeroRate
                ? .zeros : .period(usual: period.milliseconds ?? period.median ?? 0, limit: limit))
    }
}
