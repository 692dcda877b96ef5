import Foundation
import Harness
import Testing

extension OnAServer {
    @Suite("What the page draws of roll-ups") struct RollupCharts {
        /// A reading each 20 s on the days 10, 6, 5 and 1 days ago, of which all but the last are sealed, and late ones on the
        /// day 5 days ago. "kept" has a copy of them.
        private func database() async throws -> TestDatabase {
            let database = try await TestDatabase.make()
            try database.seed(customers: 1, seconds: 5)
            try database.rows(
                """
                SET ROLE heartbeat;
                DELETE FROM heart_rate_readings;
                CREATE TABLE kept (recorded_at timestamptz, heart_rate smallint, is_anomaly boolean);
                GRANT SELECT ON kept TO PUBLIC;
                CREATE FUNCTION add(age integer, step interval, lowest integer) RETURNS void LANGUAGE sql AS $$
                    WITH new AS (
                        INSERT INTO heart_rate_readings (customer_id, recorded_at, heart_rate, is_anomaly)
                        SELECT 'cust_0001', at, lowest + n * 7919 % 41, n % 97 = 0
                          FROM (SELECT now() AT TIME ZONE 'UTC') AS today (moment)
                         CROSS JOIN generate_series((moment::date - age)::timestamp AT TIME ZONE 'UTC',
                                                    (moment::date - age + 1)::timestamp AT TIME ZONE 'UTC' - step, step)
                               WITH ORDINALITY AS s (at, n)
                        RETURNING recorded_at, heart_rate, is_anomaly
                    )
                    INSERT INTO kept TABLE new
                $$;
                SELECT create_readings_partition((now() AT TIME ZONE 'UTC')::date - age),
                       add(age, interval '20 s', 50 + 3 * age) FROM unnest(ARRAY[10, 6, 5, 1]) AS age
                """)
            #expect(try await maintain(database).contains("3 days sealed with 12960 readings"))
            #expect(try database.number("SELECT count(*) FROM customer_rollups") == 9)
            try database.rows("SET ROLE heartbeat; SELECT add(5, interval '47 s', 100)")
            return database
        }

        private func maintain(_ database: TestDatabase, _ settings: [String: String] = [:]) async throws -> String {
            try await Heartbeat.run(
                ["database", "maintain"],
                database.settings(as: "heartbeat-maintenance").merging(settings) { $1 }
            ).log
        }

        /// An instant of the day some days ago.
        private func moment(_ age: Int, _ time: String, in database: TestDatabase) throws -> String {
            let day = try database.rows("SELECT (now() AT TIME ZONE 'UTC')::date - \(age)")[0][0] ?? ""
            return "\(day)T\(time)Z"
        }

        private struct Question {
            var from: String
            var until: String
            var buckets: Int
            /// Whether medians have to be those of the readings, and not only near them.
            var isExact = false
            /// From when on the answer has all readings.
            var since: String?
        }

        /// Asks the page's question, and compares the answer with the readings that were kept.
        @discardableResult
        private func expectRight(
            _ asked: Question, _ dashboard: RunningDashboard, sourceLocation: SourceLocation = #_sourceLocation
        ) throws -> [String: Any] {
            let answer = try dashboard.json(
                "/api/v1/readings?customer_id=cust_0001&from=\(asked.from)&until=\(asked.until)&buckets=\(asked.buckets)"
            )
            let width = try #require(answer["bucket_seconds"] as? Int)
            let expected = try dashboard.database.rows(
                """
                SELECT (extract(epoch FROM date_bin('\(width) s', recorded_at, 'epoch')) * 1000)::bigint AS bucket,
                       min(heart_rate), max(heart_rate), count(*) FILTER (WHERE is_anomaly),
                       percentile_disc(\(asked.isExact ? 0.5 : 0.3)) WITHIN GROUP (ORDER BY heart_rate),
                       percentile_disc(\(asked.isExact ? 0.5 : 0.7)) WITHIN GROUP (ORDER BY heart_rate), count(*)
                  FROM kept WHERE recorded_at >= '\(asked.since ?? asked.from)' AND recorded_at < '\(asked.until)'
                 GROUP BY 1 ORDER BY 1
                """
            ).map { row in row.compactMap { $0.flatMap { Int($0) } } }
            let points = try #require(answer["points"] as? [[Int]])
            #expect(
                points.map { $0.prefix(4) } == expected.map { $0.prefix(4) }, "buckets of \(width) s",
                sourceLocation: sourceLocation)
            for (point, expected) in zip(points, expected) {
                #expect((expected[4]...expected[5]).contains(point[4]), "\(point)", sourceLocation: sourceLocation)
            }
            let count = expected.reduce(0) { $0 + $1[6] }
            #expect(answer["count"] as? Int == count, "buckets of \(width) s", sourceLocation: sourceLocation)
            return answer
        }

