internal import PostgreSQL

/// The readings of the chart's customers that came lately, for viewers who have the chart already.
struct LivePoints: Sendable {
    /// For so long a reading is in each event, in microseconds: so a viewer who missed a few has no hole in a line.
    private static let repeated: Int64 = 5_000_000
    /// The most readings of one customer and poll; of more, the extremes are kept.
    private static let mostPoints = 20

    /// A reading, by its moment.
    struct Reading: Sendable {
        var recordedAt: Int64
        var heartRate: Int64
        var isAnomaly: Bool
    }

    private var seen: [CustomerKey: [Int64: Int64]] = [:]
    private var latest: [CustomerKey: Int64] = [:]
    private var arrivals: [CustomerKey: [(at: Int64, point: Point)]] = [:]

    /// From when on each customer's readings have to be asked for.
    func horizons(of customers: [CustomerKey], at now: Int64) -> [(id: CustomerKey, from: Int64)] {
        customers.map { id in
            // A sensor whose clock is ahead must not hide what comes until then; some readings come late.
            (id, max(min(latest[id] ?? now - Self.repeated, now) - 2_000_000, now - 60_000_000))
        }
    }

    static func read(
        _ horizons: [(id: CustomerKey, from: Int64)], _ connection: PostgreSQLConnection
    ) throws(PostgreSQLError) -> [CustomerKey: [Reading]] {
        guard !horizons.isEmpty else { return [:] }
        let result = try connection.query(
            """
            SELECT c.id, \(microseconds(of: "r.recorded_at")) AS recorded_us, r.heart_rate, r.is_anomaly
              FROM unnest($1::text[], $2::timestamptz[]) AS c (id, horizon)
             CROSS JOIN LATERAL (
                SELECT recorded_at, heart_rate, is_anomaly FROM heart_rate_readings
                 WHERE customer_id = c.id AND recorded_at >= c.horizon AND recorded_at >= $3::timestamptz
                 ORDER BY recorded_at DESC LIMIT 1000) AS r
             ORDER BY r.recorded_at
            """,
            [
                ArrayText(horizons) { $0.id }, ArrayText(horizons) { Moment.reading($0.from).text },
                // Known when the plan is made, so that only the partitions of today are looked at.
                Moment.reading(horizons.map(\.from).min() ?? 0).text,
            ], unableTo: "read the latest readings")
        var readings: [CustomerKey: [Reading]] = [:]
        try result.forEach { row throws(PostgreSQLError) in
            let id: CustomerKey = try row["id"]
            readings[id, default: []].append(
                Reading(
                    recordedAt: try row["recorded_us"], heartRate: try row["heart_rate"],
                    isAnomaly: try row["is_anomaly"]))
        }
        return readings
    }

    /// Takes over what was read, and forgets what is old or not shown any more.
    mutating func add(_ readings: [CustomerKey: [Reading]], _ customers: [CustomerKey], at now: Int64) {
        let shown = Set(customers)
        for id in Set(arrivals.keys).union(latest.keys) where !shown.contains(id) {
            seen[id] = nil
            latest[id] = nil
            arrivals[id] = nil
        }
        for id in customers {
            let new = (readings[id] ?? []).filter { seen[id]?[$0.recordedAt] == nil }
            for reading in new { seen[id, default: [:]][reading.recordedAt] = now }
            if let last = readings[id]?.last?.recordedAt { latest[id] = max(latest[id] ?? last, last) }
            // Longer than horizons look back.
            seen[id] = seen[id]?.filter { $0.key > now - 65_000_000 }
            arrivals[id, default: []] += Self.extremes(new).map { (now, $0) }
            arrivals[id]?.removeAll { now - $0.at > Self.repeated }
        }
    }

    /// Readings of the last seconds of each customer who has some.
    var recent: [Series] {
        arrivals.compactMap { id, list in
            list.isEmpty
                ? nil : Series(customerId: id, points: list.map(\.point).sorted { $0.milliseconds < $1.milliseconds })
        }
    }

    /// The readings, or of many the lowest and the highest of each of ten parts: all of them real ones.
    static func extremes(_ readings: [Reading]) -> [Point] {
        var kept = readings
        if readings.count > mostPoints {
            let parts = mostPoints / 2
            kept = (0..<parts).flatMap { part in
                let slice = readings[(part * readings.count / parts)..<((part + 1) * readings.count / parts)]
                let ends = [
                    slice.min { $0.heartRate < $1.heartRate }, slice.max { $0.heartRate < $1.heartRate },
                ].compactMap(\.self)
                return ends.sorted { $0.recordedAt < $1.recordedAt }
            }
        }
        return kept.map { Point($0.recordedAt / 1000, $0.heartRate, isAnomaly: $0.isAnomaly) }
    }
}
