internal import HeartRate
internal import PostgreSQL

/// A range of time, without its end, in microseconds since 1970.
struct TimeRange: Sendable, Equatable {
    var from: Int64
    var until: Int64
}

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

    init(
        of customers: [CustomerKey], in range: TimeRange, mostPoints: Int, _ connection: PostgreSQLConnection
    ) throws(PostgreSQLError) {
        // A range that is long for this number of points is more likely too full: then its readings are read once only.
        let isShort = range.until - range.from <= Int64(mostPoints) * 2_000_000
        if isShort, try readAll(of: customers, in: range, mostPoints, connection) { return }
        bucketSeconds = Self.bucketSeconds(for: range, mostPoints)
        try readBuckets(of: customers, in: range, connection)
        guard !isShort, lines.values.allSatisfy({ $0.count <= mostPoints }) else { return }
        let buckets = self
        bucketSeconds = 0
        // Some may have come meanwhile.
        if try !readAll(of: customers, in: range, mostPoints, connection) { self = buckets }
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
        let result = try connection.query(
            """
            SELECT customer_id, \(microseconds(of: "bucket")) AS bucket_us, lowest, median, highest, readings, anomalies,
                   activity
              FROM (SELECT customer_id, date_bin('\(bucketSeconds) s', recorded_at, timestamptz 'epoch') AS bucket,
                           min(heart_rate) AS lowest, max(heart_rate) AS highest, count(*) AS readings,
                           percentile_disc(0.5) WITHIN GROUP (ORDER BY heart_rate) AS median,
                           count(*) FILTER (WHERE is_anomaly) AS anomalies,
                           mode() WITHIN GROUP (ORDER BY activity) AS activity
                      FROM readings
                     WHERE customer_id = ANY ($1::text[]) AND \(TimeRange.condition)
                     GROUP BY 1, 2) AS buckets
             ORDER BY bucket
            """, [ArrayText(customers)] + range.parameters, unableTo: "read readings")
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

extension TimeRange {
    /// Which rows of the view `readings` are in it. What it says of blocks leaves out all others that are sealed.
    static let condition = """
        recorded_at >= $2::timestamptz AND recorded_at < $3::timestamptz \
        AND block_at > $2::timestamptz - interval '1 hour' AND block_at < $3::timestamptz
        """

    /// For `$2::timestamptz` and `$3::timestamptz`.
    var parameters: [any PostgreSQLParameter] { [Moment.reading(from).text, Moment.reading(until).text] }
}
