import Daemon
import HeartRate
import Logging

/// One change of an episode, with the customer whose it is.
struct CustomerEpisode {
    let customerID: String
    let episode: Episode
    let change: EpisodeChange

    /// When it happened, as far as the episode tells.
    var happenedAt: Instant {
        switch (change, episode.kind) {
        case (.closed, _):
            return episode.closedAt ?? episode.lastSeenAt
        case (_, .signalLoss) where episode.severity == .high:
            // It has become urgent so many times as late as it was raised.
            let limit = episode.openedAt.microsecondsSince1970 - episode.lastSeenAt.microsecondsSince1970
            return episode.lastSeenAt.advanced(byMicroseconds: limit * Int64(EpisodeRules().urgentSilence))
        case (.opened, _):
            return episode.raisedAt
        case (.escalated, _), (.eased, _):
            return episode.lastSeenAt
        }
    }

    /// By the names that the journal and the command's environment have for them; empty where there is nothing.
    var fields: [String: String] {
        let word =
            switch change {
            case .opened: "opened"
            case .escalated: "escalated"
            case .eased: "eased"
            case .closed: "closed"
            }
        return [
            "HEARTBEAT_EVENT": word, "HEARTBEAT_CUSTOMER": customerID, "HEARTBEAT_KIND": episode.kind.name,
            "HEARTBEAT_SEVERITY": episode.severity.name, "HEARTBEAT_WORST_SEVERITY": episode.worstSeverity.name,
            "HEARTBEAT_OPENED_AT": episode.openedAt.iso8601, "HEARTBEAT_RAISED_AT": episode.raisedAt.iso8601,
            "HEARTBEAT_CLOSED_AT": episode.closedAt?.iso8601 ?? "",
            "HEARTBEAT_HEART_RATE": episode.extremeHeartRate.map { "\($0)" } ?? "", "HEARTBEAT_REASON": episode.reason,
        ]
    }
}

/// Tells people of urgent episodes, by the journal and by the command of `EPISODE_COMMAND`, and counts all of them.
///
/// The writer calls it after the COMMIT, so that nothing is told that is not in the database. A crash between the two loses
/// the telling and never the episode: the table and the dashboard have it.
struct EpisodeReport {
    private let logger: Logger
    private let metrics: EpisodeMetrics
    private let command: CommandHook
    private var choice = EpisodeChoice()

    init(_ service: Service, _ metrics: EpisodeMetrics, _ command: CommandHook) {
        logger = service.logger
        self.metrics = metrics
        self.command = command
    }

    /// Takes what a batch has found, once it is in the database.
    mutating func told(_ findings: Findings) {
        for change in findings.changes { metrics.count(change) }
        let now = Instant(microsecondsSince1970: wallClockMicroseconds())
        for change in choice.worthTelling(findings.changes, standing: findings.episodes, at: now) { tell(change) }
    }

    /// Says how many were not told, when that is due. To be called about once a second.
    mutating func tellUntold() {
        let now = Instant(microsecondsSince1970: wallClockMicroseconds())
        if let untold = choice.takeUntold(at: now) { tell(untold) }
    }

    private func tell(_ untold: EpisodeChoice.Untold) {
        logger.warning(
            """
            \(untold.old + untold.many) urgent changes of episodes were not told one by one: \(untold.old) because they \
            were found too late, \(untold.many) because there were more than \(EpisodeChoice.mostInAMinute) in a minute. \
            The dashboard and the table "episodes" have them
            """, metadata: ["HEARTBEAT_UNTOLD": "\(untold.old + untold.many)"])
    }

    private func tell(_ change: CustomerEpisode) {
        let fields = change.fields
        command.submit(fields)
        let (episode, who) = (change.episode, "\(change.episode.kind.name) of \(change.customerID)")
        let (event, sentence): (JournalEvent, String) =
            switch change.change {
            case .closed: (.episodeClosed, "\(who) is over: \(episode.reason)")
            case .escalated:
                (.episodeEscalated, "\(who) is now of \(episode.severity.name) severity: \(episode.reason)")
            case .opened, .eased: (.episodeOpened, "\(who): \(episode.reason)")
            }
        logger.report(event, "\(sentence)", fields.filter { !$0.value.isEmpty }.mapValues { .string($0) })
    }
}

/// How many episodes there were.
struct EpisodeMetrics: Sendable {
    private let raised: [EpisodeKind: [Severity: Metrics.Counter]]
    private let commands: [CommandHook.Outcome: Metrics.Counter]

    init(_ metrics: Metrics) {
        func episodes(_ kind: EpisodeKind, _ severity: Severity) -> Metrics.Counter {
            metrics.counter(
                "heartbeat_consumer_episodes_total", "Episodes that opened at this severity or rose to it.",
                ["kind": kind.name, "severity": severity.name])
        }
        raised = Dictionary(
            uniqueKeysWithValues: EpisodeKind.allCases.map { kind in
                (kind, Dictionary(uniqueKeysWithValues: Severity.allCases.map { ($0, episodes(kind, $0)) }))
            })
        commands = Dictionary(
            uniqueKeysWithValues: CommandHook.Outcome.allCases.map { outcome in
                (
                    outcome,
                    metrics.counter(
                        "heartbeat_consumer_episode_commands_total",
                        "Runs of EPISODE_COMMAND, by how they ended; dropped ones were not run.",
                        ["outcome": outcome.rawValue])
                )
            })
    }

    func count(_ change: CustomerEpisode) {
        guard change.change == .opened || change.change == .escalated else { return }
        raised[change.episode.kind]?[change.episode.severity]?.add()
    }

    func count(_ outcome: CommandHook.Outcome) { commands[outcome]?.add() }
}
