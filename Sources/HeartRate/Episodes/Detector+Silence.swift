extension Detector {
    /// How long after `lastReadingAt` without a reading `signalLost` has something to report.
    ///
    /// Nil as long as the customer's period is not known, and when nothing more can be raised.
    public func silenceLimit(_ rules: EpisodeRules) -> Microseconds? {
        guard let limit = period.silenceLimit(rules) else { return nil }
        guard pending.isEmpty, isSilent else { return max(Microseconds(limit.count + 1), rules.lateness) }
        return silence < .high ? Microseconds((limit * rules.urgentSilence).count + 1) : nil
    }

    /// Opens a signal loss, or makes it urgent, when no reading has come for the time `silent`.
    ///
    /// To be called only when everything has been taken that was sent in that time. What waits for late readings is
    /// judged first.
    public mutating func signalLost(
        for silent: Microseconds, rules: EpisodeRules, limits: CustomerLimits = CustomerLimits(),
        _ changed: (Episode, EpisodeChange) -> Void
    ) {
        guard silent >= rules.lateness else { return }
        judgePending(pending.count, rules: rules, limits: limits, changed)
        report(raiseSilence(silent, rules), to: changed)
    }

    /// Opens a signal loss that has lasted for the time `silent`, or makes it urgent.
    private mutating func raiseSilence(_ silent: Microseconds, _ rules: EpisodeRules) -> EpisodeEvent? {
        guard let limit = period.silenceLimit(rules), silent > limit else { return nil }
        let severity = silent > limit * rules.urgentSilence ? Severity.high : .medium
        guard isSilent else {
            isSilent = true
            silence = severity
            // Only when our clock and the sensor's disagree could it be as early as the one before.
            silentAt = max(lastAt + limit.count, silentAt == Self.noTime ? Self.noTime : silentAt + 1)
            return EpisodeEvent(episode: signalLoss(closedAt: nil), change: .opened)
        }
        guard severity > silence else { return nil }
        silence = severity
        return EpisodeEvent(episode: signalLoss(closedAt: nil), change: .escalated)
    }

    /// A reading has come, `gap` after the last one: closes the signal loss that is open or that was between them.
    mutating func endSilence(
        at: Int64, after gap: Microseconds, rules: EpisodeRules, _ changed: (Episode, EpisodeChange) -> Void
    ) {
        // With a short gap there is nothing to compute.
        if isSilent || gap > rules.silenceMinimum { closeSilence(at: at, after: gap, rules: rules, changed) }
        period.append(gap.milliseconds)
    }

    private mutating func closeSilence(
        at: Int64, after gap: Microseconds, rules: EpisodeRules, _ changed: (Episode, EpisodeChange) -> Void
    ) {
        report(raiseSilence(gap, rules), to: changed)
        if isSilent {
            changed(signalLoss(closedAt: at), .closed)
            isSilent = false
        }
        // For sparse readings a long gap is nothing special.
        let usual = period.silenceLimit(rules) ?? Microseconds(0)
        guard gap > max(rules.closingTime, usual) else { return }
        let isShort = gap <= max(rules.easingTime, usual)
        report(slow.interrupt(.bradycardia, keepsHigh: isShort), to: changed)
        report(fast.interrupt(.tachycardia, keepsHigh: isShort), to: changed)
        window.removeAll()
    }

    /// The signal loss that is open, or that ends at a time.
    func signalLoss(closedAt: Int64?) -> Episode {
        let opened = Instant(microsecondsSince1970: silentAt)
        return Episode(
            kind: .signalLoss, severity: silence, worstSeverity: silence, openedAt: opened, raisedAt: opened,
            lastSeenAt: Instant(microsecondsSince1970: lastAt),
            closedAt: closedAt.map { Instant(microsecondsSince1970: max($0, silentAt)) }, extremeHeartRate: nil,
            readings: 0, evidence: .period(usual: period.milliseconds ?? 0, limit: (silentAt - lastAt) / 1000))
    }
}
