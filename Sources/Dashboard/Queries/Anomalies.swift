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
        /// Whether those of sealed days count, too, of which each block has to be unpacked.
        var hasSealed = true
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
        let first = request.customer == nil ? hour : 24 * hour
        var (span, enough) = (first, Int64.min)
        // Two years are all that is left to try but everything.
        while span < 24 * 365 * hour * 2 {
            let from = max(end - span, enough)
            guard request.from ?? .min < from else { break }
            var recent = request
            recent.from = from
            try read(recent, connection)
            guard next == nil else { return }
            if span == first { enough = try Self.enoughSealed(for: request, until: end, connection) }
            span *= 24
        }
        try read(request, connection)
    }

    /// The moment from which on sealed blocks alone have more anomalies than are asked for; the least one when all of
    /// them have not, or do not count.
    private static func enoughSealed(
        for request: AnomalyRequest, until end: Int64, _ connection: PostgreSQLConnection
    ) throws(PostgreSQLError) -> Int64 {
        guard request.hasSealed else { return .min }
        var conditions = WhereClause()
        conditions.add("anomalies > 0 AND block_at < ?::timestamptz - interval '1 hour'", Moment.reading(end).text)
        if let customer = request.customer { conditions.add("customer_id = ?", customer) }
        let found: [Int64] = try connection.query(
            """
            SELECT \(microseconds(of: "block_at")) FROM (
                SELECT block_at, sum(anomalies) OVER (ORDER BY block_at DESC ROWS UNBOUNDED PRECEDING) AS total
                  FROM sealed_readings \(conditions.text)) AS blocks
             WHERE total > \(request.limit) ORDER BY block_at DESC LIMIT 1
            """, conditions.parameters, unableTo: "look for anomalies"
        ).column()
        return found.first ?? .min
    }

    /// What is not sealed, in the columns of `readings`.
    private static let unsealed = """
        (SELECT *, recorded_at AS block_at, is_anomaly::integer AS block_anomalies FROM heart_rate_readings) AS unsealed
        """

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
              FROM \(request.hasSealed ? "readings" : Self.unsealed) \(conditions.text)
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
