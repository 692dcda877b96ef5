internal import HeartRate
internal import PostgreSQL

/// Customers' readings as lines: as they are when they are few, otherwise the lowest, the median and the highest of each bucket.
struct ChartLines: Sendable {
    struct Line: Sendable {
        var points: [Point] = []
        /// At each point what the customer was doing: the most frequent activity of a bucket; nil where nobody told one.
        var activities: [Activity?] = []
        var count: Int64 = 0
        var anomalies: Int64 = 0
        var lowest: Int64?
        var highest: Int64?

        /// The activities in the words of messages; none when nobody told one.
        var toldActivities: [String?] { activities.contains { $0 != nil } ? activities.map { $0?.name } : [] }

        mutating func add(activity code: Int16?) { activities.append(code.flatMap { Activity(code: $0) }) }

        mutating func add(_ point: Point, lowest: Int64, highest: Int64, count: Int64, anomalies: Int64) {
            points.append(point)
            self.count += count
            self.anomalies += anomalies
            self.lowest = min(self.lowest ?? lowest, lowest)
            self.highest = max(self.highest ?? highest, highest)
        }
    }

    /// 0 when the points are readings.
    var bucketSeconds: Int64 = 0
    private(set) var lines: [CustomerKey: Line] = [:]
    /// Until when only roll-ups are left of some days of the range, in microseconds since 1970; nil when none of them is
    /// without its readings.
    private(set) var rollupsUntil: Int64?

    init(
        of customers: [CustomerKey], in range: TimeRange, mostPoints: Int, _ connection: PostgreSQLConnection
    ) throws(PostgreSQLError) {
        rollupsUntil = try Self.rollupsUntil(of: customers, in: range, connection)
        // A range that is long for this number of points is more likely too full: then its readings are read once only.
        let isShort = rollupsUntil == nil && range.until - range.from <= Int64(mostPoints) * 2_000_000
        if isShort, try readAll(of: customers, in: range, mostPoints, connection) { return }
        bucketSeconds = Self.bucketSeconds(for: range, mostPoints)
        if rollupsUntil != nil { bucketSeconds = max(bucketSeconds, 60) }
        try readBuckets(of: customers, in: range, connection)
        guard !isShort, rollupsUntil == nil, lines.values.allSatisfy({ $0.count <= mostPoints }) else { return }
        let buckets = self
        bucketSeconds = 0
        // Some may have come meanwhile.
        if try !readAll(of: customers, in: range, mostPoints, connection) { self = buckets }
    }

    /// The end of the last day of which there are roll-ups and no seals: retention has dropped its readings.
    private static func rollupsUntil(
        of customers: [CustomerKey], in range: TimeRange, _ connection: PostgreSQLConnection
    ) throws(PostgreSQLError) -> Int64? {
        try connection.query(
            """
            SELECT \(microseconds(of: "(max(day) + 1)::timestamp AT TIME ZONE 'UTC'")) AS until_us
              FROM customer_rollups AS r
             WHERE customer_id = ANY ($1::text[]) AND width = 1440
               AND day >= ($2::timestamptz AT TIME ZONE 'UTC')::date
               AND day <= ($3::timestamptz AT TIME ZONE 'UTC')::date
               AND NOT EXISTS (SELECT FROM seals AS s WHERE s.day = r.day)
            """, [ArrayText(customers)] + range.parameters, unableTo: "look for roll-ups"
        ).first { row throws(PostgreSQLError) -> Int64? in try row["until_us"] } ?? nil
    }

