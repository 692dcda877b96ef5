internal import HeartRate
internal import PostgreSQL

/// One episode: the schema "Episode" of openapi.json.
struct EpisodeItem: Encodable, Sendable {
    let episodeId: Int64
    let customerId: CustomerKey
    let kind: String
    let severity: String
    let worstSeverity: String
    let openedAt: Moment
    let raisedAt: Moment
    let lastSeenAt: Moment
    @OrNull var closedAt: Moment?
    @OrNull var extremeHeartRate: Int64?
    let readings: Int64
    let reason: String
    @OrNull var acknowledgedAt: Moment?
    @OrNull var acknowledgedBy: String?

    /// What `init` reads.
    fileprivate static let columns =
        """
        episode_id, customer_id, kind, severity, worst_severity, \(moments), extreme_heart_rate, readings, reason, \
        acknowledged_by
        """

    private static let moments = ["opened", "raised", "last_seen", "closed", "acknowledged"]
        .map { "\(microseconds(of: "\($0)_at")) AS \($0)_us" }.joined(separator: ", ")

    fileprivate init(_ row: inout PostgreSQLRow) throws(PostgreSQLError) {
        episodeId = try row["episode_id"]
        customerId = try row["customer_id"]
        kind = try row["kind"]
        severity = try row["severity"]
        worstSeverity = try row["worst_severity"]
        openedAt = .reading(try row["opened_us"])
        raisedAt = .reading(try row["raised_us"])
        lastSeenAt = .reading(try row["last_seen_us"])
        let closedAt: Int64? = try row["closed_us"]
        _closedAt = OrNull(wrappedValue: closedAt.map { .reading($0) })
        let acknowledgedAt: Int64? = try row["acknowledged_us"]
        _acknowledgedAt = OrNull(wrappedValue: acknowledgedAt.map { Moment(microseconds: $0) })
        _extremeHeartRate = OrNull(wrappedValue: try row["extreme_heart_rate"])
        readings = try row["readings"]
        reason = try row["reason"]
        _acknowledgedBy = OrNull(wrappedValue: try row["acknowledged_by"])
    }

    /// - Returns: nil when there is no such episode.
    static func find(_ id: Int64, _ connection: PostgreSQLConnection) throws(PostgreSQLError) -> EpisodeItem? {
        let result = try connection.query(
            "SELECT \(columns) FROM episodes WHERE episode_id = $1", [id], unableTo: "read an episode")
        return try result.first { row throws(PostgreSQLError) in try EpisodeItem(&row) }
    }

    /// Notes who has looked at an episode: the only statement of the dashboard that writes.
    ///
    /// Sent as one message, and so a transaction of its own: it holds the row, which the consumer writes too, for no
    /// longer than the server needs, even when this process is stopped in the middle.
    ///
    /// - Returns: whether it is done now; false when there is no such episode or somebody else was first.
    static func acknowledge(
        _ id: Int64, by person: String, _ connection: PostgreSQLConnection
    ) throws(PostgreSQLError) -> Bool {
        let person = try connection.literal(person)
        return try connection.execute(
            "SET TRANSACTION READ WRITE; SELECT acknowledge_episode(\(id), \(person))",
            unableTo: "acknowledge an episode"
        ).value()
    }
}

/// A page of episodes, newest first.
struct EpisodePage: Sendable {
    enum Filter: String, Sendable, CaseIterable { case open, closed, all }

    /// Which episodes.
    struct EpisodeRequest: Sendable {
        var filter = Filter.all
        /// At least this: now of an open one, at its worst of a closed one.
        var severity: Severity?
        var kind: EpisodeKind?
        var customer: String?
        /// Not those that ended before.
        var from: Int64?
        /// Not those that opened at this moment or later.
        var until: Int64?
        var limit: Int
        var before: AnomalyPage.Cursor?
    }

    private(set) var items: [EpisodeItem] = []
    private(set) var next: AnomalyPage.Cursor?

