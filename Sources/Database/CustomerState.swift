public import PostgreSQL
import Schema

/// What the database keeps of one customer for detection.
public struct CustomerState: Sendable {
    /// How many readings there were.
    public let readings: Int
    /// How many of them were anomalies.
    public let anomalies: Int
    /// The customer's own limits and profile, in words; nil without.
    public let limits: String?
    /// The days of which there are roll-ups, in words; nil without.
    public let rollups: String?
    /// Where detection goes on, in the program's own form; nil when nothing was detected yet.
    public let detector: [UInt8]?

    /// Reads a customer's; nil when there is no such customer.
    ///
    /// - Throws: `PostgreSQLError`.
    public init?(of id: String, _ parameters: [String: String]) throws(PostgreSQLError) {
        let connection = try PostgreSQLConnection(parameters, .status)
        let rows = try connection.query(
            """
            SELECT s.readings, s.anomalies, s.detector,
                   nullif(concat_ws(', ', 'profile ' || l.profile, 'from ' || l.heart_rate_min || ' bpm',
                                    'to ' || l.heart_rate_max || ' bpm'), '') AS limits,
                   (SELECT min(day) || ' to ' || max(day) || ', ' || count(*) || ' days' FROM customer_rollups r
                     WHERE r.customer_id = s.customer_id AND width = 1440) AS rollups
              FROM customer_state s LEFT JOIN customer_limits l USING (customer_id) WHERE s.customer_id = $1
            """, [id], unableTo: "read a customer's state")
        let states = try rows.map { row throws(PostgreSQLError) in
            (
                try row["readings"] as Int, try row["anomalies"] as Int, try row["limits"] as String?,
                try row["rollups"] as String?, try row["detector"] as [UInt8]?
            )
        }
        guard let state = states.first else { return nil }
        (readings, anomalies, limits, rollups, detector) = state
    }
}
