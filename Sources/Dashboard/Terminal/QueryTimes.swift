internal import HeartRate
internal import PostgreSQL
internal import Schema

/// How long the page's own questions to the database take, one after another.
public struct QueryTimes: Sendable {
    /// One question, asked again and again.
    public struct Times: Sendable {
        /// What is asked for.
        public let name: String
        /// How long each answer took, in milliseconds, the shortest first.
        public let milliseconds: [Double]
    }

    /// In the order in which they were asked.
    public private(set) var questions: [Times] = []

    private typealias Question = (PostgreSQLConnection) throws(PostgreSQLError) -> Void

    /// Asks.
    ///
    /// - Parameters:
    ///   - parameters: libpq's keywords.
    ///   - rounds: how often each question is asked.
    ///   - isWanted: whether to go on; asked before each question.
    /// - Throws: `PostgreSQLError`.
    public init(_ parameters: [String: String], rounds: Int, while isWanted: () -> Bool) throws {
        let connection = try PostgreSQLConnection(parameters, .dashboard(statementLimit: .seconds(30)))
        // Its first time is not the page's, which keeps its session.
        let picture = try PollQuery(at: AlarmClock(remindAfter: nil, now: Moment.now.microseconds), connection)
        for (name, question) in try Self.questions(about: picture.rows, connection) {
            var times: [Double] = []
            for _ in 0..<rounds where isWanted() {
                let start = ContinuousClock.now
                try question(connection)
                times.append((ContinuousClock.now - start) / .milliseconds(1))
            }
            if !times.isEmpty { questions.append(Times(name: name, milliseconds: times.sorted())) }
        }
    }

    private static func questions(
        about rows: [CustomerTable.Row], _ connection: PostgreSQLConnection
    ) throws(PostgreSQLError) -> [(String, Question)] {
        let newest = rows.map(\.recordedAt).max() ?? Moment.now.microseconds
        let customers = rows.prefix(6).map(\.id)
        let clock = AlarmClock(remindAfter: nil, now: newest)
        var questions: [(String, Question)] = [
            (
                "everyone, each second",
                { connection throws(PostgreSQLError) in _ = try PollQuery(at: clock, connection) }
            ),
            ("six customers' 5 minutes", chart(of: customers, minutes: 5, until: newest)),
            ("a customer's hour", chart(of: Array(customers.prefix(1)), minutes: 60, until: newest)),
            (
                "the latest anomalies",
                { connection throws(PostgreSQLError) in
                    _ = try AnomalyPage(AnomalyPage.AnomalyRequest(limit: 50), now: newest, connection)
                }
            ),
            (
                "the latest episodes",
                { connection throws(PostgreSQLError) in
                    _ = try EpisodePage(EpisodePage.EpisodeRequest(limit: 50), at: clock, connection)
                }
            ),
        ]
        if let customer = customers.first {
            questions.append(
                (
                    "a customer's details",
                    { connection throws(PostgreSQLError) in
                        _ = try CustomerDetails(customer, at: clock, by: EpisodeRules(), connection)
                    }
                ))
        }
        if let block = try firstBlock(connection) {
            questions.append(
                ("a customer's sealed hour", chart(of: [block.id], minutes: 60, until: block.at + 3_600_000_000)))
        }
        return questions
    }

    /// The first sealed block of a customer: whose it is, and when it begins in microseconds since 1970.
    private static func firstBlock(
        _ connection: PostgreSQLConnection
    ) throws(PostgreSQLError) -> (id: CustomerKey, at: Int64)? {
        try connection.query(
            """
            SELECT customer_id, \(microseconds(of: "min(block_at)")) AS block_us FROM sealed_readings
             GROUP BY customer_id ORDER BY customer_id LIMIT 1
            """, unableTo: "look for sealed readings"
        ).first { row throws(PostgreSQLError) in (try row["customer_id"], try row["block_us"]) }
    }

    private static func chart(of customers: [CustomerKey], minutes: Int64, until end: Int64) -> Question {
        let range = TimeRange(from: end - minutes * 60_000_000, until: end + 1)
        return { connection throws(PostgreSQLError) in
            _ = try ChartLines(of: customers, in: range, mostPoints: 400, connection)
        }
    }
}
