import Foundation
import Harness
import PostgreSQL
import Testing

extension OnAServer {
    /// Every command and daemon under what an administrator may have set for a database.
    @Suite("A server's defaults") struct Defaults {
        /// One way to set everything.
        private struct Setup: Sendable {
            let values: [String]
            var isPooled: Bool { values.last == "pooled" }
        }

        private static let names = [
            "TimeZone", "DateStyle", "client_encoding", "IntervalStyle", "bytea_output", "standard_conforming_strings",
            "search_path", "statement_timeout", "default_transaction_read_only", "default_transaction_isolation",
            "row_security", "lc_messages", "array_nulls",
        ]
        /// The values of each, and whether a pooler is between.
        private static let values = [
            [
                "UTC", "Europe/Berlin", "America/Sao_Paulo", "Australia/Lord_Howe", "Pacific/Apia", "Asia/Kathmandu",
                "America/St_Johns", "Pacific/Kiritimati",
            ],
            ["ISO, MDY", "German, DMY", "SQL, DMY", "Postgres, MDY"], ["UTF8", "LATIN1", "SJIS", "WIN1252"],
            ["postgres", "sql_standard", "iso_8601"], ["hex", "escape"], ["on", "off"],
            ["public", "pg_catalog", "nowhere", "\"$user\""], ["0", "5ms"], ["off", "on"],
            ["read committed", "repeatable read", "serializable"], ["on", "off"], ["C", "C.UTF-8", "de_DE.UTF-8"],
            ["on", "off"], ["direct", "pooled"],
        ]
        private static let isLong = ProcessInfo.processInfo.environment["HEARTBEAT_TEST_LONG"] != nil

        @Test("every command and daemon does the same under all of them")
        func same() async throws {
            // Few machines have German; the server's messages then are German, too.
            let folder = try TestFolder.required().path
            try await shell("localedef --no-archive -i de_DE -f UTF-8 \(folder)/de_DE.UTF-8")
            let cluster = try await PrivatePostgreSQL(environment: ["LOCPATH": folder])
            try await PrivatePostgreSQL.$current.withValue(cluster) { try await Self.compare() }
            try await cluster.stop(.fast)
        }

        private static func compare() async throws {
            // The broker and its messages are the same for all, so all rows have to be.
            let broker = try await TestBroker(partitions: 2)
            try broker.publish(messages)
            let usual = try await work(nil, on: broker)
            let setups = isLong ? pairs() : each()
            for setup in setups {
                let found = try await work(setup, on: broker)
                #expect(found == usual, "\(setup.values)")
            }
            print("\(setups.count) ways to set the defaults")
        }

        /// Customers whom some form of text takes apart, with anomalies, episodes, rejected messages and headers.
        private static let messages: [Message] = {
            let customers = ["a\\\\b", "quo\\\"te", "it's", "ä🫀 Jürgen", "NULL", "{1,2}"]
            var messages = (0..<40).flatMap { place in
                customers.enumerated().map { number, customer in
                    Message(
                        customer: customer, timestamp: "2026-02-19T2\(3 - place % 2):\(10 + place):03.123456+05:30",
                        heartRate: number == 2 ? 30 : 70 + place % 7)
                }
            }
            messages += [
                Message(customer: "a", timestamp: "2026-02-30T00:00:00Z", heartRate: 70),
                Message(key: [0, 255], value: [0xC3, 0x28, 0], headers: [.init(name: "ü\\", value: [0, 1])]),
                Message(key: nil, value: nil),
            ]
            return messages
        }()

        /// Runs everything, and says what it has left and answered.
        private static func work(_ setup: Setup?, on broker: TestBroker) async throws -> [[String?]] {
            let database = try await TestDatabase.make()
            let pooler = setup?.isPooled == true ? try await Pooler(for: database.cluster) : nil
            if let setup { try apply(setup, to: database) }
            func settings(_ role: String) -> [String: String] {
                let server = pooler?.settings(database, as: role) ?? database.settings(as: role)
                return broker.settings.merging(server) { $1 }.merging(["CONSUMER_NAME": "c"]) { $1 }
            }
            for (command, role) in [
                (["database", "setup"], "postgres"), (["consumer", "--drain"], "heartbeat-consumer"),
                (["database", "maintain"], "heartbeat-maintenance"), (["database", "status"], "heartbeat-dashboard"),
            ] {
                let finished = try await Heartbeat.run(command, settings(role))
                #expect(finished.end == .exited(0), "\(setup?.values ?? []), \(command): \(finished.log)")
            }
            let proof = try await Heartbeat.run(["verify"], settings("postgres"))
            #expect(proof.end == .exited(0), "\(setup?.values ?? []): \(proof.log)")
            // Ids follow the order in which partitions were read.
            let id = "\(try database.number("SELECT id FROM rejected_messages WHERE reason_code = 'malformed_json'"))"
            let list = try await Heartbeat.run(["rejected", "show", id], settings("heartbeat-consumer"))
            #expect(list.end == .exited(0), "\(setup?.values ?? []): \(list.log)")
            let lines = list.output.split(separator: "\n").filter { !$0.contains(" at  ") && !$0.hasPrefix("id ") }
            let dashboard = try await RunningDashboard(settings("heartbeat-dashboard"), database: database)
            let customers = try (dashboard.json("/api/v1/customers")["items"] as? [[String: Any]] ?? []).map { item in
                ["customer_id", "recorded_at", "heart_rate", "readings", "anomalies"].map { "\(item[$0] ?? "")" }
                    .joined(
                        separator: "|")
            }
            #expect(customers.count == 6 && customers.contains { $0.contains("ä🫀 Jürgen") }, "\(customers)")
            return try rows(of: database) + [[proof.output, lines.joined(separator: "\n")], customers]
        }

