public import Logging

/// An event that an operator acts on, with the id by which the journal knows it.
///
/// `journalctl MESSAGE_ID=...` finds every one of them whatever its words are, and `journalctl -x` adds what
/// `systemd/heartbeat.catalog` says of it. An id is never used for anything else, so an event that is gone takes its own
/// with it.
public enum JournalEvent: String, CaseIterable, Sendable {
    /// What a daemon needs has answered, and it works.
    case started = "f8daa748c84046e3aefe4e665af62368"
    /// A daemon has ended its work in order.
    case stopped = "49001641dfcf4879a139bd25a5aaa7b8"
    /// Kafka or PostgreSQL does not answer; the daemon tries again.
    case waiting = "1b6a9aa49b4c45fb873e95e84be69ebb"
    /// What was waited for answers again.
    case recovered = "81b9b91447214c7baf96ba8f4269e32c"
    /// Kafka or PostgreSQL did not answer for so long at the start that the daemon ends.
    case unavailable = "b09d441a292b4ae5bdc145e8b6a855f0"
    /// PostgreSQL refuses the work for a reason that does not pass by itself, and the daemon ends.
    case refused = "7ff266d2296541d4a3612651361d533f"
    /// All senders' clocks are ahead of this machine's, which may be the one that is wrong.
    case clockDoubted = "9ee28347922c487a98982527f895b011"
    /// Another consumer owns a partition; what this one wanted to write of it was refused.
    case fenced = "2d6477d873e449f28bffba563eb97a99"
    /// Kafka does not have messages that were not read yet.
    case gap = "eccb943713d34ac899e3072246f702ee"
    /// Kafka has lost the end of a log that is stored.
    case endLost = "96794fb669da407ab7065f7d4aac73f0"
    /// The log is another one than that which is stored: the topic was deleted and recreated.
    case createdAnew = "d573582871e54b69964e1eb1740b827b"
    /// Messages were rejected; at most one event a minute, with counts by reason.
    case rejected = "e66b1e910d6d4f87b530620389451e9e"
    /// A reload has changed settings.
    case reloaded = "b3eee50e8e8a41dd87592801523b3880"
    /// Settings cannot be used: a reload leaves the old ones in effect, a start ends with status 78.
    case settingsRefused = "54b0ae2e0b2d400c82624e386d3fa779"
    /// A work loop makes no progress; the service manager's watchdog will end the daemon.
    case stalled = "64b30d18efb64f608c8bd0d8623da90e"
    /// A step of "heartbeat database maintain" failed; ingestion does not depend on it.
    case maintenanceFailed = "47d6525ae86f4cee844caabe947b43f8"
    /// An episode of high severity: somebody should look at a customer.
    case episodeOpened = "66756f05c05740cd930613dbeb18e774"
    /// An episode of lower severity has become one of high severity.
    case episodeEscalated = "17b6d693544145529d87a319a81cd464"
    /// Nobody has acknowledged an urgent episode in time.
    case episodeUnacknowledged = "6ab73e2d4fe84804a63a0157de49a108"
    /// An episode is over that was of high severity.
    case episodeClosed = "44c70cc9aad04dc498aa87284e215ed6"
    /// A customer's sensor has a clock that is wrong: it was set back, or is behind.
    case sensorClock = "b573f22b132c46ba91155901300bf2f9"

    /// Messages to a receiver of alarms are given up.
    case notificationDead = "9ed54b63002649a8adcf2d3b46119320"

    /// The value of `MESSAGE_ID`: 128 bits as 32 hexadecimal digits, sd-id128(3).
    public var id: String { rawValue }

    /// How important it is.
    public var level: Logger.Level {
        switch self {
        case .started, .stopped, .recovered, .reloaded, .rejected, .episodeClosed: .notice
        case .waiting, .fenced, .endLost, .createdAnew, .clockDoubted, .episodeOpened, .episodeEscalated,
            .episodeUnacknowledged, .sensorClock:
            .warning
        case .unavailable, .refused, .gap, .settingsRefused, .stalled, .maintenanceFailed, .notificationDead:
            .error
        }
    }

    static let field = "MESSAGE_ID"
}

extension Logger {
    /// Logs an event that an operator acts on, at the event's level and with its id.
    public func report(
        _ event: JournalEvent, _ message: @autoclosure () -> Logger.Message, fields: Logger.Metadata = [:]
    ) {
        log(
            level: event.level, message(),
            metadata: fields.merging([JournalEvent.field: "\(event.id)"]) { _, id in id })
    }
}
