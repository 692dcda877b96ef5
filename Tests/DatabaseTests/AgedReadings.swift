import Harness
import PostgreSQL
import Testing

/// A database with two days that are old enough to be sealed and one that is not, and a copy of what they have. No log in
/// Kafka goes on with it, so that `verify` looks for none.
struct AgedReadings {
    let database: TestDatabase
    /// How many messages there are: those of both partitions.
    let messages: Int

    private static let columns = """
        customer_id, recorded_at, heart_rate, is_anomaly, anomaly_reason, is_suspect, source_id, kafka_offset, activity
        """

    /// - Parameter offsets: how many of each partition the day 6 days ago has, and that 4 days ago; yesterday has a fifth of it.
    init(offsets: Int = 1000) async throws {
        database = try await TestDatabase.make()
        let end = offsets * 11 / 5
        messages = 2 * end
        try rows(
            """
            SET ROLE heartbeat;
            SELECT create_readings_partition((now() AT TIME ZONE 'UTC')::date - age) FROM unnest(ARRAY[6, 4, 1]) AS age;
            INSERT INTO kafka_offsets (cluster_id, topic, partition, first_offset, next_offset, closed)
            SELECT 'c', 't', p, 0, \(end), true FROM generate_series(0, 1) AS p;
            CREATE TABLE kept (LIKE heart_rate_readings)
            """)
        try insert(
            """
            SELECT 'customer ' || n % 7,
                   ((now() AT TIME ZONE 'UTC')::date - (ARRAY[6, 4, 1])[n / \(offsets) + 1])::timestamp AT TIME ZONE 'UTC'
                   + n % \(offsets) * interval '\(85_000 / offsets) s' + n * 7919 % 1000003 * interval '1 us', rate, rate > 180,
                   CASE WHEN rate > 180 THEN 'tachycardia (bpm=' || rate || ' > threshold=180)' END, n % 101 = 0,
                   source_id, n, CASE WHEN n % 7 < 3 THEN nullif(n / 70 % 5, 4)::smallint END
              FROM generate_series(0, \(end - 1)) AS n, kafka_offsets, LATERAL (SELECT 40 + n * 31 % 160) AS x (rate)
            """)
        try insert(Self.odd)
    }

    /// What no consumer writes, but the table takes: readings of nobody's message, of one moment, out of order, far apart;
    /// reasons without an anomaly and with special characters.
    private static let odd = #"""
        SELECT c, ((now() AT TIME ZONE 'UTC')::date - 4)::timestamp AT TIME ZONE 'UTC' + at::interval, rate, anomaly, reason,
               suspect, NULL::integer, o::bigint, a::smallint
          FROM (VALUES ('y', '0', 1, false, NULL, false, NULL, 0), ('y', '0', 1, false, NULL, false, NULL, NULL),
                       ('y', '0', 299, true, NULL, true, 5, 3), ('y', '1 s', 2, true, NULL, true, 4, 0),
                       ('y', '59 min 59.999999 s', 70, false, 'no anomaly, "quoted" {braced} NULL ü', false, NULL, NULL),
                       ('y', '59 min 59.999999 s', 70, false, '', false, 9000000000000, NULL),
                       ('y', '59 min 59.999999 s', 70, true, 'NULL', false, 9000000000000, 0),
                       ('y', '1 h', 70, true, 'NULL', false, 3, NULL), ('y', '23:59:59.999999', 70, false, NULL, false, -7, 2),
                       (E'a\\b"''{}', '12:00', 100, false, NULL, true, -8, 1))
               AS v (c, at, rate, anomaly, reason, suspect, o, a)
        """#

    /// Adds readings, and copies them.
    func insert(_ query: String) throws {
        try rows(
            """
            WITH new AS (INSERT INTO heart_rate_readings (\(Self.columns)) \(query) RETURNING \(Self.columns))
            INSERT INTO kept (\(Self.columns), id, inserted_at) SELECT \(Self.columns), 0, now() FROM new
            """)
    }

    /// How many readings the view lacks or has too many of.
    func differences() throws -> Int {
        let (kept, found) = ("SELECT \(Self.columns) FROM kept", "SELECT \(Self.columns) FROM readings")
        return try number(
            """
            SELECT count(*) FROM ((\(kept) EXCEPT ALL \(found)) UNION ALL (\(found) EXCEPT ALL \(kept))) AS differences
            """)
    }

    @discardableResult
    func rows(_ sql: String) throws -> [[String?]] { try database.rows(sql) }

    func number(_ sql: String) throws -> Int { try database.number(sql) }

    /// Runs `heartbeat` as an administrator.
    func run(_ arguments: [String]) async throws -> Heartbeat.Finished {
        try await Heartbeat.run(arguments, database.settings(as: "postgres"))
    }

    /// Runs `heartbeat database maintain`.
    func maintain(_ settings: [String: String] = [:]) async throws -> Heartbeat.Finished {
        try await Heartbeat.run(
            ["database", "maintain"], database.settings(as: "heartbeat-maintenance").merging(settings) { $1 })
    }

    /// Expects that `heartbeat verify` finds every message once, also when it looks into the sealed days.
    ///
    /// - Parameter detail: what it says of each partition; nil when nothing is sealed.
    func expectSound(
        _ detail: String?, more: Int = 0, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let verification = try await Heartbeat.run(
            ["verify", "--deep"], database.settings(as: "heartbeat-consumer"))
        let output = verification.output
        #expect(verification.end == .exited(0), "\(output)\(verification.log)", sourceLocation: sourceLocation)
        #expect(output.contains("sound: \(messages + more) messages = "), "\(output)", sourceLocation: sourceLocation)
        let isAsExpected = detail.map { output.contains($0) } ?? !output.contains("; sealed: ")
        #expect(isAsExpected, "\(output)", sourceLocation: sourceLocation)
    }
}
