internal import HeartRate

/// What happened to an episode, as it was then: a row of "episode_events".
struct EpisodeEvent: Sendable, Equatable {
    /// What happened.
    enum Event: String, Sendable {
        case opened, escalated, eased, sustained, closed, acknowledged, unacknowledged, reminded
        /// Of no episode: see `TestMessage`.
        case test

        /// Those that the database has.
        static let recorded: [Event] = [
            .opened, .escalated, .eased, .sustained, .closed, .acknowledged, .unacknowledged, .reminded,
        ]

        /// Whether somebody has to look now.
        var raisesAlarm: Bool {
            switch self {
            case .opened, .escalated, .sustained, .reminded, .test: true
            case .eased, .closed, .acknowledged, .unacknowledged: false
            }
        }
    }

    /// The row's number.
    let id: Int64
    /// The same in each message about it.
    let messageID: String
    let event: Event
    let episodeID: Int64
    let customerID: String
    let groups: [String]
    let kind: EpisodeKind
    /// After the event.
    let severity: Severity
    let worstSeverity: Severity
    /// By the event before; nil when there is none.
    let earlierSeverity: Severity?
    let times: Times
    /// In bpm, the furthest beyond the limit.
    let heartRate: Int16?
    let reason: String
    /// Who acknowledged, or took it back.
    let person: String?
    let note: String?

    /// When all of it was, in microseconds since 1970.
    struct Times: Sendable, Equatable {
        /// In the database.
        let recorded: Int64
        let happened: Int64
        let opened: Int64
        let raised: Int64
        let closed: Int64?
    }
}
