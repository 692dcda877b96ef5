import Foundation
import Harness
import PostgreSQL
import Testing

extension EndToEnd {
    @Suite("Behind a pooler that lends sessions by the transaction") struct Poolers {
        @Test(
            "all commands and the consumer work under defaults that nobody expects, and leave none behind",
            arguments: [[], ["ignore_startup_parameters = options"]])
        func hostileDefaults(settings: [String]) async throws {
            let pipeline = try await Pipeline(partitions: 2)
            let database = pipeline.database
            let roles = ["postgres", "heartbeat-consumer", "heartbeat-maintenance"]
            // No statement takes so long: what counts is that ours is another limit.
            try database.connect().setHostileDefaults(of: database.name, roles: roles, statementTimeout: "19min")
            let pooler = try await Pooler(for: database.cluster, settings)
            let connection = try PostgreSQLConnection(pooler.parameters(database), .test)
            #expect(connection.isLent)
            let zone = try connection.query("SELECT current_setting('TimeZone')", [], unableTo: "ask").texts()
            #expect(zone == [["UTC"]])
            let limit = try connection.query("SELECT current_setting('statement_timeout')", [], unableTo: "ask").texts()
            #expect(limit != [["19min"]])

            let consumer = try await pipeline.startReadyConsumer(
                "consumer", pooler.settings(database, as: "heartbeat-consumer"))
            let customers = ["a\\\\b", "quo\\\"te", "it's", "ä🫀", "NULL"]
            let messages = (10..<60).flatMap { second in
                customers.map { Message(customer: $0, timestamp: "2026-02-19T15:53:\(second)Z", heartRate: second) }
            }
            try pipeline.broker.publish(messages)
            try await pipeline.untilStored(messages.count)
            try await pipeline.stop(consumer)
            #expect(try database.number("SELECT count(detector) FROM customer_state") == customers.count)
            for (command, role) in [
                (["database", "setup"], "postgres"), (["database", "status"], "postgres"), (["verify"], "postgres"),
                (["database", "maintain"], "heartbeat-maintenance"), (["rejected", "list"], "heartbeat-consumer"),
            ] {
                let finished = try await Heartbeat.run(
                    command, pipeline.broker.serverSettings.merging(pooler.settings(database, as: role)) { $1 })
                #expect(finished.end == .exited(0), "\(command): \(finished.log)")
            }
            try await pipeline.expectSound(messages.count)
            // Whoever gets such a session of the server next finds it as it was.
            let other = try PostgreSQLConnection(pooler.parameters(database), .test)
            let left = try other.executeAlone("SHOW statement_timeout", unableTo: "look").texts()
            #expect(left == [["19min"]])
        }

        @Test("setup makes a database through it, and two of them and two maintenances do not disturb each other")
        func setup() async throws {
            let database = try TestDatabase.withoutSetup()
            let pooler = try await Pooler(for: database.cluster)
            let settings = pooler.settings(database, as: "postgres")
            for command in ["setup", "maintain"] {
                async let first = Heartbeat.run(["database", command], settings)
                async let second = Heartbeat.run(["database", command], settings)
                for finished in try await [first, second] {
                    #expect(finished.end == .exited(0), "\(command): \(finished.log)")
                }
            }
            let partitions = "SELECT count(*) FROM pg_class WHERE relname ~ '^heart_rate_readings_[0-9]+$'"
            #expect(try database.number(partitions) == 8)
        }
    }

    @Suite("A session that ends while it is idle") struct IdleSessions {
        @Test("is opened again without a word")
        func quiet() async throws {
            let pipeline = try await Pipeline(partitions: 1)
            let consumer = try await pipeline.startReadyConsumer()
            for second in 10..<14 {
                try pipeline.broker.publish(
                    [Message(customer: "a", timestamp: "2026-02-19T15:53:\(second)Z", heartRate: 70)])
                try await pipeline.untilStored(second - 9)
                try pipeline.database.rows(
                    """
                    SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
                     WHERE application_name = 'heartbeat-consumer' AND datname = current_database()
                    """)
            }
            try await pipeline.stop(consumer)
            #expect(!consumer.log.contains("waiting for PostgreSQL") && !consumer.log.contains("is available again"))
            try await pipeline.expectSound(4)
        }
    }
}
