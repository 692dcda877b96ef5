internal import PostgreSQL

/// A page of anomalies, newest first.
struct AnomalyPage: Sendable {
    /// Which anomalies.
    struct AnomalyRequest: Sendable {
        var customer: String?
        var from: Int64?
        var until: Int64?
        var limit: Int
        var before: Cursor?
    }

    /// Where the page before ended: a row's moment and number.
    struct Cursor: Sendable, Equatable {
        var recordedAt: Int64
        var id: Int64

        init(recordedAt: Int64, id: Int64) {
            self.recordedAt = recordedAt
            self.id = id
        }

        init?(_ text: String) {
            let parts = text.split(separator: "_", omittingEmptySubsequences: false)
            guard parts.count == 2, let recordedAt = Int64(parts[0]), let id = Int64(parts[1]) else { return nil }
            self.init(recordedAt: recordedAt, id: id)
        }

        var text: String { "\(recordedAt)_\(id)" }
    }

    private(set) var items: [AnomalyItem] = []
    private(set) var next: Cursor?

    init(_ request: AnomalyRequest, now: Int64, _ connection: PostgreSQLConnection) throws(PostgreSQLError) {
        // Every partition that may have a row is opened, so a day is tried before all of them. Of one customer, whose range
        // is bounded, that day would be read twice.
        let day: Int64 = 86_400_000_000
        let end = min(request.before?.recordedAt ?? now, request.until ?? now)
        if request.customer == nil, request.from ?? .min < end - day {
            var recent = request
            recent.from = end - day
            try read(recent, connection)
            guard next == nil else { return }
        }
        try read(request, connection)
    }

    private mutating func read(_ request: AnomalyRequest, _ connection: PostgreSQLConnection) throws(PostgreSQLError) {
        var conditions = WhereClause()
        conditions.add("is_anomaly")
        if let customer = request.customer { conditions.add("customer_id = ?", customer) }
        if let from = request.from { conditions.add("recorded_at >= ?::timestamptz", Moment.reading(from).text) }
        if let until = request.until { conditions.add("recorded_at < ?::timestamptz", Moment.reading(until).text) }
        if let before = request.before {
            let moment = Moment.reading(before.recordedAt).text
            conditions.add("recorded_at <= ?::timestamptz", moment)
            conditions.add("(recorded_at < ?::timestamptz OR id < ?::bigint)", moment, before.id)
        }
        let result = try connection.query(
            """
            SELECT customer_id, \(microseconds(of: "recorded_at")) AS recorded_us, heart_rate, anomaly_reason, id
              FROM heart_rate_readings \(conditions.text)
             ORDER BY recorded_at DESC, id DESC LIMIT \(request.limit + 1)
            """, conditions.parameters, unableTo: "read anomalies")
        var rows = try result.map { row throws(PostgreSQLError) in
            let recordedAt: Int64 = try row["recorded_us"]
            return (
                item: AnomalyItem(
                    customerId: try row["customer_id"], recordedAt: .reading(recordedAt),
                    heartRate: try row["heart_rate"],
                    anomalyReason: try row["anomaly_reason"]),
                cursor: Cursor(recordedAt: recordedAt, id: try row["id"])
            )
        }
        let isLast = rows.count <= request.limit
        rows = Array(rows.prefix(request.limit))
        items = rows.map(\.item)
        next = isLast ? nil : rows.last?.cursor
    }
}
