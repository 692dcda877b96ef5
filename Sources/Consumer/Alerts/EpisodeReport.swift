import Daemon
import HeartRate
import Logging

/// Tells people of urgent episodes, by the journal and by the command of `EPISODE_COMMAND`, and counts all of them.
///
/// The writer calls it after the COMMIT, so that nothing is told that is not in the database. A crash between the two loses
/// the telling and never the episode: the table and the dashboard have it.
struct EpisodeReport {
    private let logger: Logger
    private let metrics: EpisodeMetrics
    private let command: CommandHook
    private var choice = EpisodeChoice()
    private var clocks: ClockReport

    init(_ service: Service, metrics: EpisodeMetrics, command: CommandHook) {
        logger = service.logger
        self.metrics = metrics
        self.command = command
        clocks = ClockReport(service.logger)
    }

    /// Takes what a batch has found, once it is in the database. Returns what people should be told, unless they were.
    mutating func choose(_ findings: Findings) -> [CustomerEpisode] {
        for change in findings.changes { metrics.count(change) }
        let now = Instant(microsecondsSince1970: wallClockMicroseconds())
        clocks.tell(findings)
        return choice.worthTelling(findings.changes, standing: findings.episodes, at: now)
    }

    /// Tells people once more of what nobody has acknowledged.
    func tell(_ reminder: Reminder) {
        command.submit(reminder.fields)
        logger.report(
            .episodeUnacknowledged,
            "nobody has acknowledged the \(reminder.kind) of \(reminder.customerID): \(reminder.reason)",
            fields: reminder.fields.filter { !$0.value.isEmpty }.mapValues { .string($0) })
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

    /// Tells people of a change.
    func tell(_ change: CustomerEpisode) {
        let fields = change.fields
        command.submit(fields)
        let (episode, who) = (change.episode, "\(change.episode.kind.name) of \(change.customerID)")
        let (event, sentence): (JournalEvent, String) =
            switch change.change {
            case .closed: (.episodeClosed, "\(who) is over: \(episode.reason)")
            case .escalated:
                (.episodeEscalated, "\(who) is now of \(episode.severity.name) severity: \(episode.reason)")
            case .opened, .eased, .sustained: (.episodeOpened, "\(who): \(episode.reason)")
            }
        logger.report(event, "\(sentence)", fields: fields.filter { !$0.value.isEmpty }.mapValues { .string($0) })
    }
}
