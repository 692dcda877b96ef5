public import PostgreSQL

/// Looks into the sealed days: whether the readings in them are those that were sealed, and whether the roll-ups are those of
/// the readings. It reads all of them.
public struct SealVerification: Sendable {
    /// What a day's seals and its readings do not agree about.
    public struct Finding: Sendable {
        /// As `2026-08-25`.
        public let day: String
        /// The row in `kafka_offsets`; 0 for readings that came from no message.
        public let sourceID: Int64
        /// What is wrong.
        public let text: String
    }

    /// What a day's roll-ups and its readings do not agree about.
    public struct RollupFinding: Sendable {
        /// As `2026-08-25`.
        public let day: String
        /// Whose they are.
        public let customerID: String
        /// The first thing that is wrong.
        public let text: String
    }

    /// How many days were looked into.
    public let days: Int
    /// Nothing when every reading is as it was sealed.
    public let findings: [Finding]
    /// Nothing when every roll-up is that of its readings.
    public let rollupFindings: [RollupFinding]

    /// Looks into one day after the other, each by itself: maintenance may go on meanwhile.
    ///
    /// - Parameter connection: a session with `SessionParameters.verify`.
    /// - Throws: `PostgreSQLError`.
    public init(_ connection: PostgreSQLConnection) throws(PostgreSQLError) {
        let days: [String] = try connection.query(
            """
            SELECT day::text FROM (SELECT day FROM seals UNION
                                   SELECT (block_at AT TIME ZONE 'UTC')::date FROM sealed_readings) AS known (day)
             ORDER BY day
            """, unableTo: "list the sealed days"
        ).column()
        var findings: [Finding] = []
        var rollupFindings: [RollupFinding] = []
        for day in days {
            findings += try connection.query(
                "SELECT source_id, finding FROM check_seals($1::date)", [day], unableTo: "look into \(day)"
            ).map { row throws(PostgreSQLError) in
                Finding(day: day, sourceID: try row["source_id"], text: try row["finding"])
            }
            rollupFindings += try connection.query(
                "SELECT customer_id, finding FROM check_rollups($1::date)", [day],
                unableTo: "look into the roll-ups of \(day)"
            ).map { row throws(PostgreSQLError) in
                RollupFinding(day: day, customerID: try row["customer_id"], text: try row["finding"])
            }
        }
        self.days = days.count
        self.findings = findings
        self.rollupFindings = rollupFindings
    }
}
