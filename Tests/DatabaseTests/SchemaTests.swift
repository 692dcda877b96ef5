import Foundation
import Harness
import PostgreSQL
import Testing

extension OnAServer {
    @Suite("Rights, partitions and the contract's statements") struct Schema {
        @Test("the consumer's role may not do more than it does")
        func consumerRights() async throws {
            let database = try await TestDatabase.make()
            let session = try database.connect(as: "heartbeat-consumer")
            for statement in [
                "DROP TABLE customers", "DROP TABLE heart_rate_readings", "DROP SCHEMA public CASCADE",
                "TRUNCATE heart_rate_readings", "TRUNCATE pipeline_log", "DELETE FROM heart_rate_readings",
                "DELETE FROM kafka_offsets", "DELETE FROM rejected_messages", "DELETE FROM offset_gaps",
                "DELETE FROM customers", "DELETE FROM pipeline_log", "UPDATE heart_rate_readings SET heart_rate = 1",
                "UPDATE customers SET customer_id = 'x'", "UPDATE rejected_messages SET payload = NULL",
                "UPDATE kafka_offsets SET first_offset = 0", "UPDATE kafka_offsets SET topic = ''",
                "UPDATE offset_gaps SET until_offset = 0", "INSERT INTO schema_version VALUES (99, 'x')",
                "ALTER TABLE heart_rate_readings ADD COLUMN x integer",
                "ALTER TABLE heart_rate_readings DISABLE TRIGGER ALL", "CREATE TABLE x (y integer)",
                """
                CREATE OR REPLACE FUNCTION log_messages(text, integer, integer, integer) RETURNS void LANGUAGE sql AS ''
                """,
                "DROP FUNCTION create_readings_partition(date)", "CREATE ROLE x", "CREATE DATABASE x",
                "SET ROLE heartbeat", "SET ROLE postgres", "CREATE INDEX ON customers (created_at)",
                "COPY customers TO PROGRAM 'true'", "ALTER ROLE postgres NOLOGIN",
            ] {
                expectRefused(statement, session)
            }
        }

        @Test("the dashboard's role may only read, and acknowledge an episode")
        func dashboardRights() async throws {
            let database = try await TestDatabase.make()
            let session = try database.connect(as: "heartbeat-dashboard")
            let tables = try database.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").compactMap {
                $0[0]
            }
            #expect(tables.contains("heart_rate_readings") && tables.contains("rejected_messages"))
            for table in tables {
                expectRefused("DELETE FROM \(table)", session)
                expectRefused("TRUNCATE \(table)", session)
                expectRefused("INSERT INTO \(table) DEFAULT VALUES", session)
                expectRefused("DROP TABLE \(table)", session)
            }
            for table in tables where !table.hasPrefix("heart_rate_readings_") {
                #expect(throws: Never.self) { try session.rows("SELECT * FROM \(table)") }
            }
            expectRefused("SELECT create_readings_partition(current_date - 50)", session)
            expectRefused("UPDATE kafka_offsets SET next_offset = 0", session)
            expectRefused("CREATE TABLE x (y integer)", session)
            for column in [
                "unseen_severity = NULL", "acknowledged_by = 'x'", "acknowledged_at = now()", "closed_at = now()",
                "reason = ''",
            ] {
                expectRefused("UPDATE episodes SET \(column)", session)
            }
            expectRefused("UPDATE customer_limits SET heart_rate_max = 299", session)
            expectRefused(
                "SELECT record_episodes('{a}','{bradycardia}','{high}','{high}','{now}','{now}','{now}',"
                    + "'{NULL}','{1}','{1}','{x}')", session)
            expectRefused(
                "ALTER FUNCTION acknowledge_episode SET search_path = public, pg_temp", session)
            try database.rows(
                """
                INSERT INTO episodes (customer_id, kind, severity, worst_severity, opened_at, raised_at, last_seen_at,
                                      readings, reason)
                VALUES ('a', 'bradycardia', 'high', 'high', now(), now(), now(), 1, 'x')
                """)
            #expect(try session.rows("SELECT acknowledge_episode(1, ' Anna ')")[0][0] == "t")
            #expect(try session.rows("SELECT acknowledge_episode(1, 'Carl')")[0][0] == "f")
            #expect(try session.rows("SELECT acknowledged_by FROM episodes")[0][0] == "Anna")
            for name in ["", "  ", String(repeating: "x", count: 51)] {
                #expect(throws: PostgreSQLError.self) { try session.rows("SELECT acknowledge_episode(1, '\(name)')") }
            }
            expectRefused("SELECT acknowledge_episode(1, 'x')", try database.connect(as: "heartbeat-consumer"))
        }

