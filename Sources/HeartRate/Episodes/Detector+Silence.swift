extension Detector {
    /// How long without a reading, in microseconds since `lastReadingAt`, `signalLost` has something to tell.
    ///
    /// Nil as long as the customer's period is not known, and when nothing more can be raised.
    public func silenceLimit(_ rules: EpisodeRules) -> Int64? {
        guard let limit = period.silenceLimit(rules) else { return nil }
        guard pending.isEmpty, isSilent else { return max(limit + 1, Int64(rules.latenessSeconds) * 1_000_000) }
        return silence < .high ? limit * Int64(rules.urgentSilence) + 1 : nil
    }

    /// Opens a signal loss, or makes it urgent, when no reading has come for so long.
    ///
    /// To be called only when everything has been taken that was sent in that time. What waits for late readings is
    /// judged first.
    public mutating func signalLost(
        forMicroseconds silent: Int64, _ rules: EpisodeRules, _ limits: CustomerLimits = CustomerLimits(),
        _ changed: (Episode, EpisodeChange) -> Void
    ) {
        guard silent >= Int64(rules.latenessSeconds) * 1_000_000 else { return }
        judgePending(rules, limits, changed)
        raiseSilence(silent, rules, changed)
    }

    /// Opens a signal loss after so many microseconds, or makes it urgent.
    private mutating func raiseSilence(
        _ silent: Int64, _ rules: EpisodeRules, _ changed: (Episode, EpisodeChange) -> Void
    ) {
        guard let limit = period.silenceLimit(rules), silent > limit else { return }
        let severity = silent > limit * Int64(rules.urgentSilence) ? Severity.high : .medium
        if !isSilent {
            isSilent = true
            silence = severity
            // Only when our clock and the sensor's disagree could it be as early as the one before.
            silentAt = max(lastAt + limit, silentAt == Self.noTime ? Self.noTime : silentAt + 1)
            changed(signalLoss(closedAt: nil), .opened)
        } else if severity > silence {
            silence = severity
            changed(signalLoss(closedAt: nil), .escalated)
        }
    }

    /// A reading has come, `gap` after the last one: closes the signal loss that is open or that was between them.
    mutating func endSilence(
        _ at: Int64, _ gap: Int64, _ rules: EpisodeRules, _ changed: (Episode, EpisodeChange) -> Void
    ) {
        // With a short gap there is nothing to compute.
        if isSilent || gap > Int64(rules.silenceMinimum) * 1_000_000 { closeSilence(at, gap, rules, changed) }
        period.append(gap / 1000)
    }

    private mutating func closeSilence(
        _ at: Int64, _ gap: Int64, _ rules: EpisodeRules, _ changed: (Episode, EpisodeChange) -> Void
    ) {
        raiseSilence(gap, rules, changed)
        if isSilent {
            changed(signalLoss(closedAt: at), .closed)
            isSilent = false
        }
        // For sparse readings a long gap is nothing special.
        let usual = period.silenceLimit(rules) ?? 0
        guard gap > max(Int64(rules.closingTime) * 1_000_000, usual) else { return }
        let isShort = gap <= max(Int64(rules.easingTime) * 1_000_000, usual)
        slow.interrupt(.bradycardia, keepsHigh: isShort, changed)
        fast.interrupt(.tachycardia, keepsHigh: isShort, changed)
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