    /// The narrowest handy bucket that needs at most this number of points.
    static func bucketSeconds(for range: TimeRange, _ mostPoints: Int) -> Int64 {
        let handy: [Int64] = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 21_600, 43_200]
        // Buckets start at whole multiples, so a range can touch one more.
        let narrowest = (range.until - range.from) / 1_000_000 / Int64(mostPoints - 1) + 1
        return handy.first { $0 >= narrowest } ?? (narrowest + 86_399) / 86_400 * 86_400
    }

    /// - Returns: whether every customer has at most `mostPoints` readings.
    private mutating func readAll(
        of customers: [CustomerKey], in range: TimeRange, _ mostPoints: Int, _ connection: PostgreSQLConnection
    ) throws(PostgreSQLError) -> Bool {
        lines = [:]
        let result = try connection.query(
            """
            SELECT c.id, \(microseconds(of: "r.recorded_at")) AS recorded_us, r.heart_rate, r.is_anomaly,
                   r.activity
              FROM unnest($1::text[]) AS c (id)
             CROSS JOIN LATERAL (
                SELECT recorded_at, heart_rate, is_anomaly, activity FROM readings
                 WHERE customer_id = c.id AND \(TimeRange.condition)
                 ORDER BY recorded_at LIMIT \(mostPoints + 1)) AS r
            """, [ArrayText(customers)] + range.parameters, unableTo: "read readings")
        try result.forEach { row throws(PostgreSQLError) in
            let id: CustomerKey = try row["id"]
            let time: Int64 = try row["recorded_us"]
            let bpm: Int64 = try row["heart_rate"]
            let isAnomaly: Bool = try row["is_anomaly"]
            lines[id, default: Line()].add(
                Point(time / 1000, bpm, isAnomaly: isAnomaly), lowest: bpm, highest: bpm, count: 1,
                anomalies: isAnomaly ? 1 : 0)
            lines[id]?.add(activity: try row["activity"])
        }
        return lines.values.allSatisfy { $0.points.count <= mostPoints }
    }

    private mutating func readBuckets(
        of customers: [CustomerKey], in range: TimeRange, _ connection: PostgreSQLConnection
    ) throws(PostgreSQLError) {
        lines = [:]
        let parts = ChartParts(of: range, bucketSeconds: bucketSeconds)
        // A median of roll-ups is that of their medians, each as often as it has readings.
        let result = try connection.query(
            """
            SELECT customer_id, \(microseconds(of: "bucket")) AS bucket_us, min(lowest) AS lowest,
                   min(rate) FILTER (WHERE so_far * 2 >= total) AS median, max(highest) AS highest,
                   sum(readings)::bigint AS readings, sum(anomalies)::bigint AS anomalies,
                   (array_agg(activity ORDER BY doing DESC, activity) FILTER (WHERE activity IS NOT NULL))[1] AS activity
              FROM (SELECT *, sum(readings) OVER (bucket ORDER BY rate) AS so_far, sum(readings) OVER bucket AS total,
                           sum(readings) OVER (PARTITION BY customer_id, bucket, activity) AS doing
                      FROM (SELECT customer_id, date_bin('\(bucketSeconds) s', at, timestamptz 'epoch') AS bucket, rate,
                                   activity, min(lowest) AS lowest, max(highest) AS highest,
                                   sum(readings)::integer AS readings, sum(anomalies)::integer AS anomalies
                              FROM (\(ChartParts.query)) AS items GROUP BY 1, 2, 3, 4) AS rates
                    WINDOW bucket AS (PARTITION BY customer_id, bucket)) AS counted
             GROUP BY customer_id, bucket ORDER BY bucket
            """, [ArrayText(customers)] + range.parameters + parts.parameters, unableTo: "read readings")
        try result.forEach { row throws(PostgreSQLError) in
            let id: CustomerKey = try row["customer_id"]
            let time: Int64 = try row["bucket_us"]
            let lowest: Int64 = try row["lowest"]
            let highest: Int64 = try row["highest"]
            let count: Int64 = try row["readings"]
            let anomalies: Int64 = try row["anomalies"]
            lines[id, default: Line()].add(
                Point(
                    bucket: time / 1000, lowest: lowest, median: try row["median"], highest: highest,
                    anomalies: anomalies),
                lowest: lowest, highest: highest, count: count, anomalies: anomalies)
            lines[id]?.add(activity: try row["activity"])
        }
    }
}
