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

    /// How many minutes, hours and days the view of roll-ups lacks, or has other figures of than the kept readings of the
    /// days that are sealed.
    func rollupDifferences() throws -> Int {
        let found = """
            SELECT customer_id, width, day, begins_at, lowest, median, highest, readings, anomalies, seconds_beyond, activity
              FROM rollups
            """
        return try number(
            """
            WITH sealed AS (
                SELECT *, recorded_at AT TIME ZONE 'UTC' AS moment, (recorded_at AT TIME ZONE 'UTC')::date AS day FROM kept
                 WHERE (recorded_at AT TIME ZONE 'UTC')::date IN (SELECT day FROM seals)
            ), steps AS (
                SELECT *, extract(epoch FROM lead(moment) OVER (
                           PARTITION BY customer_id, day ORDER BY moment, heart_rate, is_anomaly) - moment) AS step
                  FROM sealed
            ), usual AS (
                SELECT customer_id, day, percentile_disc(0.5) WITHIN GROUP (ORDER BY step) AS usual
                  FROM steps GROUP BY customer_id, day
            ), judged AS (
                SELECT s.*, least(coalesce(step, usual), greatest(5, usual * 3)) AS seconds,
                       heart_rate < coalesce(l.heart_rate_min, p.heart_rate_min, 0)
                       OR heart_rate > coalesce(l.heart_rate_max, p.heart_rate_max, 999)
                       OR anomaly_reason ^@ 'brady' AND is_anomaly AND num_nonnulls(l.heart_rate_min, p.heart_rate_min) = 0
                       OR anomaly_reason ^@ 'brady' IS NOT TRUE AND is_anomaly
                          AND num_nonnulls(l.heart_rate_max, p.heart_rate_max) = 0 AS is_beyond
                  FROM steps s JOIN usual USING (customer_id, day)
                  LEFT JOIN customer_limits l USING (customer_id) LEFT JOIN limit_profiles p USING (profile)
            ), expected AS (
                SELECT customer_id, width::smallint, day,
                       date_bin(width * interval '1 min', moment, day::timestamp) AT TIME ZONE 'UTC' AS begins_at,
                       min(heart_rate), percentile_disc(0.5) WITHIN GROUP (ORDER BY heart_rate), max(heart_rate),
                       count(*)::integer, count(*) FILTER (WHERE is_anomaly)::integer,
                       coalesce(round(sum(seconds) FILTER (WHERE is_beyond)), 0)::integer,
                       mode() WITHIN GROUP (ORDER BY activity)
                  FROM judged, unnest(ARRAY[1, 60, 1440]) AS width GROUP BY 1, 2, 3, 4
            )
            SELECT count(*) FROM ((TABLE expected EXCEPT ALL \(found)) UNION ALL (\(found) EXCEPT ALL TABLE expected)) AS d
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