    init(_ request: EpisodeRequest, _ connection: PostgreSQLConnection) throws(PostgreSQLError) {
        // Who looks at closed ones wants to see first what ended last.
        let time = request.filter == .closed ? "closed_at" : "opened_at"
        var conditions = WhereClause()
        switch request.filter {
        case .open: conditions.add("closed_at IS NULL")
        case .closed: conditions.add("closed_at IS NOT NULL")
        case .all: break
        }
        if let customer = request.customer { conditions.add("customer_id = ?", customer) }
        if let kind = request.kind { conditions.add("kind = ?::episode_kind", kind.name) }
        if let severity = request.severity {
            conditions.add(
                "CASE WHEN closed_at IS NULL THEN severity ELSE worst_severity END >= ?::episode_severity",
                severity.name)
        }
        if let from = request.from {
            conditions.add("(closed_at IS NULL OR closed_at >= ?::timestamptz)", Moment.reading(from).text)
        }
        if let until = request.until { conditions.add("opened_at < ?::timestamptz", Moment.reading(until).text) }
        if let before = request.before {
            conditions.add(
                "(\(time), episode_id) < (?::timestamptz, ?::bigint)", Moment.reading(before.recordedAt).text,
                before.id)
        }
        let result = try connection.query(
            """
            SELECT \(EpisodeItem.columns) FROM episodes \(conditions.text)
             ORDER BY \(time) DESC, episode_id DESC LIMIT \(request.limit + 1)
            """, conditions.parameters, unableTo: "read episodes")
        items = try result.map { row throws(PostgreSQLError) in try EpisodeItem(&row) }
        guard items.count > request.limit else { return }
        items.removeLast()
        if let last = items.last {
            let end = request.filter == .closed ? last.closedAt ?? last.openedAt : last.openedAt
            next = AnomalyPage.Cursor(recordedAt: end.microseconds, id: last.episodeId)
        }
    }
}

/// What the poller asks of episodes each second: the open ones, worst first, and how many alarms there were.
struct OpenEpisodes: Sendable {
    /// Nobody reads more than this; the page says how many there are.
    static let mostListed = 50

    private(set) var high = 0
    private(set) var medium = 0
    private(set) var low = 0
    /// How often an episode became of high severity within a day.
    private(set) var alarms = 0
    /// When the last one closed, in microseconds since 1970.
    private(set) var lastClosedAt: Int64?
    private(set) var listed: [EpisodeItem] = []

    var total: Int { high + medium + low }

    init() {}

    init(_ connection: PostgreSQLConnection) throws(PostgreSQLError) {
        let figures = try connection.query(
            """
            SELECT count(*) FILTER (WHERE severity = 'high') AS high,
                   count(*) FILTER (WHERE severity = 'medium') AS medium,
                   count(*) FILTER (WHERE severity = 'low') AS low,
                   (SELECT count(*) FROM episode_changes
                     WHERE severity = 'high' AND change IN ('opened', 'escalated')
                       AND changed_at >= now() - interval '1 day' AND changed_at <= now()) AS alarms,
                   (SELECT \(microseconds(of: "max(closed_at)")) FROM episodes
                     WHERE closed_at IS NOT NULL) AS last_closed_us
              FROM episodes WHERE closed_at IS NULL
            """, unableTo: "read \"episodes\"")
        try figures.forEach { row throws(PostgreSQLError) in
            high = try row["high"]
            medium = try row["medium"]
            low = try row["low"]
            alarms = try row["alarms"]
            lastClosedAt = try row["last_closed_us"]
        }
        guard total > 0 else { return }
        let list = try connection.query(
            """
            SELECT \(EpisodeItem.columns) FROM episodes WHERE closed_at IS NULL
             ORDER BY severity DESC, acknowledged_at IS NOT NULL, opened_at, episode_id LIMIT \(Self.mostListed)
            """, unableTo: "read \"episodes\"")
        listed = try list.map { row throws(PostgreSQLError) in try EpisodeItem(&row) }
    }
}
