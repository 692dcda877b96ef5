internal import PostgreSQL

/// A change of an episode: the schema "EpisodeChange" of openapi.json.
struct EpisodeChange: Encodable, Sendable {
    /// More are not drawn.
    private static let most = 2000

    let episodeId: Int64
    let changedAt: Moment
    let change: String
    /// After the change.
    let severity: String

    /// The changes of a customer's episodes that were open in a time, oldest first.
    static func list(
        of customer: CustomerKey, in range: TimeRange, _ connection: PostgreSQLConnection
    ) throws(PostgreSQLError) -> [EpisodeChange] {
        let result = try connection.query(
            """
            SELECT episode_id, \(microseconds(of: "changed_at")) AS changed_us, change, c.severity
              FROM episode_changes AS c JOIN episodes USING (episode_id)
             WHERE customer_id = $1 AND opened_at < $3::timestamptz AND (closed_at IS NULL OR closed_at >= $2::timestamptz)
             ORDER BY changed_at, episode_id LIMIT \(most)
            """, [customer] + range.parameters, unableTo: "read \"episode_changes\"")
        return try result.map { row throws(PostgreSQLError) in
            EpisodeChange(
                episodeId: try row["episode_id"], changedAt: .reading(try row["changed_us"]), change: try row["change"],
                severity: try row["severity"])
        }
    }
}