        @Test("buckets over roll-ups, sealed readings, late ones and rows have each reading once")
        func seams() async throws {
            let database = try await database()
            let dashboard = try await RunningDashboard(database: database)
            let (from, until) = (
                try moment(10, "03:17:31.5", in: database), try moment(1, "13:45:10.5", in: database)
            )
            var widths: Set<Int> = []
            for buckets in [10, 16, 100, 400, 1000] {
                let answer = try expectRight(Question(from: from, until: until, buckets: buckets), dashboard)
                #expect(answer["rollups_until"] is NSNull)
                widths.insert(answer["bucket_seconds"] as? Int ?? 0)
            }
            #expect(widths == [172_800, 86_400, 14_400, 3600, 900])
            // A minute's median is that of its readings.
            let (morning, noon) = (try moment(6, "06:00:13", in: database), try moment(6, "12:30:59", in: database))
            let minutes = try expectRight(
                Question(from: morning, until: noon, buckets: 400, isExact: true), dashboard)
            #expect(minutes["bucket_seconds"] as? Int == 60)
            // Where a day has no roll-up its sealed readings are read.
            try database.rows("DELETE FROM customer_rollups WHERE day = (now() AT TIME ZONE 'UTC')::date - 6")
            for buckets in [16, 400, 1000] {
                try expectRight(Question(from: from, until: until, buckets: buckets), dashboard)
            }
        }

        @Test("a day whose readings retention has dropped is drawn from its minutes, and the answer says so")
        func dropped() async throws {
            let database = try await database()
            #expect(try await maintain(database, ["RETENTION_DAYS": "8"]).contains("1 days dropped"))
            let dashboard = try await RunningDashboard(database: database)
            let (from, since) = (try moment(10, "03:17:31.5", in: database), try moment(10, "03:18:00", in: database))
            let (until, midnight) = (
                try moment(1, "13:45:10.5", in: database), try moment(9, "00:00:00.000000", in: database)
            )
            for buckets in [16, 400, 1000] {
                let answer = try expectRight(
                    Question(from: from, until: until, buckets: buckets, since: since), dashboard)
                #expect(answer["rollups_until"] as? String == midnight)
            }
            // A few minutes, of which there were few readings.
            let (begin, end) = (try moment(10, "08:00:00", in: database), try moment(10, "08:05:00", in: database))
            let short = try expectRight(Question(from: begin, until: end, buckets: 400, isExact: true), dashboard)
            #expect(short["bucket_seconds"] as? Int == 60 && (short["points"] as? [Any])?.count == 5)
            let file = try dashboard.get("/api/v1/readings.csv?customer_id=cust_0001&from=\(from)&until=\(until)")
            #expect(
                file.text.split(separator: "\r\n").count == 1
                    + (try database.number(
                        "SELECT count(*) FROM kept WHERE recorded_at >= '\(midnight)' AND recorded_at < '\(until)'")))
        }

        @Test("what a customer was doing comes from roll-ups, from sealed readings and from rows")
        func activities() async throws {
            let database = try await database()
            // Another one each hour, told by two of three readings, and not by the late ones.
            try database.rows(
                """
                SET ROLE heartbeat;
                SELECT create_readings_partition((now() AT TIME ZONE 'UTC')::date - 8);
                INSERT INTO heart_rate_readings (customer_id, recorded_at, heart_rate, is_anomaly, activity)
                SELECT 'cust_0001', at, 70, false,
                       CASE WHEN n % 3 > 0 THEN extract(hour FROM at AT TIME ZONE 'UTC')::integer % 4 END
                  FROM (SELECT (now() AT TIME ZONE 'UTC')::date - 8) AS d (day)
                 CROSS JOIN generate_series(day::timestamp AT TIME ZONE 'UTC',
                                            (day + 1)::timestamp AT TIME ZONE 'UTC' - interval '20 s', interval '20 s')
                       WITH ORDINALITY AS s (at, n)
                """)
            let dashboard = try await RunningDashboard(database: database)
            let (from, until) = (
                try moment(8, "00:00:00", in: database), try moment(8, "23:59:59.999", in: database)
            )
            let words = ["sleep", "rest", "walk", "exercise"]
            func expect(_ buckets: Int, width: Int) throws {
                let answer = try dashboard.json(
                    "/api/v1/readings?customer_id=cust_0001&from=\(from)&until=\(until)&buckets=\(buckets)")
                #expect(answer["bucket_seconds"] as? Int == width)
                let told = try #require(answer["activities"] as? [String])
                #expect(told == (0..<86_400 / width).map { words[$0 * width / 3600 % 4] })
            }
            for _ in 0..<2 {
                try expect(30, width: 3600)
                try expect(1000, width: 120)
                _ = try await maintain(database)
            }
            #expect(try database.number("SELECT count(activities) FROM customer_rollups") == 3)
            try database.rows("DELETE FROM customer_rollups WHERE day = (now() AT TIME ZONE 'UTC')::date - 8")
            try expect(30, width: 3600)
        }

        @Test("a year of a customer is asked for at once, and ten, but no more")
        func year() async throws {
            let database = try await database()
            let dashboard = try await RunningDashboard(database: database)
            let until = try moment(0, "00:00:00", in: database)
            for days in [366, 3660] {
                let from = try moment(days, "00:00:00", in: database)
                let answer = try expectRight(Question(from: from, until: until, buckets: 500), dashboard)
                #expect((answer["points"] as? [Any])?.isEmpty == false)
            }
            let target =
                "/api/v1/readings?customer_id=cust_0001&from=\(try moment(3661, "00:00:00", in: database))&until=\(until)"
            #expect(try dashboard.get(target).status == 400)
        }
    }
}
