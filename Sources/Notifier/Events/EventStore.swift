internal import Daemon
internal import HeartRate
internal import PostgreSQL
internal import Schema
internal import SharedSettings

/// What the notifier reads and keeps in the database: see db/0015_notifications.sql.
struct EventStore {
    /// What has become of a notification.
    struct Settlement: Sendable, Equatable {
        enum Condition: String, Sendable {
            case waiting, sent, dead
        }

        let eventID: Int64
        let receiver: String
        let state: Condition
        /// Why it was not sent.
        let error: String?
    }

    private var session: Session

    init(_ settings: Settings) { session = Session(settings.postgresParameters, .notifier) }

    /// Makes the database keep events from now on; once is enough for good.
    mutating func register() throws(PostgreSQLError) {
        try session.ask { connection throws(PostgreSQLError) in
            _ = try connection.query(
                "INSERT INTO notifiers (name) VALUES ('heartbeat-notifier') ON CONFLICT DO NOTHING",
                unableTo: "register the notifier")
        }
    }

    // MARK: - Routing

    /// Events for which nobody has noted yet who is told, oldest first, each with those who were told of its episode.
    mutating func unrouted(most: Int) throws(PostgreSQLError) -> [(event: EpisodeEvent, told: Set<String>)] {
        try session.ask { connection throws(PostgreSQLError) in
            try connection.query(
                """
                SELECT \(Self.columns),
                       (SELECT string_agg(DISTINCT n.receiver, ' ') FROM notifications n JOIN episode_events p USING (event_id)
                         WHERE p.episode_id = e.episode_id) AS told
                  FROM episode_events e WHERE routed_at IS NULL ORDER BY event_id LIMIT $1
                """, [most], unableTo: "read \"episode_events\""
            ).map { row throws(PostgreSQLError) -> (event: EpisodeEvent, told: Set<String>) in
                let event = try EpisodeEvent(&row)
                let told: String? = try row["told"]
                return (event, Set((told ?? "").split(separator: " ").map(String.init)))
            }
        }
    }

    /// The minute of the day in a zone; nil when the server does not know the zone.
    mutating func minute(in zone: String) throws(PostgreSQLError) -> Int? {
        do throws(PostgreSQLError) {
            return try session.ask { connection throws(PostgreSQLError) in
                try connection.query(
                    """
                    SELECT (extract(hour FROM now() AT TIME ZONE $1::text) * 60 + extract(minute FROM now() AT TIME ZONE $1::text))::integer
                    """, [zone], unableTo: "look at the clock of \(zone)"
                ).value()
            }
        } catch {
            guard error.fault == .data else { throw error }
            return nil
        }
    }

    /// Notes who is told of some events.
    mutating func route(_ events: [(id: Int64, receivers: [String])]) throws(PostgreSQLError) {
        let pairs = events.flatMap { event in event.receivers.map { (event.id, $0) } }
        try session.ask { connection throws(PostgreSQLError) in
            _ = try connection.query(
                """
                WITH routed AS (
                    UPDATE episode_events SET routed_at = now() WHERE event_id = ANY ($1::bigint[]) AND routed_at IS NULL
                    RETURNING event_id)
                INSERT INTO notifications (event_id, receiver)
                SELECT event_id, receiver FROM unnest($2::bigint[], $3::text[]) AS n (event_id, receiver) JOIN routed USING (event_id)
                    ON CONFLICT DO NOTHING
                """, [ArrayText(events) { $0.id }, ArrayText(pairs) { $0.0 }, ArrayText(pairs) { $0.1 }],
                unableTo: "note who is told")
        }
    }

    // MARK: - Sending

    /// What a receiver has to be sent next, oldest first.
    mutating func waiting(for receiver: String, most: Int) throws(PostgreSQLError) -> [EpisodeEvent] {
        try notifications(
            """
            SELECT \(Self.columns) FROM notifications n JOIN episode_events e USING (event_id)
             WHERE n.receiver = $1 AND n.state = 'waiting' ORDER BY n.event_id LIMIT $2
            """, for: receiver, most: most)
    }

    /// The latest of what a receiver was sent of each episode that is still open.
    mutating func open(for receiver: String, most: Int) throws(PostgreSQLError) -> [EpisodeEvent] {
        try notifications(
            """
            SELECT DISTINCT ON (e.episode_id) \(Self.columns)
              FROM notifications n JOIN episode_events e USING (event_id) JOIN episodes o USING (episode_id)
             WHERE n.receiver = $1 AND n.state = 'sent' AND o.closed_at IS NULL
             ORDER BY e.episode_id, e.event_id DESC LIMIT $2
            """, for: receiver, most: most)
    }

