import Foundation
import Harness
import Kafka
import PostgreSQL
import Testing

extension EndToEnd {
    /// `heartbeat benchmark`: figures, and nothing left behind.
    @Suite("Benchmark") struct Benchmarks {
        private static let isLong = ProcessInfo.processInfo.environment["HEARTBEAT_TEST_LONG"] == "1"
        private static let small = ["benchmark", "--messages", "2000", "--customers", "20", "--seconds", "1"]
        private static let database = "heartbeat_benchmark"

        /// Servers of a stranger: nobody has set heartbeat up there.
        private struct Strangers {
            let cluster: PrivatePostgreSQL
            let broker: TestBroker

            init() async throws {
                cluster = try await PrivatePostgreSQL()
                broker = TestBroker(try await FaultyBroker(partitions: 4))
            }

            var settings: [String: String] {
                let servers = broker.settings.merging(cluster.settings(database: "heartbeat_db", as: "postgres")) { $1 }
                // The benchmark has its own.
                return servers.filter { !["KAFKA_TOPIC", "KAFKA_GROUP_ID"].contains($0.key) }
            }

            func names(_ sql: String) throws -> [String] {
                let connection = try PostgreSQLConnection(cluster.parameters(database: "postgres"), .test)
                return try connection.rows(sql).compactMap { $0.first ?? nil }
            }

            func hasTopic(_ name: String) throws -> Bool {
                try KafkaConsumer(broker.configuration()).cluster.topic(name, withinMilliseconds: 10_000) != nil
            }

            /// Expects that neither server has anything of a benchmark.
            func expectNothingLeft(of topics: [String], sourceLocation: SourceLocation = #_sourceLocation) throws {
                let databases = try names("SELECT datname FROM pg_database WHERE datname LIKE 'heartbeat%'")
                #expect(databases == [], sourceLocation: sourceLocation)
                let roles = try names("SELECT rolname FROM pg_roles WHERE rolname LIKE 'heartbeat%'")
                #expect(roles == [], sourceLocation: sourceLocation)
                for topic in topics { #expect(try !hasTopic(topic), "\(topic)", sourceLocation: sourceLocation) }
            }
        }

        private static func object(_ text: String) throws -> [String: Any] {
            try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
        }

        /// Every number below a value, with the path to it.
        private static func numbers(_ value: Any, _ path: String = "") -> [(path: String, number: Double)] {
            switch value {
            case let number as Double: [(path, number)]
            case let values as [String: Any]: values.flatMap { numbers($1, "\(path).\($0)") }
            case let values as [Any]: values.enumerated().flatMap { numbers($1, "\(path).\($0)") }
            default: []
            }
        }

        @Test("it measures everything on servers that it knows nothing of, and leaves nothing there")
        func figures() async throws {
            let strangers = try await Strangers()
            let measured = try await Heartbeat.run(Self.small + ["--json"], strangers.settings)
            #expect(measured.end == .exited(0), "\(measured.log)")
            let figures = try Self.object(measured.output)
            for name in ["decode", "copy", "produce", "ingest", "sealing"] {
                let rate = figures[name] as? [String: Any]
                #expect((rate?["per_second"] as? Double ?? 0) > 0, "\(name)")
                #expect((rate?["limit"] as? String)?.isEmpty == false, "\(name)")
            }
            let latencies = figures["latencies"] as? [[String: Any]] ?? []
            #expect(latencies.count == 3 && latencies.prefix(2).map { $0["rate"] as? Int } == [20, 1000])
            for latency in latencies {
                let figures = ["p50_ms", "p99_ms", "p99_9_ms"].map { latency[$0] as? Double ?? 0 }
                #expect(figures[0] > 0 && figures == figures.sorted(), "\(latency)")
            }
            #expect((figures["queries"] as? [Any] ?? []).count == 7)
            for (path, number) in Self.numbers(figures) where !path.contains("is_") {
                #expect(number > 0, "\(path)")
            }
            let sealing = figures["sealing"] as? [String: Any] ?? [:]
            #expect(sealing["bytes_sealed"] as? Double ?? 0 < sealing["bytes_in_rows"] as? Double ?? 0)
            #expect((figures["summary"] as? String ?? "").contains("hearts at one reading a second"))
            try strangers.expectNothingLeft(of: [])
        }

