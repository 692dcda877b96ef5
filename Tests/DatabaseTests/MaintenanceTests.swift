import Foundation
import Harness
import PostgreSQL
import Testing

extension OnAServer {
    @Suite("heartbeat database maintain and status") struct MaintenanceOfDatabase {
        /// Runs as the role that has no rights but to become the owner.
        private func maintain(
            _ database: TestDatabase, _ settings: [String: String] = [:]
        ) async throws -> Heartbeat.Finished {
            try await Heartbeat.run(
                ["database", "maintain"],
                database.settings(as: "heartbeat-maintenance").merging(settings) { $1 })
        }

        /// 300 offsets of one partition as a consumer would have stored them: a hundred on each of a day that is 100 days old,
        /// one that is 95 days old, and yesterday. Every tenth is rejected; those of the oldest day long ago.
        private func agedDatabase() async throws -> TestDatabase {
            let database = try await TestDatabase.make()
            try database.rows(
                """
                SET ROLE heartbeat;
                SELECT create_readings_partition((now() AT TIME ZONE 'UTC')::date - age) FROM unnest(ARRAY[100, 95, 1]) AS age;
                INSERT INTO kafka_offsets (cluster_id, topic, partition, first_offset, next_offset)
                VALUES ('c', 't', 0, 0, 300);
                INSERT INTO customers VALUES ('c0'), ('c1'), ('c2');
                INSERT INTO heart_rate_readings (customer_id, recorded_at, heart_rate, is_anomaly, source_id, kafka_offset)
                SELECT 'c' || n % 3, ((now() AT TIME ZONE 'UTC')::date - (ARRAY[100, 95, 1])[n / 100 + 1])::timestamp
                       AT TIME ZONE 'UTC' + n * interval '2 seconds', 60 + n % 50, n % 7 = 0, source_id, n
                  FROM generate_series(0, 299) AS n, kafka_offsets WHERE n % 10 <> 0;
                INSERT INTO rejected_messages (source_id, topic, partition, kafka_offset, reason_code, reason, rejected_at)
                SELECT source_id, 't', 0, n, 'x', 'x', now() - interval '1 day' * (ARRAY[100, 60, 1])[n / 100 + 1]
                  FROM generate_series(0, 299, 10) AS n, kafka_offsets
                """)
            return database
        }

        private func expectSound(
            _ database: TestDatabase, dropped: String?, sourceLocation: SourceLocation = #_sourceLocation
        ) async throws {
            let verification = try await Heartbeat.run(["verify"], database.settings(as: "heartbeat-dashboard"))
            let suffix = dropped.map { "; dropped by retention: \($0)" } ?? ""
            #expect(verification.end == .exited(0), "\(verification.output)", sourceLocation: sourceLocation)
            #expect(
                verification.output.hasPrefix(
                    "t [0]: offsets 0 to 299, 300 consumed = 270 readings + 30 rejected\(suffix)\n"
                        + "sound: 300 messages = 270 readings + 30 rejected, each exactly once\n")
                    && verification.output.contains("are no longer there") == (dropped != nil),
                "\(verification.output)", sourceLocation: sourceLocation)
        }

        @Test("what the notifier had to tell goes after a week, but for episodes that are open")
        func notifications() async throws {
            let database = try await TestDatabase.make()
            try database.rows(
                """
                INSERT INTO episodes (customer_id, kind, severity, worst_severity, opened_at, raised_at, last_seen_at, closed_at,
                                      readings, reason)
                SELECT 'c' || n, 'tachycardia', 'high', 'high', now(), now(), now(), CASE WHEN n > 1 THEN now() END, 1, 'fast'
                  FROM generate_series(1, 3) AS n;
                INSERT INTO episode_events (event, recorded_at, happened_at, episode_id, customer_id, groups, kind, severity,
                                            worst_severity, opened_at, raised_at, reason)
                SELECT 'opened', now() - CASE customer_id WHEN 'c3' THEN interval '6 days' ELSE interval '8 days' END, now(),
                       episode_id, customer_id, '', kind, severity, worst_severity, opened_at, raised_at, reason FROM episodes;
                INSERT INTO notifications (event_id, receiver) SELECT event_id, 'duty' FROM episode_events
                """)
            #expect(try await maintain(database).end == .exited(0))
            let kept = try database.rows(
                "SELECT customer_id FROM episode_events JOIN notifications USING (event_id) ORDER BY 1")
            #expect(kept == [["c1"], ["c3"]])
            #expect(try database.number("SELECT count(*) FROM notifications") == 2)
        }