        @Test("a role that is none of ours may nothing")
        func publicRights() async throws {
            let database = try await TestDatabase.make()
            try database.rows("DROP ROLE IF EXISTS stranger; CREATE ROLE stranger LOGIN")
            let session = try database.connect(as: "stranger")
            for statement in [
                "SELECT * FROM heart_rate_readings", "SELECT * FROM customers", "CREATE TABLE x (y integer)",
                "SELECT create_readings_partition(current_date - 50)", "SELECT * FROM schema_version",
            ] {
                // It cannot even see what there is.
                #expect(throws: PostgreSQLError.self, "\(statement)") { try session.rows(statement) }
            }
        }

        private func expectRefused(_ statement: String, _ session: PostgreSQLConnection) {
            do throws(PostgreSQLError) {
                try session.execute(statement, unableTo: "do what is not allowed")
                Issue.record("\(statement): it was allowed")
            } catch {
                #expect(error.sqlState?.rawValue == "42501", "\(statement): \(error)")
            }
        }

        @Test("a customer's latest reading is the latest by its time stamp, whatever comes when")
        func customerState() async throws {
            let database = try await TestDatabase.make()
            let session = try database.connect(as: "heartbeat-consumer")
            func record(_ id: String, at time: String, bpm: Int, isLow: Bool = false) throws -> [String?] {
                try session.rows(
                    """
                    INSERT INTO customer_changes VALUES (
                        '\(id)', '2026-02-19T\(time)Z', \(bpm), \(isLow ? "'low'" : "NULL"), 2, \(isLow ? 1 : 0), 1, NULL);
                    SELECT record_customers()
                    """)
                return try session.rows(
                    """
                    SELECT recorded_at::time, heart_rate, is_anomaly, anomaly_reason, readings, anomalies
                      FROM customer_state WHERE customer_id = '\(id)'
                    """)[0]
            }
            #expect(try record("a", at: "16:00:00", bpm: 70) == ["16:00:00", "70", "f", nil, "2", "0"])
            #expect(try record("a", at: "15:59:59", bpm: 30, isLow: true) == ["16:00:00", "70", "f", nil, "4", "1"])
            #expect(try record("a", at: "16:00:00", bpm: 20, isLow: true) == ["16:00:00", "20", "t", "low", "6", "2"])
            #expect(try record("a", at: "16:00:01", bpm: 71) == ["16:00:01", "71", "f", nil, "8", "2"])
            #expect(try record("b", at: "12:00:00", bpm: 72) == ["12:00:00", "72", "f", nil, "2", "0"])
            #expect(try session.rows("SELECT customer_id FROM customers ORDER BY 1").map { $0[0] } == ["a", "b"])
        }

        @Test("the contract's statements run as they are written")
        func contract() async throws {
            let database = try await TestDatabase.make()
            let session = try database.connect(as: "heartbeat-consumer")
            try session.rows(
                "INSERT INTO heart_rate_readings (customer_id, recorded_at, heart_rate, is_anomaly) VALUES ('x', now(), 70, false);"
            )
            try session.rows(
                """
                INSERT INTO heart_rate_readings (customer_id, recorded_at, heart_rate, is_anomaly, anomaly_reason)
                VALUES ('x', now() - interval '1 minute', 200, true, 'tachycardia (bpm=200 > threshold=180)'),
                       ('x', now() - interval '61 minutes', 201, true, 'tachycardia (bpm=201 > threshold=180)'),
                       ('y', now() - interval '2 days', 60, false, NULL)
                """)
            let reader = try database.connect(as: "heartbeat-dashboard")
            let latest = try reader.rows(
                """
                SELECT DISTINCT ON (customer_id) customer_id, heart_rate, is_anomaly, recorded_at
                  FROM heart_rate_readings ORDER BY customer_id, recorded_at DESC;
                """)
            #expect(latest.map { $0[0...2] } == [["x", "70", "f"], ["y", "60", "f"]])
            let anomalies = try reader.rows(
                """
                SELECT * FROM heart_rate_readings
                  WHERE is_anomaly = TRUE AND recorded_at >= NOW() - INTERVAL '1 hour' ORDER BY recorded_at DESC;
                """)
            #expect(anomalies.count == 1 && anomalies[0][3] == "200")
            let minutes = try reader.rows(
                """
                SELECT date_trunc('minute', recorded_at) AS minute, COUNT(*) AS readings
                  FROM heart_rate_readings GROUP BY minute ORDER BY minute DESC LIMIT 30;
                """)
            #expect(minutes.compactMap { $0[1] } == ["1", "1", "1", "1"])
        }

