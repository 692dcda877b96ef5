import Foundation
import Harness
import Testing

extension EndToEnd {
    /// What somebody does to the database that no message can help.
    @Suite("Refused for good") struct LastingFaults {
        private struct Fault: Sendable {
            let harm: String
            let repair: String
            /// What the consumer has to say.
            let words: String
        }

        private static let role = #""heartbeat-consumer""#
        private static let faults = [
            right("INSERT", "heart_rate_readings"), right("INSERT", "customers"), right("UPDATE", "customer_state"),
            right("UPDATE", "readings_per_minute"), right("INSERT", "pipeline_log"), right("SELECT", "customer_limits"),
            right("SELECT", "schema_version"), right("EXECUTE", "FUNCTION create_readings_partition(date)"),
            Fault(
                harm: "ALTER TABLE heart_rate_readings RENAME COLUMN is_suspect TO hidden",
                repair: "ALTER TABLE heart_rate_readings RENAME COLUMN hidden TO is_suspect", words: "42703"),
            Fault(
                harm: "ALTER TABLE customer_state RENAME COLUMN detector TO hidden",
                repair: "ALTER TABLE customer_state RENAME COLUMN hidden TO detector", words: "42703"),
            Fault(
                harm: "ALTER TABLE kafka_offsets RENAME COLUMN next_offset TO hidden",
                repair: "ALTER TABLE kafka_offsets RENAME COLUMN hidden TO next_offset", words: "42703"),
            Fault(
                harm: "ALTER TABLE customers RENAME TO hidden", repair: "ALTER TABLE hidden RENAME TO customers",
                words: "42P01"),
            Fault(
                harm: "ALTER FUNCTION log_messages RENAME TO hidden",
                repair: "ALTER FUNCTION hidden RENAME TO log_messages", words: "42883"),
            Fault(
                harm: "ALTER TABLE heart_rate_readings ADD COLUMN nurse text NOT NULL DEFAULT ''; "
                    + "ALTER TABLE heart_rate_readings ALTER COLUMN nurse DROP DEFAULT",
                repair: "ALTER TABLE heart_rate_readings DROP COLUMN nurse", words: "23502"),
            Fault(
                harm: """
                    CREATE FUNCTION objects() RETURNS trigger LANGUAGE plpgsql AS $$
                    BEGIN RAISE EXCEPTION 'nothing more'; END $$;
                    CREATE TRIGGER objects BEFORE UPDATE ON kafka_offsets FOR EACH STATEMENT EXECUTE FUNCTION objects()
                    """,
                repair: "DROP TRIGGER objects ON kafka_offsets", words: "nothing more (P0001)"),
        ]

        /// Every fourth of them, or all where time does not matter.
        private static let chosen =
            ProcessInfo.processInfo.environment["HEARTBEAT_TEST_LONG"] != nil
            ? faults : faults.enumerated().filter { $0.offset % 4 == 2 }.map(\.element)

        private static func right(_ right: String, _ object: String) -> Fault {
            Fault(
                harm: "REVOKE \(right) ON \(object) FROM \(role)", repair: "GRANT \(right) ON \(object) TO \(role)",
                words: "(42501)")
        }

        @Test("the consumer ends, says what to do, has rejected nothing, and goes on after the repair")
        func consumer() async throws {
            try await withThrowingTaskGroup(of: Void.self) { group in
                // A few at a time: each has a broker, a database and a consumer.
                for (number, fault) in Self.chosen.enumerated() {
                    if number >= 5 { try await group.next() }
                    group.addTask { try await Self.try(fault) }
                }
                try await group.waitForAll()
            }
        }

        private static func `try`(_ fault: Fault) async throws {
            let pipeline = try await Pipeline(partitions: 1)
            let consumer = try await pipeline.startReadyConsumer()
            // Yesterday has no partition yet.
            let day = Date(timeIntervalSinceNow: -86_400).formatted(.iso8601.year().month().day())
            func messages(_ seconds: Range<Int>) -> [Message] {
                seconds.map { Message(customer: "c\($0)", timestamp: "\(day)T10:11:\($0)Z", heartRate: 70) }
            }
            if !fault.harm.contains("partition") {
                try pipeline.broker.publish(messages(10..<20))
                try await pipeline.untilStored(10)
            }
            let before = try pipeline.consumedCount()
            try pipeline.database.rows(fault.harm)
            try pipeline.broker.publish(messages(20..<59))
            if fault.harm.contains("schema_version") {
                try pipeline.database.rows(
                    """
                    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                     WHERE application_name = 'heartbeat-consumer' AND datname = current_database()
                    """)
                try pipeline.broker.publish(messages(20..<59))
            }
            let end = try await consumer.waitForEnd(within: .seconds(120))
            let log = consumer.log
            #expect(end == .exited(76), "\(fault.harm): \(log)")
            #expect(log.contains("PostgreSQL refuses the work, and would again: unable to "), "\(fault.harm): \(log)")
            #expect(log.contains(fault.words) && log.contains("(hint: "), "\(fault.harm): \(log)")
            #expect(
                log.split(separator: "\n").count { $0.contains("waiting for PostgreSQL") } == 1, "said once: \(log)")
            try pipeline.database.rows(fault.repair)
            let after = try pipeline.consumedCount()
            #expect(fault.harm.contains("schema_version") || after == before, "\(fault.harm)")
            try await pipeline.drain()
            #expect(try pipeline.database.number("SELECT count(*) FROM rejected_messages") == 0, "\(fault.harm)")
            try await pipeline.expectSound(try pipeline.broker.messageCount())
        }

        @Test("an event trigger against new tables holds nothing up: the default partition takes the day")
        func eventTrigger() async throws {
            let pipeline = try await Pipeline(partitions: 1)
            try pipeline.database.rows(
                """
                CREATE FUNCTION objects() RETURNS event_trigger LANGUAGE plpgsql AS $$
                BEGIN RAISE EXCEPTION 'no new tables'; END $$;
                CREATE EVENT TRIGGER objects ON ddl_command_start WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION objects()
                """)
            let day = Date(timeIntervalSinceNow: -86_400).formatted(.iso8601.year().month().day())
            try pipeline.broker.publish([Message(customer: "a", timestamp: "\(day)T10:11:12Z", heartRate: 70)])
            try await pipeline.drain()
            #expect(try pipeline.database.number("SELECT count(*) FROM heart_rate_readings_default") == 1)
            try await pipeline.expectSound(1)
        }

        @Test("maintenance says a cause once, however many steps it fails")
        func maintenance() async throws {
            let database = try await TestDatabase.make()
            try database.rows(
                """
                CREATE FUNCTION objects() RETURNS event_trigger LANGUAGE plpgsql AS $$
                BEGIN RAISE insufficient_privilege USING MESSAGE = 'no new tables'; END $$;
                CREATE EVENT TRIGGER objects ON ddl_command_start WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION objects()
                """)
            let maintenance = try await Heartbeat.run(
                ["database", "maintain"],
                database.settings(as: "heartbeat-maintenance").merging(["PARTITION_DAYS_AHEAD": "30"]) { $1 })
            #expect(maintenance.end == .exited(70))
            let lines = maintenance.log.split(separator: "\n").filter { $0.contains("no new tables") }
            #expect(lines.count <= 2, "making partitions, and counting readings: \(maintenance.log)")
        }
    }
}
