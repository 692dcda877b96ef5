internal import HeartRate
internal import PostgreSQL

/// One episode: the schema "Episode" of openapi.json.
struct EpisodeItem: Encodable, Sendable {
    let episodeId: Int64
    let customerId: String
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

    /// What `init` reads, in its order.
    fileprivate static let columns =
        """
        episode_id, customer_id, kind, severity, worst_severity, \(moments), extreme_heart_rate, readings, reason, \
        acknowledged_by
        """

    private static let moments = ["opened_at", "raised_at", "last_seen_at", "closed_at", "acknowledged_at"]
        .map { "(extract(epoch FROM \($0)) * 1000000)::bigint" }.joined(separator: ", ")

    fileprivate init(_ result: borrowing PostgreSQLResult, _ row: Int) {
        func moment(_ column: Int) -> Moment? { result.integer(row, column).map { .reading($0) } }
        let never = Moment.reading(0)
        episodeId = result.integer(row, 0) ?? 0
        customerId = result[row, 1] ?? ""
        kind = result[row, 2] ?? ""
        severity = result[row, 3] ?? ""
        worstSeverity = result[row, 4] ?? ""
        openedAt = moment(5) ?? never
        raisedAt = moment(6) ?? never
        lastSeenAt = moment(7) ?? never
        _closedAt = OrNull(wrappedValue: moment(8))
        _acknowledgedAt = OrNull(wrappedValue: result.integer(row, 9).map { Moment(microseconds: $0) })
        _extremeHeartRate = OrNull(wrappedValue: result.integer(row, 10))
        readings = result.integer(row, 11) ?? 0
        reason = result[row, 12] ?? ""
        _acknowledgedBy = OrNull(wrappedValue: result[row, 13])
    }

    /// - Returns: nil when there is no such episode.
    static func find(_ id: Int64, _ connection: PostgreSQLConnection) throws(PostgreSQLError) -> EpisodeItem? {
        let result = try connection.query(
            "SELECT \(columns) FROM episodes WHERE episode_id = $1", [String(id)], unableTo: "read an episode")
        return result.count == 1 ? EpisodeItem(result, 0) : nil
    }

    /// Notes who has looked at an episode: the only statement of the dashboard that writes.
    ///
    /// Sent as one message, and so a transaction of its own: it holds the row, which the consumer writes too, for no
    /// longer than the server needs, even when this process is stopped in the middle.
    ///
    /// - Returns: whether it is done now; false when there is no such episode or somebody was quicker.
    static func acknowledge(
        _ id: Int64, by person: String, _ connection: PostgreSQLConnection
    ) throws(PostgreSQLError) -> Bool {
        let person = try connection.literal(person)
        let result = try connection.execute(
            "SET TRANSACTION READ WRITE; SELECT acknowledge_episode(\(id), \(person))",
            unableTo: "acknowledge an episode")
        return result.isTrue(0, 0)
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
        /// Not those that began at this moment or later.
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
                String(before.id))
        }
        let result = try connection.query(
            """
            SELECT \(EpisodeItem.columns) FROM episodes \(conditions.text)
             ORDER BY \(time) DESC, episode_id DESC LIMIT \(request.limit + 1)
            """, conditions.parameters, unableTo: "read episodes")
        for row in 0..<min(result.count, request.limit) { items.append(EpisodeItem(result, row)) }
        if result.count > request.limit, let last = items.last {
            let end = request.filter == .closed ? last.closedAt ?? last.openedAt : last.openedAt
            next = AnomalyPage.Cursor(recordedAt: end.microseconds, id: last.episodeId)
        }
    }
}

/// What the poller asks of episodes each second: the open ones, worst first, and how many alarms there were.
struct OpenEpisodes: Sendable {
    /// More than this nobody reads; how many there are is told all the same.
    static let mostListed = 50

    private(set) var high = 0
    private(set) var medium = 0
    private(set) var low = 0
    /// Episodes of high severity that were raised within a day.
    private(set) var alarms = 0
    /// When the last one closed, in microseconds since 1970.
    private(set) var lastClosedAt: Int64?
    private(set) var listed: [EpisodeItem] = []

    var total: Int { high + medium + low }

    init() {}

    init(_ connection: PostgreSQLConnection) throws(PostgreSQLError) {
        let figures = try connection.query(
            """
            SELECT count(*) FILTER (WHERE severity = 'high'), count(*) FILTER (WHERE severity = 'medium'),
                   count(*) FILTER (WHERE severity = 'low'),
                   (SELECT count(*) FROM episodes WHERE worst_severity = 'high' AND raised_at >= now() - interval '1 day'
                       AND raised_at <= now()),
                   (SELECT (extract(epoch FROM max(closed_at)) * 1000000)::bigint FROM episodes
                     WHERE closed_at IS NOT NULL)
              FROM episodes WHERE closed_at IS NULL
            """, unableTo: "read \"episodes\"")
        high = Int(figures.integer(0, 0) ?? 0)
        medium = Int(figures.integer(0, 1) ?? 0)
        low = Int(figures.integer(0, 2) ?? 0)
        alarms = Int(figures.integer(0, 3) ?? 0)
        lastClosedAt = figures.integer(0, 4)
        guard total > 0 else { return }
        let list = try connection.query(
            """
            SELECT \(EpisodeItem.columns) FROM episodes WHERE closed_at IS NULL
             ORDER BY severity DESC, acknowledged_at IS NOT NULL, opened_at, episode_id LIMIT \(Self.mostListed)
            """, unableTo: "read \"episodes\"")
        for row in 0..<list.count { listed.append(EpisodeItem(list, row)) }
    }
}
