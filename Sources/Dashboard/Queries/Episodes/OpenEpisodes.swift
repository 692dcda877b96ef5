internal import PostgreSQL

/// What the poller asks of episodes each second: whatever asks something of a person, and how many alarms there were.
struct OpenEpisodes: Sendable {
    /// More are not looked at; the most severe are, and of these the latest.
    private static let most = 20_000

    private(set) var high = 0
    private(set) var medium = 0
    private(set) var low = 0
    /// Episodes of high severity that were raised within a day.
    private(set) var alarms = 0
    /// For how much of the last day messages have been counted, in microseconds.
    private(set) var watched: Int64 = 0
    /// When the last one closed, in microseconds since 1970.
    private(set) var lastClosedAt: Int64?
    /// By customer, as far as something is open, ended unseen, or paused.
    private(set) var standings: [CustomerKey: Standing] = [:]

    var total: Int { high + medium + low }

    /// Alarms of each of these customers in a day, at the rate of the time that was watched; nil when that was short.
    func load(of customers: Int) -> Double? {
        guard customers > 0, watched >= 600_000_000 else { return nil }
        return Double(alarms) / Double(customers) / (Double(watched) / 86_400_000_000)
    }

    init() {}

    init(at clock: AlarmClock, _ connection: PostgreSQLConnection) throws(PostgreSQLError) {
        let figures = try connection.query(
            """
            SELECT count(*) FILTER (WHERE severity = 'high') AS high,
                   count(*) FILTER (WHERE severity = 'medium') AS medium,
                   count(*) FILTER (WHERE severity = 'low') AS low,
                   (SELECT count(*) FROM episode_changes
                     WHERE severity = 'high' AND change IN ('opened', 'escalated')
                       AND changed_at >= now() - interval '1 day' AND changed_at <= now()) AS alarms,
                   (SELECT \(microseconds(of: "max(closed_at)")) FROM episodes
                     WHERE closed_at IS NOT NULL) AS last_closed_us,
                   (SELECT \(microseconds(of: "min(logged_at)")) FROM pipeline_log) AS first_us
              FROM episodes WHERE closed_at IS NULL
            """, unableTo: "read \"episodes\"")
        try figures.forEach { row throws(PostgreSQLError) in
            high = try row["high"]
            medium = try row["medium"]
            low = try row["low"]
            alarms = try row["alarms"]
            lastClosedAt = try row["last_closed_us"]
            let first: Int64? = try row["first_us"]
            watched = min(86_400_000_000, max(0, clock.now - (first ?? clock.now)))
        }
        let items = try EpisodeItem.list(
            """
            (SELECT * FROM episodes WHERE closed_at IS NULL
              ORDER BY severity DESC, alarmed_at DESC NULLS LAST LIMIT \(Self.most))
            UNION ALL
            (SELECT * FROM episodes WHERE closed_at IS NOT NULL AND unseen_severity = 'high'
              ORDER BY closed_at DESC LIMIT \(Self.most))
            """, at: clock, connection)
        let pauses = try Self.pauses(connection)
        standings = Dictionary(grouping: items, by: \.customerId).reduce(into: [:]) { standings, each in
            standings[each.key] = Standing(each.value, pause: pauses[each.key])
        }
        for (customer, pause) in pauses where standings[customer] == nil {
            standings[customer] = Standing([], pause: pause)
        }
    }

    /// - Parameter customer: whose alone; nil for everybody's.
    private static func pauses(
        of customer: CustomerKey? = nil, _ connection: PostgreSQLConnection
    ) throws(PostgreSQLError) -> [CustomerKey: Standing.Pause] {
        let result = try connection.query(
            """
            SELECT customer_id, \(microseconds(of: "paused_until")) AS until_us, paused_by FROM customer_pauses
             WHERE paused_until > now() AND $1 IN ('', customer_id) ORDER BY paused_until DESC LIMIT \(most)
            """, [customer?.text ?? ""], unableTo: "read \"customer_pauses\"")
        var pauses: [CustomerKey: Standing.Pause] = [:]
        try result.forEach { row throws(PostgreSQLError) in
            let until: Int64 = try row["until_us"]
            pauses[try row["customer_id"]] = Standing.Pause(
                until: Moment(microseconds: until), by: try row["paused_by"])
        }
        return pauses
    }

    /// How one customer stands, asked for alone.
    static func standing(
        of customer: CustomerKey, at clock: AlarmClock, _ connection: PostgreSQLConnection
    ) throws(PostgreSQLError) -> Standing {
        let episodes = try EpisodeItem.list(
            """
            SELECT * FROM episodes WHERE customer_id = $1
               AND (closed_at IS NULL OR unseen_severity = 'high') LIMIT 100
            """, with: [customer], at: clock, connection)
        return Standing(episodes, pause: try pauses(of: customer, connection)[customer])
    }
}