    private mutating func notifications(
        _ sql: String, for receiver: String, most: Int
    ) throws(PostgreSQLError) -> [EpisodeEvent] {
        try session.ask { connection throws(PostgreSQLError) in
            try connection.query(sql, [receiver, most], unableTo: "read \"notifications\"").map {
                row throws(PostgreSQLError) in try EpisodeEvent(&row)
            }
        }
    }

    /// Notes what has become of some.
    mutating func settle(_ settlements: [Settlement]) throws(PostgreSQLError) {
        try session.ask { connection throws(PostgreSQLError) in
            _ = try connection.query(
                """
                UPDATE notifications n SET state = s.state, error = s.error, attempts = attempts + 1,
                       settled_at = CASE WHEN s.state <> 'waiting' THEN now() END
                  FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[]) AS s (event_id, receiver, state, error)
                 WHERE n.event_id = s.event_id AND n.receiver = s.receiver
                """,
                [
                    ArrayText(settlements) { $0.eventID }, ArrayText(settlements) { $0.receiver },
                    ArrayText(settlements) { $0.state.rawValue }, ArrayText(settlements) { $0.error },
                ], unableTo: "note what was sent")
        }
    }

    /// Gives up what has waited for too long.
    ///
    /// - Returns: the receiver of each.
    mutating func expire(after time: Duration) throws(PostgreSQLError) -> [String] {
        try session.ask { connection throws(PostgreSQLError) in
            try connection.query(
                """
                UPDATE notifications n SET state = 'dead', settled_at = now(), error = coalesce(error, 'it was not tried')
                  FROM episode_events e
                 WHERE n.state = 'waiting' AND e.event_id = n.event_id
                   AND e.recorded_at < now() - make_interval(secs => $1::integer)
                RETURNING n.receiver
                """, [Int(time / .seconds(1))], unableTo: "give up old notifications"
            ).column()
        }
    }

    /// What waits, by receiver: how many, and since when, in microseconds since 1970.
    mutating func backlog() throws(PostgreSQLError) -> [(receiver: String, count: Int, since: Int64)] {
        try session.ask { connection throws(PostgreSQLError) in
            try connection.query(
                """
                SELECT n.receiver, count(*) AS count, \(microseconds(of: "min(e.recorded_at)")) AS since
                  FROM notifications n JOIN episode_events e USING (event_id) WHERE n.state = 'waiting' GROUP BY 1
                """, unableTo: "count \"notifications\""
            ).map { row throws(PostgreSQLError) -> (receiver: String, count: Int, since: Int64) in
                (try row["receiver"], try row["count"], try row["since"])
            }
        }
    }

    private static let columns = """
        e.event_id, e.message_id::text AS message_id, e.event, e.episode_id, e.customer_id, e.groups, e.kind::text AS kind,
        e.severity::text AS severity, e.worst_severity::text AS worst_severity,
        (SELECT p.severity::text FROM episode_events p
          WHERE p.episode_id = e.episode_id AND p.event_id < e.event_id ORDER BY p.event_id DESC LIMIT 1) AS earlier_severity,
        \(microseconds(of: "e.recorded_at")) AS recorded, \(microseconds(of: "e.happened_at")) AS happened,
        \(microseconds(of: "e.opened_at")) AS opened, \(microseconds(of: "e.raised_at")) AS raised,
        \(microseconds(of: "e.closed_at")) AS closed, e.heart_rate, e.reason, e.person, e.note
        """
}

extension EpisodeEvent {
    /// - Throws: `PostgreSQLError` when the row has a word that is not known here.
    fileprivate init(_ row: inout PostgreSQLRow) throws(PostgreSQLError) {
        id = try row["event_id"]
        messageID = try row["message_id"]
        event = try Self.known(Event.init(rawValue:), try row["event"])
        episodeID = try row["episode_id"]
        customerID = try row["customer_id"]
        let groups: String = try row["groups"]
        self.groups = groups.split(separator: ",").map(String.init)
        kind = try Self.known({ name in EpisodeKind.allCases.first { $0.name == name } }, try row["kind"])
        severity = try Self.known(Self.severity, try row["severity"])
        worstSeverity = try Self.known(Self.severity, try row["worst_severity"])
        let earlier: String? = try row["earlier_severity"]
        earlierSeverity = earlier.flatMap(Self.severity)
        times = Times(
            recorded: try row["recorded"], happened: try row["happened"], opened: try row["opened"],
            raised: try row["raised"], closed: try row["closed"])
        heartRate = try row["heart_rate"]
        reason = try row["reason"]
        person = try row["person"]
        note = try row["note"]
    }

    private static func severity(_ name: String) -> Severity? { Severity.allCases.first { $0.name == name } }

    private static func known<Value>(_ find: (String) -> Value?, _ name: String) throws(PostgreSQLError) -> Value {
        guard let value = find(name) else {
            throw PostgreSQLError(unableTo: "read \"episode_events\"", cause: "\"\(name)\" is not known")
        }
        return value
    }
}
