internal import PostgreSQL

/// What happened to an episode, as it was then: the schema "EpisodeEvent" of openapi.json, and what the notifier's webhook has.
struct EpisodeEventItem: Encodable, Sendable {
    let eventId: Int64
    let messageId: String
    let event: String
    let recordedAt: Moment
    let happenedAt: Moment
    let episodeId: Int64
    let customerId: CustomerKey
    let groups: [String]
    let kind: String
    let severity: String
    let worstSeverity: String
    let openedAt: Moment
    let raisedAt: Moment
    @OrNull var closedAt: Moment?
    @OrNull var heartRate: Int64?
    let reason: String
    @OrNull var person: String?
    @OrNull var note: String?

    private init(_ row: inout PostgreSQLRow) throws(PostgreSQLError) {
        eventId = try row["event_id"]
        messageId = try row["message_id"]
        event = try row["event"]
        recordedAt = Moment(microseconds: try row["recorded_us"])
        happenedAt = .reading(try row["happened_us"])
        episodeId = try row["episode_id"]
        customerId = try row["customer_id"]
        let groups: String = try row["groups"]
        self.groups = groups.split(separator: ",").map(String.init)
        kind = try row["kind"]
        severity = try row["severity"]
        worstSeverity = try row["worst_severity"]
        openedAt = .reading(try row["opened_us"])
        raisedAt = .reading(try row["raised_us"])
        let closed: Int64? = try row["closed_us"]
        _closedAt = OrNull(wrappedValue: closed.map { .reading($0) })
        _heartRate = OrNull(wrappedValue: try row["heart_rate"])
        reason = try row["reason"]
        _person = OrNull(wrappedValue: try row["person"])
        _note = OrNull(wrappedValue: try row["note"])
    }

    /// Events by their numbers, the first of them.
    static func list(
        after: Int64, upTo last: Int64 = .max, limit: Int, _ connection: PostgreSQLConnection
    ) throws(PostgreSQLError) -> [EpisodeEventItem] {
        let moments = ["recorded", "happened", "opened", "raised", "closed"]
            .map { "\(microseconds(of: "\($0)_at")) AS \($0)_us" }.joined(separator: ", ")
        let result = try connection.query(
            """
            SELECT event_id, message_id::text AS message_id, event, \(moments), episode_id, customer_id, groups,
                   kind::text AS kind, severity::text AS severity, worst_severity::text AS worst_severity, heart_rate,
                   reason, person, note
              FROM episode_events WHERE event_id > $1::bigint AND event_id <= $2::bigint AND event <> 'test'
             ORDER BY event_id LIMIT \(limit)
            """, [after, last], unableTo: "read \"episode_events\"")
        return try result.map { row throws(PostgreSQLError) in try EpisodeEventItem(&row) }
    }

    /// The number before the first of the latest events.
    static func startOfLatest(_ count: Int, _ connection: PostgreSQLConnection) throws(PostgreSQLError) -> Int64 {
        try connection.query(
            """
            SELECT coalesce(min(event_id) - 1, 0)
              FROM (SELECT event_id FROM episode_events ORDER BY event_id DESC LIMIT \(count)) AS latest
            """, unableTo: "read \"episode_events\""
        ).value()
    }

    /// The number of the oldest transaction that has not ended, and that of the next one to begin.
    static func transactions(
        _ connection: PostgreSQLConnection
    ) throws(PostgreSQLError) -> (oldest: Int64, next: Int64) {
        let found = try connection.query(
            """
            SELECT pg_snapshot_xmin(s)::text::bigint AS oldest,
                   pg_snapshot_xmax(s)::text::bigint + age(pg_snapshot_xmax(s)::xid) AS next
              FROM pg_current_snapshot() AS s
            """, unableTo: "look at transactions"
        ).first { row throws(PostgreSQLError) -> (oldest: Int64, next: Int64) in
            (try row["oldest"], try row["next"])
        }
        return found ?? (0, .max)
    }
}
