internal import PostgreSQL

/// What happened in a time, for who takes over: one row for each customer with an episode.
struct Report: Sendable {
    /// More customers are not listed, and of more customers no rates are looked up.
    static let mostCustomers = 1000
    static let mostRates = 60
    private static let mostNotes = 500

    /// One customer's episodes: the schema "ReportItem" of openapi.json.
    struct Item: Encodable, Sendable {
        let customerId: CustomerKey
        let episodes: Int64
        let high: Int64
        let medium: Int64
        let low: Int64
        /// Of high severity, that nobody has acknowledged.
        let unseen: Int64
        let longestSeconds: Int64
        @OrNull var medianSecondsToAcknowledge: Int64?
        let secondsWithoutSignal: Int64
        @OrNull var lowest: Int64? = nil
        @OrNull var median: Int64? = nil
        @OrNull var highest: Int64? = nil
    }

    /// What somebody did, or said.
    struct Note: Encodable, Sendable {
        let customerId: CustomerKey
        let at: Moment
        let by: String
        let action: String
        @OrNull var note: String?
        /// Of limits, a pause and groups: what was set before, and what is set.
        @OrNull var oldValue: String?
        @OrNull var newValue: String?
    }

    private(set) var items: [Item] = []
    private(set) var notes: [Note] = []
    private(set) var customers: Int64 = 0
    private(set) var alarms: [AlarmLoad] = []
    /// For how much of the time messages were counted, in seconds.
    private(set) var watchedSeconds: Int64 = 0

    /// - Parameters:
    ///   - customer: this one alone; nil for everybody.
    ///   - group: only its customers.
    init(
        of customer: CustomerKey?, group: String?, in range: TimeRange, _ connection: PostgreSQLConnection
    ) throws(PostgreSQLError) {
        let parameters: [any PostgreSQLParameter] = [customer?.text ?? ""] + range.parameters + [group ?? ""]
        let totals = try connection.query(
            """
            SELECT (SELECT count(*) FROM customer_state WHERE \(Self.whose)) AS customers,
                   (SELECT floor(extract(epoch FROM least(now(), $3::timestamptz)
                                                    - greatest(min(logged_at), $2::timestamptz)))::bigint
                      FROM pipeline_log) AS watched
            """, parameters, unableTo: "count a report")
        try totals.forEach { row throws(PostgreSQLError) in
            customers = try row["customers"]
            let watched: Int64? = try row["watched"]
            watchedSeconds = max(0, watched ?? 0)
        }
        items = try Self.items(parameters, connection)
        notes = try Self.notes(parameters, connection)
        alarms = try AlarmLoad.list(of: Self.whose, parameters, connection)
    }

    /// The condition of SQL for whom the report is about, by parameters 1 and 4.
    private static let whose = "$1 IN ('', customer_id) AND \(Groups.condition(4))"

    private static func items(
        _ parameters: [any PostgreSQLParameter], _ connection: PostgreSQLConnection
    ) throws(PostgreSQLError) -> [Item] {
        let result = try connection.query(
            """
            SELECT customer_id, count(*) AS episodes, count(*) FILTER (WHERE worst_severity = 'high') AS high,
                   count(*) FILTER (WHERE worst_severity = 'medium') AS medium,
                   count(*) FILTER (WHERE worst_severity = 'low') AS low,
                   count(*) FILTER (WHERE worst_severity = 'high'
                       AND (unseen_severity = 'high' OR acknowledged_at IS NULL)) AS unseen,
                   coalesce(max(seconds), 0) AS longest,
                   percentile_disc(0.5) WITHIN GROUP (ORDER BY answered) AS answered,
                   coalesce(sum(seconds) FILTER (WHERE kind::text IN (\(Status.technicalKinds))), 0)::bigint AS silent
              FROM (SELECT e.*, greatest(0, floor(extract(epoch FROM least(coalesce(closed_at, now()), $3::timestamptz)
                                                     - greatest(opened_at, $2::timestamptz))))::bigint AS seconds,
                           (SELECT CASE WHEN count(*) > 0
                                        THEN greatest(0, floor(extract(epoch FROM min(acted_at) - e.raised_at)))::bigint
                                   END FROM care_log AS c
                             WHERE c.customer_id = e.customer_id AND c.episode_id = e.episode_id
                               AND action = 'acknowledged') AS answered
                      FROM episodes AS e
                     WHERE opened_at < $3::timestamptz AND (closed_at IS NULL OR closed_at >= $2::timestamptz)
                       AND \(whose)) AS seen
             GROUP BY customer_id ORDER BY high DESC, episodes DESC, customer_id LIMIT \(mostCustomers)
            """, parameters, unableTo: "read a report")
        return try result.map { row throws(PostgreSQLError) in
            Item(
                customerId: try row["customer_id"], episodes: try row["episodes"], high: try row["high"],
                medium: try row["medium"], low: try row["low"], unseen: try row["unseen"],
                longestSeconds: try row["longest"], medianSecondsToAcknowledge: try row["answered"],
                secondsWithoutSignal: try row["silent"])
        }
    }

    private static func notes(
        _ parameters: [any PostgreSQLParameter], _ connection: PostgreSQLConnection
    ) throws(PostgreSQLError) -> [Note] {
        let result = try connection.query(
            """
            SELECT customer_id, \(microseconds(of: "acted_at")) AS acted_us, person, action, note, old_value, new_value
              FROM care_log
             WHERE acted_at >= $2::timestamptz AND acted_at < $3::timestamptz AND \(whose)
               AND ($1 <> '' OR note IS NOT NULL OR action NOT IN ('acknowledged', 'undid'))
             ORDER BY care_id DESC LIMIT \(mostNotes)
            """, parameters, unableTo: "read notes")
        return try result.map { row throws(PostgreSQLError) in
            let at: Int64 = try row["acted_us"]
            return Note(
                customerId: try row["customer_id"], at: Moment(microseconds: at), by: try row["person"],
                action: try row["action"], note: try row["note"], oldValue: try row["old_value"],
                newValue: try row["new_value"])
        }
    }

    /// Adds the lowest, the median and the highest rate of each customer.
    mutating func addRates(in range: TimeRange, _ connection: PostgreSQLConnection) throws(PostgreSQLError) {
        let result = try connection.query(
            """
            SELECT customer_id, min(heart_rate) AS lowest, max(heart_rate) AS highest,
                   percentile_disc(0.5) WITHIN GROUP (ORDER BY heart_rate) AS median
              FROM readings WHERE customer_id = ANY ($1::text[]) AND \(TimeRange.condition) GROUP BY customer_id
            """, [ArrayText(items.map(\.customerId))] + range.parameters, unableTo: "read rates")
        let places = Dictionary(uniqueKeysWithValues: items.enumerated().map { ($1.customerId, $0) })
        try result.forEach { row throws(PostgreSQLError) in
            let id: CustomerKey = try row["customer_id"]
            guard let place = places[id] else { return }
            items[place].lowest = try row["lowest"]
            items[place].median = try row["median"]
            items[place].highest = try row["highest"]
        }
    }
}
