import Foundation
import Harness
import Testing

/// A dashboard beside a database of its own.
struct RunningDashboard {
    let database: TestDatabase
    let process: ChildProcess
    let port: Int

    /// Starts it and waits until it listens.
    ///
    /// - Parameter isAnswered: also waits until the database has answered it.
    init(
        _ settings: [String: String] = [:], database: TestDatabase? = nil, isAnswered: Bool = true
    ) async throws {
        let database = if let database { database } else { try await TestDatabase.make() }
        let folder = try TestFolder.required()
        let defaults = ["DASHBOARD_PORT": "0", "METRICS_DIRECTORY": folder.path]
        let process = try Heartbeat.start(
            "dashboard", ["dashboard"],
            settings: database.settings(as: "heartbeat-dashboard").merging(defaults) { $1 }.merging(settings) { $1 })
        self.database = database
        self.process = process
        port = try await first("the dashboard listens") {
            process.log.firstMatch(of: /serving on http:\/\/\S+:(\d+)/).flatMap { Int($0.1) }
        }
        if isAnswered { try await untilReady() }
    }

    /// Waits until the database has answered.
    func untilReady() async throws {
        try await eventually("the dashboard is ready") { try get("/readyz").status == 200 }
    }

    /// One request on a connection of its own.
    func get(
        _ target: String, method: String = "GET", host: String = "localhost", _ headers: [String] = []
    ) throws -> HTTPConnection.Answer {
        let connection = try HTTPConnection(port: port)
        connection.request(target, method: method, host: host, headers)
        return try connection.answer(isHead: method == "HEAD")
    }

    /// The JSON that an answer with status 200 has.
    func json(_ target: String, sourceLocation: SourceLocation = #_sourceLocation) throws -> [String: Any] {
        let answer = try get(target)
        #expect(answer.status == 200, "\(target): \(answer.text)", sourceLocation: sourceLocation)
        return try answer.json()
    }

    /// Waits until the state is as it should be.
    func untilState(_ expectation: String, _ isRight: ([String: Any]) throws -> Bool) async throws {
        try await eventually(expectation) { try isRight(try get("/api/v1/state").json()) }
    }
}

extension TestDatabase {
    /// Rows as the consumer would have left them: for each of so many customers a reading a second until now.
    ///
    /// Customer N has the heart rate 60 + N % 50, but every tenth reading of the first one is an anomaly.
    func seed(customers: Int, seconds: Int) throws {
        try rows(
            """
            SELECT create_readings_partition((now() AT TIME ZONE 'UTC')::date - d) FROM generate_series(-1, 2) AS d;
            INSERT INTO customers SELECT 'cust_' || lpad(n::text, 4, '0') FROM generate_series(1, \(customers)) AS n;
            INSERT INTO heart_rate_readings
                (customer_id, recorded_at, heart_rate, is_anomaly, anomaly_reason, source_id, kafka_offset)
            SELECT 'cust_' || lpad(n::text, 4, '0'), date_trunc('second', now()) - make_interval(secs => s),
                   CASE WHEN n = 1 AND s % 10 = 0 THEN 30 ELSE 60 + n % 50 END, n = 1 AND s % 10 = 0,
                   CASE WHEN n = 1 AND s % 10 = 0 THEN 'bradycardia (bpm=30 < threshold=40)' END, 1, n * 100000 + s
              FROM generate_series(1, \(customers)) AS n, generate_series(0, \(seconds) - 1) AS s;
            INSERT INTO customer_state
            SELECT DISTINCT ON (customer_id) customer_id, recorded_at, heart_rate, is_anomaly, anomaly_reason,
                   count(*) OVER w, count(*) FILTER (WHERE is_anomaly) OVER w
              FROM heart_rate_readings WINDOW w AS (PARTITION BY customer_id)
             ORDER BY customer_id, recorded_at DESC;
            INSERT INTO kafka_offsets
                (cluster_id, topic, partition, first_offset, next_offset, readings, anomalies, rejected)
            SELECT 'c', 'heartbeat', 0, 0, count(*) + 3, count(*), count(*) FILTER (WHERE is_anomaly), 3
              FROM heart_rate_readings;
            INSERT INTO pipeline_log
                (logged_at, messages_read, messages_valid, messages_anomaly, messages_invalid, consumer)
            SELECT date_trunc('minute', now()) - make_interval(mins => m), 9, 5, 3, 1, 'consumer-' || c
              FROM generate_series(0, 2) AS m, generate_series(1, 2) AS c
            """)
    }

    /// One more reading, as the consumer would store it.
    func store(_ customer: String, _ heartRate: Int, isAnomaly: Bool = false) throws {
        let reason = isAnomaly ? "'tachycardia (bpm=\(heartRate) > threshold=180)'" : "NULL"
        try rows(
            """
            BEGIN;
            INSERT INTO customers VALUES ($$\(customer)$$) ON CONFLICT DO NOTHING;
            INSERT INTO heart_rate_readings (customer_id, recorded_at, heart_rate, is_anomaly, anomaly_reason)
            VALUES ($$\(customer)$$, now(), \(heartRate), \(isAnomaly), \(reason));
            INSERT INTO customer_state
            VALUES ($$\(customer)$$, now(), \(heartRate), \(isAnomaly), \(reason), 1, \(isAnomaly ? 1 : 0))
            ON CONFLICT (customer_id) DO UPDATE
               SET recorded_at = excluded.recorded_at, heart_rate = excluded.heart_rate,
                   is_anomaly = excluded.is_anomaly, anomaly_reason = excluded.anomaly_reason,
                   readings = customer_state.readings + 1, anomalies = customer_state.anomalies + excluded.anomalies;
            UPDATE kafka_offsets SET readings = readings + 1, anomalies = anomalies + \(isAnomaly ? 1 : 0),
                   next_offset = next_offset + 1, updated_at = now();
            COMMIT
            """)
    }
}

/// All of these share a cluster; the tests stop and start it, so they run one after another.
@Suite("The dashboard", .serialized, .privatePostgreSQL, .ownFolder, .logsOnFailure) enum OnAServer {}