        private static func apply(_ setup: Setup, to database: TestDatabase) throws {
            let statements = zip(names, setup.values).compactMap { name, value -> String? in
                // In a session that is lent, the limit holds until our own is set, however loaded the machine is.
                let value = setup.isPooled && value == "5ms" ? "19min" : value
                return "ALTER DATABASE \(database.name) SET \(name) = \(name == "search_path" ? value : "'\(value)'")"
            }
            try database.rows(statements.joined(separator: ";"))
            database.disconnect()
            guard setup.values[11].hasPrefix("de_DE") else { return }
            #expect {
                try database.rows("SELECT * FROM nowhere.nothing")
            } throws: { "\($0)".contains("existiert nicht") }
        }

        private static func rows(of database: TestDatabase) throws -> [[String?]] {
            let session = try database.connect()
            return try [
                """
                SELECT customer_id, extract(epoch FROM recorded_at), heart_rate, is_anomaly, anomaly_reason, source_id,
                       kafka_offset, is_suspect, activity, tableoid::regclass FROM heart_rate_readings ORDER BY 6, 7
                """,
                "SELECT customer_id FROM customers ORDER BY 1",
                """
                SELECT customer_id, extract(epoch FROM recorded_at), heart_rate, readings, anomalies, source_id,
                       encode(detector, 'hex') FROM customer_state ORDER BY 1
                """,
                """
                SELECT customer_id, kind, worst_severity, extract(epoch FROM opened_at), extract(epoch FROM closed_at),
                       extreme_heart_rate, readings, reason FROM episodes ORDER BY 1, 2, 4
                """,
                """
                SELECT extract(epoch FROM minute), sum(readings), min(heart_rate_min), max(heart_rate_max),
                       sum(heart_rate_sum) FROM readings_per_minute GROUP BY 1 ORDER BY 1
                """,
                """
                SELECT source_id, topic, partition, kafka_offset, encode(key, 'hex'), encode(payload, 'hex'), headers,
                       reason_code, reason FROM rejected_messages ORDER BY 1, 4
                """,
                "SELECT source_id, partition, next_offset, readings, rejected, last_fingerprint FROM kafka_offsets ORDER BY 1",
            ].flatMap { try session.rows($0) }
        }

        /// So many ways that each value is in one.
        private static func each() -> [Setup] {
            (0..<8).map { way in Setup(values: values.enumerated().map { $1[(way + $0) % $1.count] }) }
        }

        /// Ways that have each value of one setting beside each of every other one.
        private static func pairs() -> [Setup] {
            var missing: Set<[Int]> = []
            for (one, firsts) in values.enumerated() {
                for (other, seconds) in values.enumerated().dropFirst(one + 1) {
                    for first in firsts.indices {
                        for second in seconds.indices { missing.insert([one, first, other, second]) }
                    }
                }
            }
            func found(_ way: [Int]) -> [[Int]] {
                way.indices.flatMap { one in way.indices.dropFirst(one + 1).map { [one, way[one], $0, way[$0]] } }
            }
            var setups: [Setup] = []
            while let next = missing.min(by: { $0.lexicographicallyPrecedes($1) }) {
                let ways = (0..<50).map { _ in
                    values.indices.map { place in
                        place == next[0] ? next[1] : place == next[2] ? next[3] : Int.random(in: values[place].indices)
                    }
                }
                let best = ways.max {
                    found($0).count(where: missing.contains) < found($1).count(where: missing.contains)
                }
                missing.subtract(found(best ?? []))
                setups.append(Setup(values: (best ?? []).enumerated().map { values[$0][$1] }))
            }
            return setups
        }
    }
}
