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
    /// What the acknowledgement was given for.
    @OrNull var acknowledgedSeverity: String?
    @OrNull var acknowledgedNote: String?
    /// How bad it was at worst since somebody saw it.
    @OrNull var unseenSeverity: String?
    /// When that was so first.
    @OrNull var alarmedAt: Moment?
    let attention: Attention

    private static let columns =
        """
        episode_id, customer_id, kind, severity, worst_severity, \(moments), extreme_heart_rate, readings, reason, \
        acknowledged_by, acknowledged_severity, acknowledged_note, unseen_severity
        """

    private static let moments = ["opened", "raised", "last_seen", "closed", "acknowledged", "alarmed"]
        .map { "\(microseconds(of: "\($0)_at")) AS \($0)_us" }.joined(separator: ", ")

    private init(_ row: inout PostgreSQLRow, at clock: AlarmClock) throws(PostgreSQLError) {
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
        _acknowledgedSeverity = OrNull(wrappedValue: try row["acknowledged_severity"])
        _acknowledgedNote = OrNull(wrappedValue: try row["acknowledged_note"])
        let unseen: String? = try row["unseen_severity"]
        _unseenSeverity = OrNull(wrappedValue: unseen)
        let alarmedAt: Int64? = try row["alarmed_us"]
        _alarmedAt = OrNull(wrappedValue: alarmedAt.map { Moment(microseconds: $0) })
        let isReminded = severity == "high" && clock.reminds(of: acknowledgedAt)
        attention =
            switch (closedAt, unseen) {
            case (.some, "high"): .ended
            case (.some, _): .none
            case (nil, nil): isReminded ? .reminder : .seen
            case (nil, "high") where severity != "high": .eased
            case (nil, .some): .new
            }
    }

    /// Episodes by a query for their rows.
    static func list(
        _ query: String, with parameters: [any PostgreSQLParameter] = [], at clock: AlarmClock,
        _ connection: PostgreSQLConnection
    ) throws(PostgreSQLError) -> [EpisodeItem] {
        let result = try connection.query(
            "SELECT \(columns) FROM (\(query)) AS episodes", parameters, unableTo: "read \"episodes\"")
        return try result.map { row throws(PostgreSQLError) in
            try EpisodeItem(&row, at: clock)
        }
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

    init(
        _ request: EpisodeRequest, at clock: AlarmClock, _ connection: PostgreSQLConnection
    ) throws(PostgreSQLError) {
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
        items = try EpisodeItem.list(
            """
            SELECT * FROM episodes \(conditions.text)
             ORDER BY \(time) DESC, episode_id DESC LIMIT \(request.limit + 1)
            """, with: conditions.parameters, at: clock, connection)
        guard items.count > request.limit else { return }
        items.removeLast()
        if let last = items.last {
            let end = request.filter == .closed ? last.closedAt ?? last.openedAt : last.openedAt
            next = AnomalyPage.Cursor(recordedAt: end.microseconds, id: last.episodeId)
        }
    }
}
