import Foundation
import Harness
import PostgreSQL
import Testing

extension OnAServer {
    @Suite("Sessions under settings that nobody expects") struct Sessions {
        private static let roles = ["postgres", "heartbeat-consumer", "heartbeat-dashboard", "heartbeat-maintenance"]

        @Test("setup makes the same database")
        func setup() async throws {
            // Its setup has made the roles.
            let usual = try await TestDatabase.make()
            let hostile = try TestDatabase.withoutSetup()
            try usual.rows("CREATE DATABASE \(hostile.name) OWNER heartbeat TEMPLATE template0 ENCODING 'UTF8'")
            try usual.connect().setHostileDefaults(of: hostile.name, roles: Self.roles)
            let setup = try await Heartbeat.run(["database", "setup"], hostile.settings(as: "postgres"))
            #expect(setup.end == .exited(0), "\(setup.log)")
            let shape = """
                SELECT c.oid::regclass::text, pg_get_expr(relpartbound, c.oid), attname, format_type(atttypid, atttypmod)
                  FROM pg_class c JOIN pg_attribute ON attrelid = c.oid
                 WHERE relnamespace = 'public'::regnamespace ORDER BY 1, attnum
                """
            #expect(try hostile.rows(shape) == (try usual.rows(shape)))
        }

        @Test("messages are stored, proved, listed and kept as ever")
        func commands() async throws {
            let pipeline = try await Pipeline(partitions: 2)
            let database = pipeline.database
            try database.connect().setHostileDefaults(of: database.name, roles: Self.roles)
            let times = try database.rows(
                "SELECT to_char(now() - n * interval '1 hour', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') FROM generate_series(0, 30) AS n"
            ).compactMap { $0[0] }
            let customers = ["a\\b", "quo\"te", "it's", "ä🫀", "NULL"]
            for customer in customers {
                let escaped = customer.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
                try pipeline.broker.publish(times.map { Message(customer: escaped, timestamp: $0, heartRate: 72) })
            }
            try pipeline.broker.publish([Message(customer: "a", timestamp: times[0], heartRate: 999)])
            try await pipeline.drain()
            let count = times.count * customers.count
            try await pipeline.expectSound(count + 1)
            let stored = try database.rows(
                """
                SELECT customer_id, count(*), bool_and(to_char(recorded_at, '"heart_rate_readings_"YYYYMMDD')
                       = tableoid::regclass::text) FROM heart_rate_readings GROUP BY 1
                """)
            #expect(
                Set(stored) == Set(customers.map { [$0, "\(times.count)", "t"] }), "each in the partition of its day")
            #expect(try database.number("SELECT count(detector) FROM customer_state") == customers.count)

            let list = try await Heartbeat.run(["rejected", "list"], database.settings(as: "heartbeat-consumer"))
            #expect(list.end == .exited(0) && list.output.contains("out_of_range"), "\(list.log)")
            for (command, role) in [
                ("setup", "postgres"), ("status", "postgres"), ("maintain", "heartbeat-maintenance"),
            ] {
                let finished = try await Heartbeat.run(["database", command], database.settings(as: role))
                #expect(finished.end == .exited(0), "\(command): \(finished.log)")
            }
            try await pipeline.expectSound(count + 1)
        }
    }
}
