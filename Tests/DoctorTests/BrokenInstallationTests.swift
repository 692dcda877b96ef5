import Doctor
import Foundation
import Harness
import PostgreSQL
import Testing

/// Each test breaks one thing after another, sees that the doctor finds exactly that, and does what the doctor says.
@Suite("Broken installations", .serialized, .privatePostgreSQL, .ownFolder, .logsOnFailure)
struct BrokenInstallationTests {
    /// A database with everything in order.
    private static func healthy() async throws -> TestDatabase {
        let database = try await TestDatabase.make()
        try database.rows("ALTER SYSTEM RESET fsync")
        try database.rows("SELECT pg_reload_conf()")
        return database
    }

    @Test("settings: unknown names, values, lines, missing files, and files that differ")
    func settings() async throws {
        let patient = try await Patient(Self.healthy())
        try await patient.isWell()

        try patient.write("producer", adding: "NUM_CUSTOMRES=5")
        #expect(try await patient.finds("settings.producer", .error).contains("heartbeat producer --check-config"))
        try patient.write("producer")

        try patient.write("dashboard", ["DASHBOARD_PORT": "x"])
        #expect(try await patient.finds("settings.dashboard", .error).contains("heartbeat dashboard --check-config"))
        try patient.write("dashboard")

        try "gym 12 gym_*\n".write(toFile: patient.folder + "/gateway.tokens", atomically: true, encoding: .utf8)
        #expect(try await patient.finds("settings.gateway", .error).contains("heartbeat gateway --check-config"))
        try FileManager.default.removeItem(atPath: patient.folder + "/gateway.tokens")

        try "route nobody\n".write(toFile: patient.folder + "/notifier.routes", atomically: true, encoding: .utf8)
        #expect(try await patient.finds("settings.notifier", .error).contains("heartbeat notifier --check-config"))
        try FileManager.default.removeItem(atPath: patient.folder + "/notifier.routes")

        try patient.write("database", adding: "no setting")
        #expect(try await patient.finds("settings.database", .error).contains("correct the line"))
        try patient.write("database")

        try patient.write("producer", ["KAFKA_TOPIC": "another"])
        #expect(try await patient.finds("settings.agreement", .warning).contains("the same value"))
        try patient.write("producer")

        // Without it all is at its default, and no server is where that says.
        try FileManager.default.removeItem(atPath: patient.folder + "/dashboard.conf")
        let found = try await patient.examine([.settings]).checks.filter { $0.verdict >= .warning }
        #expect(found.map(\.name) == ["settings.dashboard", "settings.agreement"])
        #expect(found.first?.remedy?.contains("--reinstall") == true)
        try patient.write("dashboard")
        try await patient.isWell()
    }

    @Test("files: rights of the folder, of secrets, passwords in the open, no folder for metrics, an older daemon")
    func files() async throws {
        let patient = try await Patient(Self.healthy())
        chmod(patient.folder, 0o777)
        try await shell(patient.finds("files.folder", .error))
        try await patient.isWell()

        try "POSTGRES_PASSWORD=x\n".write(
            toFile: patient.folder + "/consumer.secrets", atomically: true, encoding: .utf8)
        chmod(patient.folder + "/consumer.secrets", 0o644)
        try await shell(patient.finds("files.secrets", .error))
        try await patient.isWell()

        if geteuid() == 0 {
            chown(patient.folder + "/consumer.secrets", 12345, 12345)
            try await shell(patient.finds("files.secrets", .error))
            try await patient.isWell()
        }

        try patient.write("dashboard", ["POSTGRES_PASSWORD": "x"])
        let advice = try await patient.finds("files.passwords", .error)
        #expect(advice.contains("move the line to \(patient.folder)/dashboard.secrets"))
        try patient.write("dashboard")
        try "POSTGRES_PASSWORD=x\n".write(
            toFile: patient.folder + "/dashboard.secrets", atomically: false, encoding: .utf8)
        chmod(patient.folder + "/dashboard.secrets", 0o600)
        try await patient.isWell()

        try "# none\n".write(toFile: patient.folder + "/gateway.tokens", atomically: false, encoding: .utf8)
        chmod(patient.folder + "/gateway.tokens", 0o664)
        try await shell(patient.finds("files.hashes", .error))
        try await patient.isWell()

        try FileManager.default.removeItem(atPath: patient.metrics)
        try await shell(patient.finds("files.metrics", .warning))
        try await patient.isWell()

        try patient.pretend("consumer", version: "0.0.9")
        #expect(try await patient.finds("versions.heartbeat", .warning) == "systemctl restart heartbeat.target")
        try patient.pretend("consumer")
        try await patient.isWell()
    }