        private func rollUp(_ database: TestDatabase) throws -> [[String?]] {
            try database.rows(
                """
                SELECT minute, sum(readings), sum(anomalies), min(heart_rate_min), max(heart_rate_max), sum(heart_rate_sum)
                  FROM readings_per_minute GROUP BY 1 ORDER BY 1
                """)
        }

        @Test("what is too old is dropped, what it was is known, and the proof goes on")
        func retention() async throws {
            let database = try await agedDatabase()
            try await expectSound(database, dropped: nil)
            let sums = try database.rows(
                """
                SELECT date_trunc('minute', recorded_at), count(*), count(*) FILTER (WHERE is_anomaly), min(heart_rate),
                       max(heart_rate), sum(heart_rate)
                  FROM heart_rate_readings WHERE recorded_at < now() - interval '90 days' GROUP BY 1 ORDER BY 1
                """)
            let first = try await maintain(database)
            #expect(first.end == .exited(0), "\(first.log)")
            #expect(
                first.log.contains("2 days dropped, 180 readings and 10 rejected messages deleted, 0 steps failed"))
            #expect(try database.number("SELECT count(*) FROM heart_rate_readings") == 90)
            #expect(try database.number("SELECT count(*) FROM rejected_messages") == 20)
            #expect(try rollUp(database) == sums, "a row for each minute of the days that were dropped")
            try await expectSound(database, dropped: "180 readings + 10 rejected")
            // The rejected ones between the readings are there no more only where they were too old, too.
            let ranges = try database.rows("SELECT count(*) FROM retired_offsets, unnest(offsets)")
            #expect(ranges == [["11"]])

