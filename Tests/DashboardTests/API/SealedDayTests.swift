import Foundation
import Harness
import Testing

extension OnAServer {
    @Suite("What the page shows of sealed days") struct SealedDays {
        /// Ten days ago: three customers, a reading a second for two hours, some with microseconds, some twice in a moment.
        private func agedDatabase() async throws -> TestDatabase {
            let database = try await TestDatabase.make()
            try database.seed(customers: 3, seconds: 60)
            try database.rows(
                """
                SET ROLE heartbeat;
                SELECT create_readings_partition((now() AT TIME ZONE 'UTC')::date - 10);
                INSERT INTO heart_rate_readings (customer_id, recorded_at, heart_rate, is_anomaly, anomaly_reason, source_id,
                                                 kafka_offset)
                SELECT 'cust_000' || c, date_trunc('day', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' - interval '10 days'
                       + interval '7 hours' + s / c * interval '1 s' + c * interval '1 us', 60 + s % 40, s % 97 = 0,
                       CASE WHEN s % 97 = 0 THEN 'a reason, with "quotes"' END, 2, s * 3 + c
                  FROM generate_series(0, 7199) AS s, generate_series(1, 3) AS c;
                INSERT INTO kafka_offsets (cluster_id, topic, partition, first_offset, next_offset)
                SELECT 'c', 'heartbeat', 1, 1, 21601
                """)
            return database
        }

        /// All that the page asks for a customer and a time.
        private static let targets = [
            "/api/v1/readings.csv?customer_id=cust_0001&",
            "/api/v1/readings.csv?customer_id=cust_0002&",
            "/api/v1/readings?customer_id=cust_0001&buckets=400&",
            "/api/v1/readings?customer_id=cust_0003&buckets=1000&",
            "/api/v1/anomalies?limit=200&customer_id=cust_0003&", "/api/v1/anomalies?limit=200&",
        ]

        @Test("readings, files, anomalies and the first reading are the same before and after the day is sealed")
        func unnoticed() async throws {
            let database = try await agedDatabase()
            let dashboard = try await RunningDashboard(database: database)
            let day = try #require(
                database.rows("SELECT (now() AT TIME ZONE 'UTC')::date - 10")[0][0])
            let ranges = [
                "from=\(day)T00:00:00Z&until=\(day)T23:59:00Z", "from=\(day)T07:59:30.000001Z&until=\(day)T08:02:00Z",
                "from=\(day)T08:59:00Z&until=\(day)T08:59:00.000002Z", "from=\(day)T00:00:00Z&until=\(day)T07:00:00Z",
            ]
            func answers() throws -> [String] {
                try Self.targets.flatMap { target in try ranges.map { try dashboard.get(target + $0).text } }
                    + ["\(dashboard.json("/api/v1/customer?customer_id=cust_0001")["first_recorded_at"] ?? "none")"]
            }
            let before = try answers().map(Self.comparable)
            #expect(before[0].split(separator: "\r\n").count == 7201)
            let maintenance = try await Heartbeat.run(
                ["database", "maintain"], database.settings(as: "heartbeat-maintenance"))
            #expect(maintenance.log.contains("1 days sealed with 21600 readings"), "\(maintenance.log)")
            for (old, new) in zip(before, try answers().map(Self.comparable)) { #expect(old == new) }
        }

        @Test("the list of anomalies goes on through sealed days, page by page, with each of them once")
        func pages() async throws {
            let database = try await agedDatabase()
            let dashboard = try await RunningDashboard(database: database)
            _ = try await Heartbeat.run(["database", "maintain"], database.settings(as: "heartbeat-maintenance"))
            #expect(try database.number("SELECT sum(anomalies) FROM seals") == 225)
            var count = 0
            var before = ""
            while true {
                let page = try dashboard.json("/api/v1/anomalies?limit=50\(before)")
                count += try #require(page["items"] as? [Any]).count
                guard let next = page["next_before"] as? String else { break }
                before = "&before=\(next)"
            }
            #expect(count == 225 + 6, "those of the last minute, too")
        }

        @Test("the page opens no sealed day for its short list of anomalies, which would take too long")
        func shortList() async throws {
            let database = try await agedDatabase()
            _ = try await Heartbeat.run(["database", "maintain"], database.settings(as: "heartbeat-maintenance"))
            let function = try #require(database.rows("SELECT pg_get_functiondef('unpack_readings'::regproc)")[0][0])
            let head = try #require(function.firstRange(of: " LANGUAGE sql")).lowerBound
            try database.rows(function[..<head] + " LANGUAGE plpgsql AS $$ BEGIN RAISE 'a block is opened'; END $$")
            let dashboard = try await RunningDashboard(database: database)
            try await eventually("it has read the database") {
                try (dashboard.json("/api/v1/state")["anomalies"] as? [Any])?.count == 6
            }
            #expect(try dashboard.get("/api/v1/anomalies?limit=50").status == 503, "this one looks there")
        }

        /// The median of some minutes is that of the minutes' medians, once they are sealed. A cursor has the number of a row, which a sealed reading has another of; where readings of one moment are listed
        /// in their order, so it is with the ages of what is live.
        private static func comparable(_ answer: String) -> String {
            answer.replacing(/"next_before":"[^"]*"/, with: "").replacing(/(\[\d+,\d+,\d+,\d+),\d+\]/) { "\($0.1)]" }
        }
    }
}
