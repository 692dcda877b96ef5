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

    /// Takes what a batch has changed; without changes it says what is due. To be called about once a second.
    ///
    /// - Parameter now: the time of day, which tells news from what a backlog has.
    mutating func told(
        _ changes: [CustomerEpisode] = [],
        at now: Instant = Instant(microsecondsSince1970: wallClockMicroseconds())
    ) {
        if let untold = choice.takeUntold(at: now) { tell(untold) }
        for change in changes { metrics.count(change) }
        for change in choice.worthTelling(changes, at: now) { tell(change) }
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

/// Chooses which changes are worth a line and a command of their own.
///
/// - Only high severity: lower ones are for those who look at the dashboard. Who is told too much stops listening.
/// - An episode once for each of its changes, also when it swings between two severities.
/// - Nothing that was over when it was found, or that happened long ago: when old messages are read, after an outage or from
///   a recording, there is nobody to be helped any more.
/// - At most `mostInAMinute`: when a broken gateway makes a thousand customers' signals vanish at once, a thousand pages
///   hide the one that is something else. A line a minute has the number of those that were not told.
struct EpisodeChoice {
    /// How many changes were not told, by why.
    struct Untold: Equatable {
        var old = 0
        var many = 0
    }

    static let mostInAMinute = 60
    /// What happened longer ago, in microseconds, is not told: 10 minutes.
    private static let tooLate: Int64 = 600_000_000
    private static let minute: Int64 = 60_000_000
    /// Bounds the memory of what was told. Beyond it all of it is forgotten, and an episode may be told again.
    private static let mostRemembered = 10_000

    private struct Key: Hashable {
        let customerID: String
        let kind: EpisodeKind
        let openedAt: Instant

        init(_ change: CustomerEpisode) {
            (customerID, kind, openedAt) = (change.customerID, change.episode.kind, change.episode.openedAt)
        }
    }

    /// Open episodes that were told.
    private var told: Set<Key> = []
    private var minuteBegan = Instant.earliest
    private var inThisMinute = 0
    private var untold = Untold()

    /// - Parameter changes: what one batch has changed, in order.
    mutating func worthTelling(_ changes: [CustomerEpisode], at now: Instant) -> [CustomerEpisode] {
        let opened = Set(changes.filter { $0.change == .opened }.map(Key.init))
        let overWhenFound = Set(changes.filter { $0.change == .closed }.map(Key.init)).intersection(opened)
        return changes.filter { change in
            guard isUrgent(change) else { return false }
            let isNews = now.microsecondsSince1970 - change.happenedAt.microsecondsSince1970 <= Self.tooLate
            guard isNews, !overWhenFound.contains(Key(change)) else {
                untold.old += 1
                return false
            }
            beginMinute(at: now)
            guard inThisMinute < Self.mostInAMinute else {
                untold.many += 1
                return false
            }
            inThisMinute += 1
            if change.change != .closed { told.insert(Key(change)) }
            return true
        }
    }

    /// What was not told, once a minute as long as there is something.
    mutating func takeUntold(at now: Instant) -> Untold? {
        guard untold != Untold(), beginMinute(at: now) else { return nil }
        defer { untold = Untold() }
        return untold
    }

    private mutating func isUrgent(_ change: CustomerEpisode) -> Bool {
        switch change.change {
        case .opened, .escalated:
            if told.count >= Self.mostRemembered { told.removeAll() }
            return change.episode.severity == .high && !told.contains(Key(change))
        case .closed:
            told.remove(Key(change))
            return change.episode.worstSeverity == .high
        case .eased:
            return false
        }
    }

    /// - Returns: false while the last minute is not over. One begins anew when somebody has set the clock back.
    @discardableResult
    private mutating func beginMinute(at now: Instant) -> Bool {
        let passed = now.microsecondsSince1970 - minuteBegan.microsecondsSince1970
        guard !(0..<Self.minute).contains(passed) else { return false }
        minuteBegan = now
        inThisMinute = 0
        return true
    }
}

/// How many episodes there were.
struct EpisodeMetrics: Sendable {
    /// By kind, then by severity.
    private let raised: [[Metrics.Counter]]
    private let commands: [CommandHook.Outcome: Metrics.Counter]

    init(_ metrics: Metrics) {
        raised = EpisodeKind.allCases.map { kind in
            Severity.allCases.map { severity in
                metrics.counter(
                    "heartbeat_consumer_episodes_total", "Episodes that opened at this severity or rose to it.",
                    ["kind": kind.name, "severity": severity.name])
            }
        }
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
        let (kind, severity) = (change.episode.kind, change.episode.severity)
        guard let place = EpisodeKind.allCases.firstIndex(of: kind),
            let rank = Severity.allCases.firstIndex(of: severity)
        else { return }
        raised[place][rank].add()
    }

    func count(_ outcome: CommandHook.Outcome) { commands[outcome]?.add() }
}
