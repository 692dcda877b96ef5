/// What Alertmanager sends to its receivers of the kind "webhook", in its version 4: for programs that take that.
struct AlertmanagerWebhook: Encodable {
    struct StatedAlert: Encodable {
        let status: String
        let labels, annotations: [String: String]
        let startsAt, endsAt: String
        let generatorURL = ""
        let fingerprint: String
    }

    let version = "4"
    let groupKey: String
    let truncatedAlerts = 0
    let status: String
    let receiver: String
    let groupLabels: [String: String]
    let commonLabels, commonAnnotations: [String: String]
    let externalURL = ""
    let alerts: [StatedAlert]

    /// - Parameter now: microseconds since 1970.
    init(_ event: EpisodeEvent, for receiver: String, at now: Int64) {
        let list = Alert.alerts(of: event, at: now)
        let isOver = list.allSatisfy(\.isOver)
        groupKey = "{}:{episode=\"\(event.episodeID)\"}"
        groupLabels = ["episode": "\(event.episodeID)"]
        status = isOver ? "resolved" : "firing"
        self.receiver = receiver
        commonLabels = Self.common(list.map(\.labels))
        commonAnnotations = Self.common(list.map(\.annotations))
        alerts = list.map { alert in
            StatedAlert(
                status: alert.isOver ? "resolved" : "firing", labels: alert.labels, annotations: alert.annotations,
                startsAt: alert.startsAt,
                // As Alertmanager writes that an alert is open.
                endsAt: alert.isOver ? alert.endsAt : "0001-01-01T00:00:00Z",
                fingerprint: "\(event.episodeID)-\(alert.labels["severity"] ?? "")")
        }
    }

    private static func common(_ list: [[String: String]]) -> [String: String] {
        guard let first = list.first else { return [:] }
        return first.filter { name, value in list.allSatisfy { $0[name] == value } }
    }
}
