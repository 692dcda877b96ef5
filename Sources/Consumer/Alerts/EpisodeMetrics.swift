import Daemon
import HeartRate

/// How many episodes there were.
struct EpisodeMetrics: Sendable {
    private let raised: [EpisodeKind: [Severity: Metrics.Counter]]
    private let commands: [CommandHook.Outcome: Metrics.Counter]

    init(_ metrics: Metrics) {
        func episodes(_ kind: EpisodeKind, _ severity: Severity) -> Metrics.Counter {
            metrics.counter(
                "heartbeat_consumer_episodes_total", "Episodes that opened at this severity or rose to it.",
                // Values of labels are written without blanks.
                labels: ["kind": String(kind.name.map { $0 == " " ? "_" : $0 }), "severity": severity.name])
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
                        labels: ["outcome": outcome.rawValue])
                )
            })
    }

    func count(_ change: CustomerEpisode) {
        guard change.change == .opened || change.change == .escalated else { return }
        raised[change.episode.kind]?[change.episode.severity]?.add()
    }

    func count(_ outcome: CommandHook.Outcome) { commands[outcome]?.add() }
}
