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
        // Every partition and every sealed hour that may have a row is opened, so the latest are tried before all of them.
        let hour: Int64 = 3_600_000_000
        let end = min(request.before?.recordedAt ?? now, request.until ?? now)
        var span = request.customer == nil ? hour : 24 * hour
        // Two years are all that is left to try but everything.
        while span < 24 * 365 * hour * 2, request.from ?? .min < end - span {
            var recent = request
            recent.from = end - span
            try read(recent, connection)
            guard next == nil else { return }
            // One customer's hours are few, and each that has anomalies is opened.
            span *= request.customer == nil ? 24 : 4
        }
        try read(request, connection)
    }

    private mutating func read(_ request: AnomalyRequest, _ connection: PostgreSQLConnection) throws(PostgreSQLError) {
        var conditions = WhereClause()
        conditions.add("is_anomaly AND block_anomalies > 0")
        if let customer = request.customer { conditions.add("customer_id = ?", customer) }
        if let from = request.from.map({ Moment.reading($0).text }) {
            conditions.add("recorded_at >= ?::timestamptz", from)
            conditions.add("block_at > ?::timestamptz - interval '1 hour'", from)
        }
        if let until = request.until.map({ Moment.reading($0).text }) {
            conditions.add("recorded_at < ?::timestamptz AND block_at < ?::timestamptz", until, until)
        }
        if let before = request.before {
            let moment = Moment.reading(before.recordedAt).text
            conditions.add("recorded_at <= ?::timestamptz AND block_at <= ?::timestamptz", moment, moment)
            conditions.add("(recorded_at < ?::timestamptz OR id < ?::bigint)", moment, before.id)
        }
        let result = try connection.query(
            """
            SELECT customer_id, \(microseconds(of: "recorded_at")) AS recorded_us, heart_rate, anomaly_reason, id
              FROM readings \(conditions.text)
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