            let again = try await maintain(database)
            #expect(again.log.contains("done: 0 new partitions, 0 days dropped, 0 readings and 0 rejected"))
            let shorter = try await maintain(database, ["REJECTED_RETENTION_DAYS": "30"])
            #expect(shorter.log.contains("0 readings and 10 rejected messages deleted"))
            try await expectSound(database, dropped: "180 readings + 20 rejected")
            #expect(try database.rows("SELECT count(*) FROM retired_offsets, unnest(offsets)") == [["1"]])
        }

        @Test("a day that is counted in several steps: no offset and no minute is counted twice or left out")
        func steps() async throws {
            let database = try await TestDatabase.make()
            try database.rows(
                """
                SET ROLE heartbeat;
                SELECT create_readings_partition((now() AT TIME ZONE 'UTC')::date - 100);
                INSERT INTO kafka_offsets (cluster_id, topic, partition, first_offset, next_offset)
                SELECT 'c', 't', p, 0, 100000 FROM generate_series(0, 1) AS p;
                INSERT INTO heart_rate_readings (customer_id, recorded_at, heart_rate, is_anomaly, source_id, kafka_offset)
                SELECT 'c', ((now() AT TIME ZONE 'UTC')::date - 100)::timestamp AT TIME ZONE 'UTC' + n * interval '0.8 s',
                       60 + n % 50, n % 7 = 0, source_id, n
                  FROM generate_series(0, 99999) AS n, kafka_offsets
                """)
            let pages = try database.number(
                """
                SELECT max(pg_relation_size(inhrelid)) / 8192 FROM pg_inherits
                 WHERE inhparent = 'heart_rate_readings'::regclass
                """)
            #expect(pages > 1000, "one step has a hundred")
            let sums = try database.rows(
                """
                SELECT date_trunc('minute', recorded_at), count(*), count(*) FILTER (WHERE is_anomaly), min(heart_rate),
                       max(heart_rate), sum(heart_rate) FROM heart_rate_readings GROUP BY 1 ORDER BY 1
                """)
            let run = try await maintain(database)
            #expect(run.log.contains("1 days dropped, 200000 readings"), "\(run.log)")
            #expect(try rollUp(database) == sums)
            let retired = try database.rows("SELECT readings, offsets FROM retired_offsets ORDER BY source_id")
            #expect(retired == Array(repeating: ["100000", "{[0,100000)}"], count: 2))
        }

        @Test(
            "a run that was killed between taking a day out and dropping it: nothing is missing, the next one goes on")
        func killed() async throws {
            let database = try await agedDatabase()
            let name = try #require(
                database.rows(
                    "SELECT 'heart_rate_readings_' || to_char((now() AT TIME ZONE 'UTC')::date - 100, 'YYYYMMDD')")[0][
                        0])
            try database.rows(
                """
                SET ROLE heartbeat; ALTER TABLE heart_rate_readings DETACH PARTITION \(name);
                ALTER TABLE \(name) INHERIT heart_rate_readings_retired
                """)
            try await expectSound(database, dropped: nil)
            let next = try await maintain(database)
            #expect(next.log.contains("2 days dropped, 180 readings"), "\(next.log)")
            try await expectSound(database, dropped: "180 readings + 10 rejected")
        }

        @Test("the roll-up that the consumers have kept stays, and a minute that lacks readings is rewritten")
        func completeRollUp() async throws {
            let database = try await agedDatabase()
            // As the consumer keeps it, but one minute lacks a reading, one is not there, and one has more: a late reading.
            try database.rows(
                """
                INSERT INTO readings_per_minute (minute, consumer, readings, anomalies, heart_rate_min, heart_rate_max, heart_rate_sum)
                SELECT date_trunc('minute', recorded_at), 'a', count(*), count(*) FILTER (WHERE is_anomaly), min(heart_rate),
                       max(heart_rate), sum(heart_rate)
                  FROM heart_rate_readings GROUP BY 1
                """)
            let complete = try rollUp(database)
            let minutes = complete.compactMap { $0[0] }
            try database.rows(
                """
                UPDATE readings_per_minute SET readings = readings - 1 WHERE minute = '\(minutes[0])';
                DELETE FROM readings_per_minute WHERE minute = '\(minutes[1])';
                UPDATE readings_per_minute SET readings = readings + 1 WHERE minute = '\(minutes[2])'
                """)
            let run = try await maintain(database)
            #expect(run.log.contains("2 minutes of \"readings_per_minute\" were rewritten"), "\(run.log)")
            let consumers = try database.rows(
                "SELECT minute FROM readings_per_minute WHERE consumer = 'maintenance' ORDER BY 1")
            #expect(consumers.compactMap { $0[0] } == Array(minutes[0...1]))
            try database.rows("UPDATE readings_per_minute SET readings = readings - 1 WHERE minute = '\(minutes[2])'")
            #expect(try rollUp(database) == complete)
        }

        @Test("old rows of the default partition go when they were stored long ago, too")
        func defaultPartition() async throws {
            let database = try await agedDatabase()
            try database.rows(
                """
                UPDATE kafka_offsets SET first_offset = -20;
                INSERT INTO heart_rate_readings (customer_id, recorded_at, heart_rate, is_anomaly, source_id, kafka_offset, inserted_at)
                SELECT 'c', '2016-04-12T00:00:00Z', 70, false, source_id, -n, CASE WHEN n <= 15 THEN now() - interval '92 days' ELSE now() END
                  FROM generate_series(1, 20) AS n, kafka_offsets
                """)
            let run = try await maintain(database)
            #expect(run.log.contains("2 days dropped, 195 readings"), "\(run.log)")
            #expect(try database.number("SELECT count(*) FROM heart_rate_readings_default") == 5)
            let verification = try await Heartbeat.run(["verify"], database.settings(as: "postgres"))
            #expect(verification.end == .exited(0), "\(verification.output)")
            #expect(verification.output.contains("offsets -20 to 299, 320 consumed = 290 readings"))
        }

        @Test(
            "what was not stored exactly once before it was dropped, or is tampered with afterwards, is found all the same",
            arguments: [
                ("", "UPDATE retired_offsets SET offsets = offsets - '{[5,6)}'::int8multirange", "; MISSING: 5\n"),
                ("", "UPDATE retired_offsets SET readings = readings - 1", "299 readings"),
                ("", "DELETE FROM retired_offsets", "; MISSING: 0 to 99, 101 to 109, "),
                (
                    "",
                    """
                    INSERT INTO heart_rate_readings (customer_id, recorded_at, heart_rate, is_anomaly, source_id, kafka_offset)
                    SELECT 'c', now(), 70, false, source_id, 42 FROM kafka_offsets
                    """, "; STORED TWICE OR NOT READ: 42\n"
                ),
                ("DELETE FROM heart_rate_readings WHERE kafka_offset = 17", "", "; MISSING: 17\n"),
                (
                    """
                    INSERT INTO heart_rate_readings (customer_id, recorded_at, heart_rate, is_anomaly, source_id, kafka_offset)
                    SELECT customer_id, recorded_at, heart_rate, is_anomaly, source_id, kafka_offset
                      FROM heart_rate_readings WHERE kafka_offset = 42
                    """, "", "300 consumed = 271 readings"
                ),
            ])
        func tampered(before: String, after: String, finding: String) async throws {
            let database = try await agedDatabase()
            if !before.isEmpty { try database.rows(before) }
            #expect(try await maintain(database).end == .exited(0))
            if !after.isEmpty { try database.rows(after) }
            let verification = try await Heartbeat.run(["verify"], database.settings(as: "postgres"))
            #expect(verification.end == .exited(1), "\(verification.output)")
            let expected = finding == "299 readings" ? "300 consumed = 269 readings" : finding
            #expect(verification.output.contains(expected), "\(verification.output)")
        }

        @Test("it waits for readers of the whole table in short attempts, and inserts go on meanwhile")
        func lockedTable() async throws {
            let database = try await agedDatabase()
            let reader = try database.connect()
            try reader.rows("BEGIN; SELECT count(*) FROM heart_rate_readings")
            let maintenance = try Heartbeat.start(
                "maintain", ["database", "maintain"], settings: database.settings(as: "heartbeat-maintenance"))
            let log = try #require(PrivatePostgreSQL.current)
            try await eventually("it has tried several times") {
                log.log.components(separatedBy: "canceling statement due to lock timeout").count > 3
            }
            // Behind the attempt that is made just now one insert waits for 50 ms at most, and is not refused.
            let writer = try database.connect(as: "heartbeat-consumer")
            for _ in 0..<100 {
                try writer.rows(
                    "INSERT INTO heart_rate_readings (customer_id, recorded_at, heart_rate, is_anomaly) VALUES ('x', now(), 70, false)"
                )
            }
            #expect(maintenance.end == nil)
            try reader.rows("COMMIT")
            #expect(try await maintenance.waitForEnd(within: .seconds(120)) == .exited(0))
            #expect(maintenance.log.contains("2 days dropped"), "\(maintenance.log)")
            try await expectSound(database, dropped: "180 readings + 10 rejected")
        }

        @Test("under load nothing is lost, and only one maintenance runs")
        func underLoad() async throws {
            let pipeline = try await Pipeline(partitions: 8)
            try pipeline.database.rows(
                """
                SET ROLE heartbeat;
                SELECT create_readings_partition((now() AT TIME ZONE 'UTC')::date - age) FROM generate_series(91, 100) AS age;
                INSERT INTO heart_rate_readings (customer_id, recorded_at, heart_rate, is_anomaly)
                SELECT 'old', now() - interval '1 day' * age, 60, false FROM generate_series(91, 100) AS age;
                DROP TABLE heart_rate_readings_\(Self.nameOfDay(ahead: 7))
                """)
            let consumer = try await pipeline.startReadyConsumer()
            let load = try Load(pipeline.broker, perSecond: 2000)
            try await pipeline.untilStored(1000)
            let runs = try (0..<2).map { number in
                try Heartbeat.start(
                    "maintain \(number)", ["database", "maintain"],
                    settings: pipeline.database.settings(as: "heartbeat-maintenance"))
            }
            for run in runs { run.expectEnd() }
            for run in runs { #expect(try await run.waitForEnd(within: .seconds(120)) == .exited(0), "\(run.log)") }
            let logs = runs.map(\.log).joined()
            #expect(logs.contains("10 days dropped, 10 readings"), "\(logs)")
            let total = try load.stop()
            try await pipeline.untilStored(total.messages)
            try await pipeline.stop(consumer)
            // Those of the old readings, which came from no message.
            try pipeline.database.rows("DELETE FROM readings_per_minute WHERE consumer = 'maintenance'")
            try pipeline.expectStored(total)
            try await pipeline.expectSound(total.messages)
            #expect(!consumer.log.contains("waiting for PostgreSQL"))
            #expect(
                try pipeline.database.rows(
                    "SELECT to_regclass('heart_rate_readings_\(Self.nameOfDay(ahead: 7))') IS NULL")
                    == [["f"]])
        }

        private static func nameOfDay(ahead days: Int) -> String {
            let formatter = DateFormatter()
            formatter.dateFormat = "yyyyMMdd"
            formatter.timeZone = TimeZone(identifier: "UTC")
            formatter.locale = Locale(identifier: "en_US_POSIX")
            return formatter.string(from: Date(timeIntervalSinceNow: Double(days) * 86_400))
        }

        @Test("its role has no rights before it becomes the owner, and is no superuser")
        func role() async throws {
            let database = try await TestDatabase.make()
            let session = try database.connect(as: "heartbeat-maintenance")
            for statement in ["SELECT * FROM public.customers", "CREATE TABLE x (y integer)", "CREATE ROLE y"] {
                #expect(throws: PostgreSQLError.self, "\(statement)") { try session.rows(statement) }
            }
            let other = try await maintain(database, ["POSTGRES_USER": "heartbeat-consumer"])
            #expect(other.end == .exited(70))
            #expect(other.log.contains("unable to become the role \"heartbeat\""))
        }

        @Test("a server that does not answer is waited for as long as was asked")
        func unavailable() async throws {
            let settings = ["POSTGRES_HOST": "/nowhere", "POSTGRES_USER": "postgres"]
            for command in [["maintain"], ["maintain", "--wait", "1"], ["setup", "--wait", "1"], ["status"]] {
                let ended = try await Heartbeat.run(["database"] + command, settings)
                #expect(ended.end == .exited(69), "\(command): \(ended.log)")
                #expect(ended.log.contains("heartbeat: unable to connect to PostgreSQL"))
                #expect(ended.log.contains("waiting for PostgreSQL") == command.contains("--wait"))
            }
        }

        @Test("the status, for people and as JSON")
        func status() async throws {
            let database = try await agedDatabase()
            try database.rows(
                """
                INSERT INTO heart_rate_readings (customer_id, recorded_at, heart_rate, is_anomaly)
                SELECT 'c1', date_trunc('day', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' - interval '1 day' + n * interval '1 second',
                       70, false FROM generate_series(0, 9999) AS n
                """)
            let json = try await Heartbeat.run(["database", "status", "--json"], database.settings(as: "postgres"))
            #expect(json.end == .exited(0), "\(json.log)")
            let status = try #require(JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any])
            #expect(status["database"] as? String == database.name)
            #expect(status["partitions"] as? Int == 11)
            #expect(status["firstPartition"] as? String == "\(try day(database, -100))")
            #expect(status["lastPartition"] as? String == "\(try day(database, 7))")
            #expect((status["oldestReading"] as? String)?.hasPrefix(try day(database, -100)) == true)
            #expect((status["newestReading"] as? String)?.hasPrefix(try day(database, -1)) == true)
            let size = try database.number(
                "SELECT pg_total_relation_size('heart_rate_readings_' || to_char((now() AT TIME ZONE 'UTC')::date - 1, 'YYYYMMDD'))"
            )
            #expect(status["bytesPerDay"] as? Int == size)
            let disk = try #require(status["disk"] as? [String: Any])
            #expect(disk["path"] as? String == database.cluster.host + "/data")
            #expect((disk["freeBytes"] as? Int ?? 0) > 0)
            for role in ["postgres", "heartbeat-maintenance", "heartbeat-dashboard"] {
                let text = try await Heartbeat.run(["database", "status"], database.settings(as: role))
                #expect(text.end == .exited(0), "\(text.log)")
                #expect(text.output.hasPrefix("database \"\(database.name)\": "))
                #expect(text.output.contains("\npartitions: 11, \(try day(database, -100)) to \(try day(database, 7))"))
                #expect(text.output.contains("a day (mean of the whole days of the last week)\n"))
                #expect(text.output.split(separator: "\n").count == 6)
            }
        }

        private func day(_ database: TestDatabase, _ offset: Int) throws -> String {
            try database.rows("SELECT (now() AT TIME ZONE 'UTC')::date + (\(offset))")[0][0] ?? ""
        }
    }
}
