import HeartRate

/// One change of an episode, with the customer whose it is.
struct CustomerEpisode {
    let customerID: String
    let episode: Episode
    let change: EpisodeChange
    /// By how many milliseconds the sensor's clock is behind.
    var behind: Int64 = 0

    /// When it happened, as far as the episode tells.
    var happenedAt: Instant {
        switch (change, episode.kind) {
        case (.opened, .signalLoss) where episode.severity == .high, (.escalated, .signalLoss),
            (.opened, .zeroRate) where episode.severity == .high, (.escalated, .zeroRate):
            // It became urgent at this multiple of the time after which it was raised.
            let limit = episode.openedAt.microsecondsSince1970 - episode.lastSeenAt.microsecondsSince1970
            return episode.lastSeenAt.advanced(byMicroseconds: limit * Int64(EpisodeRules().urgentSilence))
        default:
            return episode.time(of: change)
        }
    }

    /// By the names that the journal and the command's environment have for them; empty where there is nothing.
    var fields: [String: String] {
        return [
            "HEARTBEAT_EVENT": change.name, "HEARTBEAT_CUSTOMER": customerID, "HEARTBEAT_KIND": episode.kind.name,
            "HEARTBEAT_SEVERITY": episode.severity.name, "HEARTBEAT_WORST_SEVERITY": episode.worstSeverity.name,
            "HEARTBEAT_OPENED_AT": episode.openedAt.iso8601, "HEARTBEAT_RAISED_AT": episode.raisedAt.iso8601,
            "HEARTBEAT_CLOSED_AT": episode.closedAt?.iso8601 ?? "",
            "HEARTBEAT_HEART_RATE": episode.extremeHeartRate.map { "\($0)" } ?? "", "HEARTBEAT_REASON": episode.reason,
        ]
    }
}
