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

        private static let rounds = ProcessInfo.processInfo.environment["HEARTBEAT_TEST_LONG"] != nil ? 1...5 : 1...1

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

        @Test("five at once on an empty server make one schema", arguments: rounds)
        func fiveAtOnce(round: Int) async throws {
            let database = try TestDatabase.withoutSetup()
            try dropRoles(database)
            let setups = try (0..<5).map { _ in try Self.setup(database) }
            for setup in setups { setup.expectEnd() }
            for setup in setups { #expect(try await setup.waitForEnd(within: .seconds(60)) == .exited(0)) }
            let lines = setups.flatMap { $0.log.split(separator: "\n") }
            #expect(lines.count { $0.contains("applied migration 1 (") } == 1)
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
                """
                DROP ROLE IF EXISTS heartbeat, "heartbeat-consumer", "heartbeat-dashboard", "heartbeat-notifier",
                    "heartbeat-maintenance"
                """)
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
            try database.rows("GRANT ALL ON SCHEMA public TO PUBLIC")
            // In the way of the last migration.
            let before = try await Self.dump(database)
            try database.rows("CREATE FUNCTION drop_misplaced_partitions() RETURNS text LANGUAGE sql AS $$SELECT ''$$")
            let failed = try Self.setup(database)
            #expect(try await failed.waitForEnd(within: .seconds(60)) != .exited(0))
            #expect(failed.log.contains("unable to apply migration 7 (partition_bounds)"))
            try database.rows("DROP FUNCTION drop_misplaced_partitions()")
            #expect(try await Self.dump(database) == before)
            let repaired = try Self.setup(database)
            #expect(try await repaired.waitForEnd(within: .seconds(60)) == .exited(0))
        }

        @Test(
            "what is wrong with a database that is there already is said before anything is changed",
            arguments: [
                ("", "", #"its owner is "postgres", and role "heartbeat" may not create tables in it"#),
                ("ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'", "", "its encoding is LATIN1, and UTF8 is needed"),
                (
                    "ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C'", "",
                    "its encoding is SQL_ASCII, and UTF8 is needed"
                ),
                ("ENCODING 'EUC_JP' LC_COLLATE 'C' LC_CTYPE 'C'", "", "its encoding is EUC_JP, and UTF8 is needed"),
                (
                    "OWNER heartbeat", "CREATE TABLE episodes (); CREATE VIEW customers AS SELECT 1 AS x",
                    "it has other tables of the names that heartbeat needs: customers, episodes"
                ),
                (
                    "OWNER heartbeat", "CREATE TABLE schema_version (version text, installed_on date)",
                    "it has other tables of the names that heartbeat needs: schema_version"
                ),
            ])
        func examination(options: String, statements: String, problem: String) async throws {
            // Its setup has made the roles.
            let usual = try await TestDatabase.make()
            let database = try TestDatabase.withoutSetup()
            try usual.rows("CREATE DATABASE \(database.name) TEMPLATE template0 \(options)")
            if !statements.isEmpty { try database.rows(statements) }
            let before = try await Self.dump(database)
            let refused = try Self.setup(database)
            #expect(try await refused.waitForEnd(within: .seconds(60)) == .exited(76))
            #expect(refused.log.contains("unable to use database \"\(database.name)\": \(problem). HINT: "))
            #expect(try await Self.dump(database) == before)
            guard let hint = refused.log.split(separator: "HINT: ").last, hint.hasPrefix("ALTER DATABASE ") else {
                return
            }
            try usual.rows(String(hint))
            let repaired = try Self.setup(database)
            #expect(try await repaired.waitForEnd(within: .seconds(60)) == .exited(0))
        }

        @Test("partitions that another time zone has displaced hold nothing up, and are made again when they are empty")
        func misplacedPartitions() async throws {
            let pipeline = try await Pipeline(partitions: 1)
            let database = pipeline.database
            // As the first version made it for a day of 25 hours, ending one hour into today.
            try database.rows(
                """
                SET ROLE heartbeat;
                SET timezone = 'UTC';
                DO $$ DECLARE name text; BEGIN
                    FOREACH name IN ARRAY ARRAY[to_char(now(), 'YYYYMMDD'), to_char(now() - interval '1 day', 'YYYYMMDD')]
                    LOOP EXECUTE 'DROP TABLE IF EXISTS heart_rate_readings_' || name; END LOOP;
                    EXECUTE format('CREATE TABLE %I PARTITION OF heart_rate_readings FOR VALUES FROM (%L) TO (%L)',
                        'heart_rate_readings_' || name, date_trunc('day', now() - interval '1 day'),
                        date_trunc('day', now()) + interval '1 hour');
                END $$
                """)
            let noon = try #require(
                try database.rows(
                    #"SELECT to_char(date_trunc('day', now() AT TIME ZONE 'UTC'), 'YYYY-MM-DD"T"HH24:MI:SS"Z"')"#)[0][0]
            )
            try pipeline.broker.publish([Message(customer: "a", timestamp: noon, heartRate: 72)])
            try await pipeline.drain()
            try await pipeline.expectSound(1)
            let kept = try Self.setup(database)
            #expect(try await kept.waitForEnd(within: .seconds(60)) == .exited(0))
            #expect(kept.log.contains("does not have the bounds of its UTC day, and has readings"))
            try await pipeline.expectSound(1)
            try database.rows("DELETE FROM heart_rate_readings")
            let repaired = try Self.setup(database)
            #expect(try await repaired.waitForEnd(within: .seconds(60)) == .exited(0))
            let today = try database.rows(
                """
                SET timezone = 'UTC';
                SELECT pg_get_expr(relpartbound, oid) = format('FOR VALUES FROM (%L) TO (%L)', date_trunc('day', now()),
                           date_trunc('day', now()) + interval '24 hours')
                  FROM pg_class WHERE relname = 'heart_rate_readings_' || to_char(now(), 'YYYYMMDD')
                """)
            #expect(today == [["t"]])
        }

        @Test("the consumer ends when the schema is not its own", arguments: [0, 999])
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
            // It has patience with a setup that is still running.
            #expect(try await consumer.waitForEnd(within: .seconds(60)) == .exited(76))
            if version == 0 {
                try database.rows("ALTER TABLE hidden RENAME TO schema_version")
            } else {
                try database.rows("DELETE FROM schema_version WHERE version = \(version)")
            }
            try await pipeline.drain()
            try await pipeline.expectSound(1)
        }
    }
}