        @Test(
            "tables and columns are the contract's",
            arguments: [
                (
                    "customers",
                    "customer_id character varying(50) NOT NULL, created_at timestamp with time zone NOT NULL"
                ),
                (
                    "heart_rate_readings",
                    "id bigint NOT NULL, customer_id character varying(50) NOT NULL, recorded_at timestamp with time zone NOT "
                        + "NULL, heart_rate smallint NOT NULL, is_anomaly boolean NOT NULL, anomaly_reason text, inserted_at "
                        + "timestamp with time zone NOT NULL"
                ),
                (
                    "pipeline_log",
                    "id bigint NOT NULL, logged_at timestamp with time zone NOT NULL, messages_read integer NOT NULL, "
                        + "messages_valid integer NOT NULL, messages_anomaly integer NOT NULL, messages_invalid integer NOT NULL"
                ),
            ])
        func columns(table: String, expected: String) async throws {
            let database = try await TestDatabase.make()
            let columns = try database.rows(
                """
                SELECT attname || ' ' || format_type(atttypid, atttypmod) || CASE WHEN attnotnull THEN ' NOT NULL' ELSE '' END
                  FROM pg_attribute WHERE attrelid = '\(table)'::regclass AND attnum > 0 ORDER BY attnum
                """
            ).compactMap { $0[0] }
            // More columns may stand behind.
            #expect(columns.joined(separator: ", ").hasPrefix(expected))
            let indexes = try database.rows(
                "SELECT indexdef FROM pg_indexes WHERE tablename = 'heart_rate_readings' ORDER BY indexname"
            ).compactMap { $0[0] }
            #expect(indexes.contains { $0.hasSuffix("USING btree (customer_id, recorded_at DESC)") })
            #expect(indexes.contains { $0.hasSuffix("USING btree (is_anomaly, recorded_at DESC) WHERE is_anomaly") })
        }

        @Test("readings of the kept days go to a partition of their day, all others to the default one")
        func partitions() async throws {
            let pipeline = try await Pipeline(partitions: 1)
            let before = try partitionCount(pipeline.database)
            // The database's clock and calendar, so that midnight does not matter.
            let days = try pipeline.database.rows(
                """
                SELECT to_char(now() - interval '1 day' * age, 'YYYY-MM-DD"T"12:00:00"Z"'),
                       'heart_rate_readings_' || to_char(now() - interval '1 day' * age, 'YYYYMMDD')
                  FROM unnest(ARRAY[1, 30, 89]) AS age
                """)
            let kept = days.map { ($0[0] ?? "", $0[1] ?? "") }
            let far =
                (1...100).map { "19\($0 % 90 + 10)-01-01T00:00:00Z" } + [
                    "0001-01-01T00:00:00Z", "2001-09-09T01:46:40Z",
                ]
            try pipeline.broker.publish(
                (kept.map(\.0) + far).map { Message(customer: "a", timestamp: $0, heartRate: 72) })
            try await pipeline.drain()
            let places = try pipeline.database.rows(
                "SELECT tableoid::regclass, count(*) FROM heart_rate_readings GROUP BY 1 ORDER BY min(kafka_offset)")
            #expect(places == kept.map { [$0.1, "1"] } + [["heart_rate_readings_default", "\(far.count)"]])
            #expect(try partitionCount(pipeline.database) == before + 3, "no input makes partitions without end")
            try await pipeline.expectSound(kept.count + far.count)
        }

        private func partitionCount(_ database: TestDatabase) throws -> Int {
            try database.number("SELECT count(*) FROM pg_inherits WHERE inhparent = 'heart_rate_readings'::regclass")
        }

        @Test("setup makes today's partition and those of the week to come")
        func partitionsAhead() async throws {
            let database = try await TestDatabase.make()
            let missing = try database.rows(
                """
                SELECT day FROM generate_series(now(), now() + interval '7 days', interval '1 day') AS day
                 WHERE to_regclass('heart_rate_readings_' || to_char(day, 'YYYYMMDD')) IS NULL
                """)
            #expect(missing.isEmpty)
            let session = try database.connect(as: "heartbeat-consumer")
            #expect(throws: PostgreSQLError.self) {
                try session.rows("SELECT create_readings_partition(current_date + 40)")
            }
        }
    }
}