        @Test("killed, it leaves what the next run removes; interrupted, it leaves nothing")
        func interrupted() async throws {
            let strangers = try await Strangers()
            let names = ["killed", "interrupted"]
            var topics: [String] = []
            for (name, signal) in zip(names, [SIGKILL, SIGINT]) {
                let benchmark = try Heartbeat.start(
                    name, ["benchmark", "--messages", "2000", "--seconds", "60"],
                    // The folder of the killed one goes with the test's.
                    settings: strangers.settings.merging(["TMPDIR": TestFolder.required().path]) { $1 })
                try await eventually("the consumer of \(name) stores messages") {
                    if let end = benchmark.unexpectedEnd {
                        throw HarnessError("it has ended: \(end), \(benchmark.log)")
                    }
                    return try strangers.names(
                        """
                        SELECT 1 FROM pg_stat_activity
                         WHERE datname = '\(Self.database)' AND application_name = 'heartbeat-consumer'
                        """
                    ).isEmpty == false
                }
                topics.append("heartbeat-benchmark-\(benchmark.id)")
                #expect(try strangers.hasTopic(topics.last ?? ""))
                benchmark.kill(signal)
                let end = try await benchmark.waitForEnd(within: .seconds(60))
                #expect(end == (signal == SIGKILL ? .killed(by: SIGKILL) : .exited(70)), "\(benchmark.log)")
                try await eventually("nobody is in the database of \(name)") {
                    try strangers.names("SELECT 1 FROM pg_stat_activity WHERE datname = '\(Self.database)'").isEmpty
                }
            }
            // The roles of the first are known to the second, which cannot tell whose they are.
            let roles = try strangers.names("SELECT rolname FROM pg_roles WHERE rolname LIKE 'heartbeat%'")
            #expect(roles.count == 5)
            #expect(try strangers.names("SELECT datname FROM pg_database WHERE datname LIKE 'heartbeat%'") == [])
            for topic in topics { #expect(try !strangers.hasTopic(topic), "\(topic)") }
        }

        @Test("it refuses a server whose database has readings, and a database that is not its own")
        func refused() async throws {
            let pipeline = try await Pipeline(on: TestBroker(try await FaultyBroker(partitions: 1)))
            try pipeline.database.rows(
                """
                INSERT INTO heart_rate_readings (customer_id, recorded_at, heart_rate, is_anomaly)
                VALUES ('x', now(), 70, false)
                """)
            let settings = pipeline.broker.settings.merging(pipeline.database.settings(as: "postgres")) { $1 }
            let inUse = try await Heartbeat.run(["benchmark"], settings)
            #expect(inUse.end == .exited(78))
            #expect(inUse.log.contains("database \"\(pipeline.database.name)\" has readings"), "\(inUse.log)")
            let foreign = try await Heartbeat.run(["benchmark", "--database", pipeline.database.name], settings)
            #expect(foreign.end == .exited(78))
            #expect(foreign.log.contains("is there already"), "\(foreign.log)")
            #expect(try pipeline.database.number("SELECT count(*) FROM heart_rate_readings") == 1)
            let databases = "SELECT count(*) FROM pg_database WHERE datname = '\(Self.database)'"
            #expect(try pipeline.database.number(databases) == 0)
        }

        @Test("on private servers it prints a table", .enabled(if: isLong))
        func local() async throws {
            let measured = try await Heartbeat.run(Self.small + ["--local"], [:])
            #expect(measured.end == .exited(0), "\(measured.log)")
            let lines = measured.output.split(separator: "\n").map(String.init)
            for (name, unit) in [
                ("decoding alone", "messages/s"), ("COPY alone", "rows/s"), ("publishing alone", "messages/s"),
                ("ingest", "messages/s"), ("latency at 20/s", "ms"), ("latency at 1,000/s", "ms"),
                ("sealing a day", "readings/s"), ("a reading in rows", "bytes"), ("a reading sealed", "bytes"),
                ("page: everyone, each second", "ms"), ("page: a customer's sealed hour", "ms"),
            ] {
                let line = lines.first { $0.hasPrefix(name + " ") } ?? ""
                #expect(line.contains(#/ ([1-9][0-9,.]*|0\.[1-9]) /#) && line.contains(unit), "\(name): \(line)")
            }
            #expect(measured.output.contains("hearts at one reading a second"))
            #expect(lines.last?.contains(/^A year of them takes .+ [kMGTP]B in rows, or .+ [kMGTP]B sealed\.$/) == true)
        }
    }
}
