internal import HeartRate

/// An event as the plain webhook has it.
struct WebhookMessage: Encodable {
    struct Episode: Encodable {
        let episodeId: Int64
        let customerId: String
        let groups: [String]
        let kind: String
        let severity: String
        let worstSeverity: String
        let openedAt: String
        let raisedAt: String
        let closedAt: String?
        let heartRate: Int16?
        let reason: String
        /// Who acknowledged or took it back, and what was said.
        let by: String?
        let note: String?
    }

    /// `episode.opened`.
    let type: String
    /// When it happened.
    let timestamp: String
    /// Grows with each event of a customer.
    let sequence: Int64
    let recordedAt: String
    let data: Episode

    init(_ event: EpisodeEvent) {
        type = event.event == .test ? "test" : "episode.\(event.event.rawValue)"
        timestamp = moment(event.times.happened)
        sequence = event.id
        recordedAt = moment(event.times.recorded)
        data = Episode(
            episodeId: event.episodeID, customerId: event.customerID, groups: event.groups, kind: event.kind.name,
            severity: event.severity.name, worstSeverity: event.worstSeverity.name,
            openedAt: moment(event.times.opened), raisedAt: moment(event.times.raised),
            closedAt: event.times.closed.map(moment), heartRate: event.heartRate, reason: event.reason,
            by: event.person, note: event.note)
    }
}
