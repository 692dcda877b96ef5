internal import PostgreSQL

/// How many alarms of a kind there were: episodes that became of high severity, at the time when people were told, or when it
/// happened where nobody was.
struct AlarmLoad: Encodable, Sendable {
    let kind: String
    let alarms: Int64
    /// Of how many people were told.
    let told: Int64
    let acknowledged: Int64
    let customers: Int64

    /// The kinds of a time, the most frequent first.
    ///
    /// - Parameters:
    ///   - whose: the condition of SQL for whom it is about, by parameters 1 and 4.
    ///   - parameters: a customer's id, or an empty text for everybody; the times; and a group, or an empty text.
    static func list(
        of whose: String, _ parameters: [any PostgreSQLParameter], _ connection: PostgreSQLConnection
    ) throws(PostgreSQLError) -> [AlarmLoad] {
        let result = try connection.query(
            """
            SELECT kind::text AS kind, count(*) AS alarms, count(told_at) AS told,
                   count(*) FILTER (WHERE acknowledged_at IS NOT NULL) AS acknowledged,
                   count(DISTINCT customer_id) AS customers
              FROM episode_changes JOIN episodes USING (episode_id)
             WHERE episode_changes.severity = 'high' AND change IN ('opened', 'escalated')
               AND coalesce(told_at, changed_at) >= $2::timestamptz
               AND coalesce(told_at, changed_at) < $3::timestamptz AND \(whose)
             GROUP BY kind ORDER BY alarms DESC, kind
            """, parameters, unableTo: "count alarms")
        return try result.map { row throws(PostgreSQLError) in
            AlarmLoad(
                kind: try row["kind"], alarms: try row["alarms"], told: try row["told"],
                acknowledged: try row["acknowledged"], customers: try row["customers"])
        }
    }
}
