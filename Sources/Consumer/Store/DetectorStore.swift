import HeartRate
import PostgreSQL

extension ReadingStore {
    /// A customer's limits, the own ones before those of the profile, and when the last reading was.
    private static let limits = """
        coalesce(l.heart_rate_min, p.heart_rate_min) AS heart_rate_min,
        coalesce(l.heart_rate_max, p.heart_rate_max) AS heart_rate_max, p.rest_min, p.rest_max,
        l.is_continuous, (extract(epoch FROM s.recorded_at) * 1000000)::bigint AS last_microseconds
        """

    /// The detectors of customers, in the same order; new ones where nothing is stored.
    func detectors(of ids: ArrayText) throws(PostgreSQLError) -> [StoredDetector] {
        let rows = try connection.query(
            """
            SELECT c.id, s.detector, \(Self.limits)
              FROM unnest($1::text[]) WITH ORDINALITY AS c (id, place)
              LEFT JOIN customer_state s ON s.customer_id = c.id
              LEFT JOIN customer_limits l ON l.customer_id = c.id
              LEFT JOIN limit_profiles p USING (profile)
             ORDER BY c.place
            """, [ids], unableTo: "read the detectors of customers")
        return try stored(rows)
    }

    /// The detectors of those who had readings in these sources within the last week, or have something open that only
    /// silence ends, in the order of their ids: somebody who falls silent while no consumer runs has to be noticed, too.
    ///
    /// - Parameter last: the id after which to go on; an answer without anybody is the end.
    func watchedDetectors(sources: [Int32], after last: String) throws(PostgreSQLError) -> [StoredDetector] {
        let rows = try connection.query(
            """
            SELECT s.customer_id AS id, s.detector, \(Self.limits)
              FROM customer_state s LEFT JOIN customer_limits l USING (customer_id)
              LEFT JOIN limit_profiles p USING (profile)
             WHERE s.source_id = ANY ($1::integer[]) AND s.detector IS NOT NULL AND s.customer_id > $2
               AND (s.stored_at > now() - interval '7 days'
                    OR EXISTS (SELECT FROM episodes e WHERE e.customer_id = s.customer_id AND e.closed_at IS NULL
                                  AND e.kind IN ('signal loss', '0 bpm reported')))
             ORDER BY s.customer_id LIMIT 10000
            """,
            [ArrayText(sources), last], unableTo: "read the detectors of those who are watched")
        return try stored(rows)
    }

    /// What differs as soon as somebody has set limits.
    func limitsVersion() throws(PostgreSQLError) -> Int64 {
        try connection.execute("SELECT version FROM limits_version", unableTo: "read \"limits_version\"").value()
    }

    private func stored(_ rows: borrowing PostgreSQLResult) throws(PostgreSQLError) -> [StoredDetector] {
        try rows.map { row throws(PostgreSQLError) in
            let id: String = try row["id"]
            let state: [UInt8]? = try row["detector"]
            let detector = state.flatMap { Detector(checkpoint: $0) }
            let isContinuous: Bool? = try row["is_continuous"]
            let limits = CustomerLimits(
                heartRateMin: try row["heart_rate_min"], heartRateMax: try row["heart_rate_max"],
                restMin: try row["rest_min"], restMax: try row["rest_max"], isContinuous: isContinuous ?? false)
            let microseconds: Int64? = try row["last_microseconds"]
            let last = microseconds.map { Instant(microsecondsSince1970: $0) }
            return StoredDetector(
                id: id, detector: detector ?? (state == nil ? nil : last).map { Detector(after: $0) } ?? Detector(),
                limits: limits, isUnreadable: state != nil && detector == nil)
        }
    }
}
