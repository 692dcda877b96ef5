internal import HeartRate
internal import PostgreSQL

/// A page of a customer's readings, oldest first.
struct ReadingPage: Sendable {
    /// A page looks into this many parts; after them it ends early.
    private static let mostParts = 10
    /// The time after which nothing can be: the end of the year 9999.
    private static let end = Int64(253_402_300_799_000_000)

    private(set) var items: [ReadingItem] = []
    /// Where it ended: a moment, and how many readings of this moment were given.
    private(set) var next: AnomalyPage.Cursor?

    init(
        of customer: CustomerKey, in range: SearchRange, after cursor: AnomalyPage.Cursor?, limit: Int,
        _ connection: PostgreSQLConnection
    ) throws(PostgreSQLError) {
        guard let first = try Self.start(of: customer, range, connection) else { return }
        let until = range.until ?? Self.end
        var from = max(first, cursor?.recordedAt ?? first)
        var given = from == cursor?.recordedAt ? cursor?.id ?? 0 : 0
        for _ in 0..<Self.mostParts where from < until {
            let part = TimeRange(from: from, until: until)
            let end = try ReadingsPart.end(of: customer, in: part, connection)
            items += try ReadingItem.list(
                of: customer, in: TimeRange(from: from, until: end),
                "recorded_at, id LIMIT \(limit - items.count + 1) OFFSET \(given)", connection)
            if items.count > limit {
                items.removeLast()
                let last = items[items.count - 1].recordedAt.microseconds
                let same = items.count { $0.recordedAt.microseconds == last }
                next = .init(
                    recordedAt: last, id: Int64(same) + (last == cursor?.recordedAt ? cursor?.id ?? 0 : 0))
                return
            }
            (from, given) = (end, 0)
        }
        if from < until { next = .init(recordedAt: from, id: 0) }
    }

    /// When the first reading can be; nil when there is none.
    private static func start(
        of customer: CustomerKey, _ range: SearchRange, _ connection: PostgreSQLConnection
    ) throws(PostgreSQLError) -> Int64? {
        if let from = range.from { return from }
        return try connection.query(
            "SELECT \(microseconds(of: "first_reading_at($1)"))", [customer], unableTo: "read a customer's readings"
        ).value()
    }

    /// The latest readings, the latest first.
    static func latest(
        of customer: CustomerKey, atMost most: Int, _ connection: PostgreSQLConnection
    ) throws(PostgreSQLError) -> [ReadingItem] {
        let newest: Int64? = try connection.query(
            "SELECT max(\(microseconds(of: "recorded_at"))) FROM customer_state WHERE customer_id = $1", [customer],
            unableTo: "read a customer's state"
        ).value()
        let until = newest.map { $0 + 1 } ?? end
        let hour = Int64(3_600_000_000)
        // Every sealed hour that may have a reading is opened, so the latest are tried before all of them.
        for span in newest == nil ? [] : [hour, 24 * hour, 24 * 24 * hour] {
            let found = try ReadingItem.list(
                of: customer, in: TimeRange(from: until - span, until: until),
                "recorded_at DESC, id DESC LIMIT \(most)", connection)
            if found.count == most { return found }
        }
        return try ReadingItem.list(
            of: customer, in: TimeRange(from: 0, until: until), "recorded_at DESC, id DESC LIMIT \(most)", connection)
    }
}

extension ReadingItem {
    /// A customer's readings in a time.
    ///
    /// - Parameter order: what follows ORDER BY.
    static func list(
        of customer: CustomerKey, in range: TimeRange, _ order: String, _ connection: PostgreSQLConnection
    ) throws(PostgreSQLError) -> [ReadingItem] {
        let result = try connection.query(
            """
            SELECT \(microseconds(of: "recorded_at")) AS recorded_us, heart_rate, is_anomaly, anomaly_reason, activity
              FROM readings WHERE customer_id = $1 AND \(TimeRange.condition) ORDER BY \(order)
            """, [customer] + range.parameters, unableTo: "read readings")
        return try result.map { row throws(PostgreSQLError) in
            let code: Int16? = try row["activity"]
            return ReadingItem(
                customerId: customer, recordedAt: .reading(try row["recorded_us"]), heartRate: try row["heart_rate"],
                isAnomaly: try row["is_anomaly"], anomalyReason: try row["anomaly_reason"],
                activity: code.flatMap { Activity(code: $0)?.name })
        }
    }
}
