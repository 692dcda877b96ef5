import Foundation
import Harness
import PostgreSQL
import Testing

/// `heartbeat database` and `heartbeat verify` against a real server.
@Suite(.serialized, .privatePostgreSQL, .ownFolder, .logsOnFailure)
enum OnAServer {}

extension OnAServer {
    @Suite("heartbeat database setup") struct Setup {
        private static func setup(_ database: TestDatabase, as user: String = "postgres") throws -> ChildProcess {
            try Heartbeat.start("setup", ["database", "setup"], settings: database.settings(as: user))
        }

        /// Everything of the schema in words, to compare.
        private static func dump(_ database: TestDatabase) async throws -> String {
            let pgDump = database.cluster.path(of: "pg_dump")
            // Its \restrict lines have a random word.
            return try await shell(
                "\(pgDump) -s -h '\(database.cluster.host)' -U postgres \(database.name) | grep -v restrict")
        }

        @Test("twice changes nothing")
        func twice() async throws {
            let database = try await TestDatabase.make()
            try database.rows("INSERT INTO customers VALUES ('kept')")
            let before = try await Self.dump(database)
            let again = try Self.setup(database)
            #expect(try await again.waitForEnd(within: .seconds(60)) == .exited(0))
            #expect(try await Self.dump(database) == before)
            #expect(try database.number("SELECT count(*) FROM customers") == 1)
            #expect(!again.log.contains("applied migration"))
        }

        @Test("five at once on an empty server make one schema", arguments: 1...3)
        func fiveAtOnce(round: Int) async throws {
            let database = try TestDatabase.withoutSetup()
            try dropRoles(database)
            let setups = try (0..<5).map { _ in try Self.setup(database) }
            for setup in setups { setup.expectEnd() }
            for setup in setups { #expect(try await setup.waitForEnd(within: .seconds(60)) == .exited(0)) }
            let applied = setups.flatMap { $0.log.split(separator: "\n") }.filter { $0.contains("applied migration 1") }
            #expect(applied.count == 1)
            let versions = try database.rows("SELECT version FROM schema_version ORDER BY 1").compactMap { $0[0] }
            #expect(versions == (1...versions.count).map { "\($0)" } && !versions.isEmpty)
            let consumer = try await Heartbeat.run(["verify"], database.settings(as: "heartbeat-consumer"))
            #expect(consumer.end == .exited(0))
        }

        /// The roles belong to the server and not to one database: without them it is as after its installation.
        private func dropRoles(_ database: TestDatabase) throws {
            let session = try PostgreSQLConnection(database.cluster.parameters(database: "postgres"), .test)
            let databases = try session.rows("SELECT datname FROM pg_database WHERE datname LIKE 'heartbeat%'")
            for name in databases.compactMap({ $0[0] }) {
                try session.rows("DROP DATABASE \(PostgreSQLConnection.identifier(name)) WITH (FORCE)")
            }
            try session.rows(
                #"DROP ROLE IF EXISTS heartbeat, "heartbeat-consumer", "heartbeat-dashboard", "heartbeat-maintenance""#)
        }

        @Test("a newer schema is refused, and left as it is")
        func newerSchema() async throws {
            let database = try await TestDatabase.make()
            try database.rows("INSERT INTO schema_version (version, name) VALUES (999, 'from the future')")
            let before = try await Self.dump(database)
            let refused = try Self.setup(database)
            let end = try await refused.waitForEnd(within: .seconds(60))
            #expect(end != .exited(0))
            #expect(refused.log.contains("the database has schema version 999, this program knows"))
            #expect(refused.log.contains("install the newer heartbeat"))
            #expect(try await Self.dump(database) == before)
        }

        @Test("a migration that fails leaves nothing of itself behind")
        func failingMigration() async throws {
            let database = try TestDatabase.withoutSetup()
            let session = try PostgreSQLConnection(database.cluster.parameters(database: "postgres"), .test)
            try session.rows("CREATE DATABASE \(database.name)")
            // In the way of the first migration.
            try database.rows("CREATE TABLE offset_gaps (x integer)")
            try database.rows("GRANT ALL ON SCHEMA public TO PUBLIC")
            let failed = try Self.setup(database)
            #expect(try await failed.waitForEnd(within: .seconds(60)) != .exited(0))
            #expect(failed.log.contains("unable to apply migration 1 (tables)"))
            let tables = try database.rows(
                "SELECT relname FROM pg_class WHERE relname IN ('customers', 'kafka_offsets')")
            #expect(tables.isEmpty)
            #expect(try database.number("SELECT count(*) FROM schema_version") == 0)
            try database.rows("DROP TABLE offset_gaps")
            let repaired = try Self.setup(database)
            #expect(try await repaired.waitForEnd(within: .seconds(60)) == .exited(0))
        }

        @Test("the consumer waits when the schema is not its own", arguments: [0, 999])
        func consumerWithOtherSchema(version: Int) async throws {
            let pipeline = try await Pipeline(partitions: 1)
            let database = pipeline.database
            if version == 0 {
                try database.rows("ALTER TABLE schema_version RENAME TO hidden")
            } else {
                try database.rows("INSERT INTO schema_version (version, name) VALUES (\(version), 'from the future')")
            }
            try pipeline.broker.publish([Message(customer: "a", timestamp: "2026-02-19T15:53:03Z", heartRate: 72)])
            let consumer = try pipeline.startConsumer()
            try await eventually("the consumer says what is wrong") {
                consumer.log.contains("it has schema version \(version), this program needs")
            }
            #expect(
                consumer.log.contains(version == 0 ? #"run "heartbeat database setup""# : "install the newer heartbeat")
            )
            if version == 0 {
                try database.rows("ALTER TABLE hidden RENAME TO schema_version")
            } else {
                try database.rows("DELETE FROM schema_version WHERE version = \(version)")
            }
            try await pipeline.untilStored(1)
            try await pipeline.stop(consumer)
        }
    }
}