    @Test("Kafka: unreachable, no topic, too few partitions, the topic's settings, clocks")
    func kafka() async throws {
        let patient = try await Patient(Self.healthy())
        try await patient.broker.setBroker(1, .down)
        #expect(try await patient.finds("kafka.reachable", .error).contains("start the broker"))
        try await patient.broker.setBroker(1, .up)
        try await patient.isWell()

        try await patient.broker.deleteTopic()
        #expect(try await patient.finds("kafka.topic", .error).contains("start a consumer"))
        let consumer = try Heartbeat.start(
            "consumer", ["consumer"], settings: [:], config: patient.folder + "/consumer.conf")
        try await eventually("the consumer creates the topic") { consumer.log.contains("created topic") }
        consumer.kill(SIGTERM)
        #expect(try await consumer.waitForEnd(within: .seconds(30)) == .exited(0))
        try await patient.isWell()

        for name in ["consumer", "consumer-2", "consumer-3", "consumer-4", "consumer-5"] { try patient.pretend(name) }
        #expect(try await patient.finds("kafka.partitions", .warning).hasSuffix("--partitions 5"))
        try await patient.broker.addPartitions(upTo: 5)
        try await patient.isWell()

        for (check, setting, bad, verdict) in [
            ("cleanup", "cleanup.policy", "compact", .error), ("retention", "retention.ms", "3600000", .warning),
            ("retention", "retention.ms", "-1", .warning), ("retention", "retention.ms", "9000000000", .warning),
            ("message-size", "max.message.bytes", "5000", .warning),
        ] as [(String, String, String, Check.Verdict)] {
            try await patient.broker.set(setting, to: bad)
            let remedy = try await patient.finds("kafka.\(check)", verdict)
            let value = try #require(remedy.firstMatch(of: /--add-config [a-z.]+=([a-z0-9]+)/)?.1)
            try await patient.broker.set(setting, to: String(value))
            try await patient.isWell()
        }

        let message = Message(key: Array("a".utf8), value: Array("{}".utf8))
        let ahead = Int64(Date().timeIntervalSince1970 * 1000) + 3_600_000
        try await patient.broker.write([message], timestamp: ahead)
        #expect(try await patient.finds("kafka.clock", .warning).contains("time server"))
        try await patient.broker.write([message])
        try await patient.isWell()
    }

    @Test("Kafka: one copy only, although there are three brokers")
    func copies() async throws {
        let patient = try await Patient(Self.healthy(), brokers: 3)
        #expect(try await patient.finds("kafka.copies", .warning).contains("3 brokers"))
    }

    @Test("PostgreSQL: unreachable, rights, partitions, settings that lose data, no connections left")
    func server() async throws {
        let database = try await Self.healthy()
        let patient = try await Patient(database)
        database.disconnect()
        try await database.cluster.stop(.fast)
        // Nor can it be asked how much disk there is.
        #expect(try await patient.finds("postgresql.reachable", .error).contains("pg_lsclusters"))
        try await database.cluster.start()
        try await patient.isWell()

        for setting in ["fsync", "full_page_writes", "autovacuum"] {
            try database.rows("ALTER SYSTEM SET \(setting) = off")
            try database.rows("SELECT pg_reload_conf()")
            let isLoss = setting != "autovacuum"
            try patient.run(
                await patient.finds("postgresql.\(isLoss ? "fsync" : setting)", isLoss ? .error : .warning))
            try await patient.isWell()
        }

        try database.rows("REVOKE INSERT ON heart_rate_readings FROM \"heartbeat-consumer\"")
        try database.rows("REVOKE UPDATE (closed) ON kafka_offsets FROM \"heartbeat-consumer\"")
        let remedy = try await patient.finds("postgresql.rights", .error)
        for statement in try #require(remedy.firstMatch(of: /'(.*)'/)?.1).split(separator: ";") {
            try database.rows(String(statement))
        }
        try await patient.isWell()

