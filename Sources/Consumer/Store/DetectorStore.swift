import HeartRate
import PostgreSQL

extension ReadingStore {
    /// The detectors of customers, in the same order; new ones where nothing is stored.
    func detectors(of ids: ArrayText) throws(PostgreSQLError) -> [StoredDetector] {
        let rows = try connection.query(
            """
            SELECT c.id, s.detector, l.heart_rate_min, l.heart_rate_max
              FROM unnest($1::text[]) WITH ORDINALITY AS c (id, place)
              LEFT JOIN customer_state s ON s.customer_id = c.id
              LEFT JOIN customer_limits l ON l.customer_id = c.id
             ORDER BY c.place
            """, [ids], unableTo: "read the detectors of customers")
        return try stored(rows)
    }

    /// The detectors of those who had readings in these sources within the last hour, the latest first: somebody who falls
    /// silent while no consumer runs has to be noticed, too.
    func recentDetectors(sources: [Int32], most: Int) throws(PostgreSQLError) -> [StoredDetector] {
        let rows = try connection.query(
            """
            SELECT s.customer_id AS id, s.detector, l.heart_rate_min, l.heart_rate_max
              FROM customer_state s LEFT JOIN customer_limits l USING (customer_id)
             WHERE s.source_id = ANY ($1::integer[]) AND s.detector IS NOT NULL
               AND s.stored_at > now() - interval '1 hour'
             ORDER BY s.stored_at DESC LIMIT $2::integer
            """,
            [ArrayText(sources), most], unableTo: "read the detectors of recent customers")
        return try stored(rows)
    }

    private func stored(_ rows: borrowing PostgreSQLResult) throws(PostgreSQLError) -> [StoredDetector] {
        try rows.map { row throws(PostgreSQLError) in
            let id: String = try row["id"]
            let state: [UInt8]? = try row["detector"]
            let detector = state.flatMap { Detector(checkpoint: $0) }
            return StoredDetector(
                id: id, detector: detector ?? Detector(),
                limits: CustomerLimits(
                    heartRateMin: try row["heart_rate_min"], heartRateMax: try row["heart_rate_max"]),
                isUnreadable: state != nil && detector == nil)
        }
    }
}

extension Checkpoints {
    /// As a `bytea[]`.
    var array: ArrayText {
        var array = ArrayText(capacity: bytes.count * 2 + ends.count * 7)
        var start = 0
        for end in ends {
            array.append(bytea: bytes[start..<end])
            start = end
        }
        return array
    }
}
