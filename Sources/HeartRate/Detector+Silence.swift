extension Detector {
    /// How long without a reading, in microseconds since `lastReadingAt`, `signalLost` has something to tell.
    ///
    /// Nil as long as the customer's period is not known, and when nothing more can be raised.
    public func silenceLimit(_ rules: EpisodeRules) -> Int64? {
        guard pending.isEmpty, silentAt != Self.noTime else {
            guard let limit = period.silenceLimit(rules) else { return nil }
            return max(limit, Int64(rules.latenessSeconds) * 1000) * 1000
        }
        return silence < .high ? (silentAt - lastAt) * Int64(rules.urgentSilence) : nil
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
        guard let limit = limitOfSilence(rules), silent >= limit else { return }
        if silentAt == Self.noTime {
            silentAt = lastAt + limit
            silence = silent >= limit * Int64(rules.urgentSilence) ? .high : .medium
            changed(signalLoss(closedAt: nil, silence), .opened)
        } else if silence < .high, silent >= limit * Int64(rules.urgentSilence) {
            silence = .high
            changed(signalLoss(closedAt: nil, silence), .escalated)
        }
    }

    /// In microseconds; that of the open one if there is one.
    private func limitOfSilence(_ rules: EpisodeRules) -> Int64? {
        silentAt != Self.noTime ? silentAt - lastAt : period.silenceLimit(rules).map { $0 * 1000 }
    }

    /// A reading has come, `gap` after the last one: closes the signal loss that is open or that was between them.
    mutating func endSilence(
        _ at: Int64, _ gap: Int64, _ rules: EpisodeRules, _ changed: (Episode, EpisodeChange) -> Void
    ) {
        // Without a period, or with a short gap, there is nothing to compute.
        if silentAt != Self.noTime || gap >= Int64(rules.silenceMinimum) * 1_000_000 {
            closeSilence(at, gap, rules, changed)
        }
        period.append(gap / 1000)
    }

    private mutating func closeSilence(
        _ at: Int64, _ gap: Int64, _ rules: EpisodeRules, _ changed: (Episode, EpisodeChange) -> Void
    ) {
        let limit = limitOfSilence(rules)
        if let limit, silentAt != Self.noTime || gap > limit {
            let isUrgent = gap >= limit * Int64(rules.urgentSilence)
            if silentAt == Self.noTime {
                silentAt = lastAt + limit
                silence = isUrgent ? .high : .medium
                changed(signalLoss(closedAt: nil, silence), .opened)
            } else if isUrgent, silence < .high {
                silence = .high
                changed(signalLoss(closedAt: nil, silence), .escalated)
            }
            changed(signalLoss(closedAt: max(silentAt, at), silence), .closed)
            silentAt = Self.noTime
            silence = .medium
        }
        // For sparse readings a long gap is nothing special.
        if gap > max(Int64(rules.closingTime) * 1_000_000, limit ?? 0) {
            slow.interrupt(.bradycardia, changed)
            fast.interrupt(.tachycardia, changed)
            window.removeAll()
        }
    }

    /// The signal loss that is open.
    func signalLoss(closedAt: Int64?, _ severity: Severity) -> Episode {
        let opened = Instant(microsecondsSince1970: silentAt)
        return Episode(
            kind: .signalLoss, severity: severity, worstSeverity: severity, openedAt: opened, raisedAt: opened,
            lastSeenAt: Instant(microsecondsSince1970: lastAt),
            closedAt: closedAt.map { Instant(microsecondsSince1970: $0) }, extremeHeartRate: nil, readings: 0,
            evidence: .period(milliseconds: period.milliseconds ?? 0, limit: (silentAt - lastAt) / 1000))
    }
}