        let tomorrow = try #require(
            database.rows("SELECT 'heart_rate_readings_' || to_char(now() AT TIME ZONE 'UTC' + '1 day', 'YYYYMMDD')")[
                0][0])
        try database.rows("DROP TABLE \(tomorrow)")
        #expect(try await patient.finds("postgresql.partitions", .warning).contains("heartbeat database maintain"))
        let maintenance = try await Heartbeat.run(
            ["database", "maintain"], [:], config: patient.folder + "/database.conf")
        #expect(maintenance.end == .exited(0))
        try await patient.isWell()

        database.disconnect()
        try patient.run("ALTER DATABASE \(database.name) CONNECTION LIMIT 3")
        let advice = try await patient.finds("postgresql.connections", .warning)
        try patient.run(String(try #require(advice.split(separator: ": ").last)))
        try await patient.isWell()
    }

    @Test("PostgreSQL: a transaction that somebody leaves open keeps the server from cleaning")
    func snapshot() async throws {
        let database = try await Self.healthy()
        let patient = try await Patient(database)
        let other = try database.connect()
        try other.rows("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1")
        try database.rows(
            """
            INSERT INTO customers SELECT 'c' || n FROM generate_series(1, 1000) AS n;
            INSERT INTO customer_state (customer_id, recorded_at, heart_rate, is_anomaly, readings, anomalies)
            SELECT customer_id, now(), 70, false, 1, 0 FROM customers;
            DO $$ BEGIN FOR n IN 1..102 LOOP UPDATE customer_state SET readings = n; END LOOP; END $$
            """)
        let isCounted = """
            SELECT count(*) FROM pg_stat_user_tables WHERE relname = 'customer_state' AND n_dead_tup > 100000
            """
        try await eventually("the server has counted them") { try database.number(isCounted) == 1 }
        let remedy = try await patient.finds("postgresql.cleaning", .warning)
        let look = try #require(remedy.firstRange(of: "SELECT pid"))
        let oldest = try database.rows(String(remedy[look.lowerBound...]))[0]
        #expect(oldest[3]?.contains("REPEATABLE READ") == true, "\(oldest)")
        try database.rows("SELECT pg_terminate_backend(\(try #require(oldest[0])))")
        #expect(throws: PostgreSQLError.self) { try other.rows("SELECT 1") }
        try await eventually("the server can clean") {
            try database.rows("VACUUM customer_state")
            return try database.number(isCounted) == 0
        }
        try await patient.isWell()
    }

    @Test("PostgreSQL: another encoding, another owner, no schema, another collation")
    func database() async throws {
        _ = try await Self.healthy()
        for (options, fault, verdict) in [
            ("ENCODING 'LATIN1' LOCALE 'C'", "encoding", .error), ("LOCALE 'C.UTF-8'", "ownership", .error),
            ("LOCALE_PROVIDER icu ICU_LOCALE 'en' OWNER heartbeat", "schema", .error),
        ] as [(String, String, Check.Verdict)] {
            let database = try TestDatabase.withoutSetup()
            let server = try PostgreSQLConnection(database.cluster.parameters(database: "postgres"), .test)
            try server.executeAlone(
                "CREATE DATABASE \(database.name) TEMPLATE template0 \(options)", unableTo: "create")
            let patient = try await Patient(database)
            var remedy = try await patient.finds("postgresql.\(fault)", verdict)
            if fault == "encoding" {
                #expect(remedy.contains("name another one as POSTGRES_DB, which setup makes"))
                continue
            }
            if fault == "ownership" {
                try patient.run(remedy)
                remedy = try await patient.finds("postgresql.schema", .error)
            }
            #expect(remedy.hasSuffix("heartbeat database setup"))
            let setup = try await Heartbeat.run(["database", "setup"], [:], config: patient.folder + "/database.conf")
            #expect(setup.end == .exited(0), "\(setup.log)")
            try await patient.isWell()
            guard fault == "schema" else { continue }
            try database.rows("UPDATE pg_database SET datcollversion = '1' WHERE datname = current_database()")
            try patient.run(await patient.finds("postgresql.collation", .warning))
            try await patient.isWell()
        }
    }
}
