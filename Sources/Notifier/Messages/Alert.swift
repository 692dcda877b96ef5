internal import HeartRate

/// An episode as an alert of Alertmanager: `POST /api/v2/alerts` takes a list of them.
///
/// Alertmanager knows an alert by its labels. So an episode whose severity changes ends as one alert and begins as another.
struct Alert: Encodable, Equatable {
    let labels: [String: String]
    let annotations: [String: String]
    let startsAt: String
    let endsAt: String

    /// An open alert is sent again each minute, since Alertmanager keeps none over a restart. It ends by itself only after a
    /// day without that: a silent notifier must not look like the end of an alarm.
    private static let openFor: Int64 = 86_400_000_000
    /// A test is over soon.
    private static let testFor: Int64 = 120_000_000

    /// Whether it is over at a moment.
    let isOver: Bool

    /// The alerts that an event begins, changes or ends.
    ///
    /// - Parameter now: microseconds since 1970. Readings' times may be ahead of it, and Alertmanager takes an alert that ends
    ///   later for one that goes on.
    static func alerts(of event: EpisodeEvent, at now: Int64) -> [Alert] {
        var alerts: [Alert] = []
        if let earlier = event.earlierSeverity, earlier != event.severity {
            alerts.append(Alert(event, severity: earlier.name, end: min(event.times.happened, now)))
        }
        alerts.append(
            Alert(event, severity: event.severity.name, end: event.times.closed.map { min($0, now) }, at: now))
        return alerts
    }

    /// - Parameter end: nil as long as it is open.
    private init(_ event: EpisodeEvent, severity: String, end: Int64?, at now: Int64 = 0) {
        labels = [
            "alertname": "HeartbeatEpisode", "customer_id": event.customerID, "episode": "\(event.episodeID)",
            "kind": String(event.kind.name.map { $0 == " " ? "_" : $0 }), "severity": severity,
            "groups": event.groups.joined(separator: ","),
        ].filter { !$0.value.isEmpty }
        var annotations = [
            "summary": "\(event.kind.name) of \(event.customerID)", "description": event.reason,
            "event": event.event.rawValue,
        ]
        if let rate = event.heartRate { annotations["heart_rate"] = "\(rate)" }
        if event.event == .acknowledged { annotations["acknowledged_by"] = event.person }
        self.annotations = annotations
        let begin = min(event.times.raised, end ?? now)
        startsAt = moment(begin)
        endsAt = moment(end ?? now + (event.event == .test ? Self.testFor : Self.openFor))
        isOver = end != nil
    }

    private enum CodingKeys: CodingKey { case labels, annotations, startsAt, endsAt }
}
