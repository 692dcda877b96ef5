import Foundation
import Harness
import Testing

extension EndToEnd {
    /// What the package has for Prometheus and Grafana.
    @Suite("Monitoring") struct MonitoringTests {
        private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "packaging/monitoring")

        @Test("the SQL of Grafana's dashboard runs as a role that only reads, and finds what is stored")
        func grafana() async throws {
            let pipeline = try await Pipeline(partitions: 1)
            let now = Date.now.formatted(.iso8601)
            try pipeline.broker.publish([
                Message(customer: "it's", timestamp: now, heartRate: 72),
                Message(customer: "it's", timestamp: now, heartRate: 999),
            ])
            try await pipeline.drain()
            let statements = try Self.statements()
            #expect(statements.count == 12)
            var rows: [String: Int] = [:]
            for (title, sql) in statements {
                let found = try pipeline.database.rows(
                    "SET ROLE \"heartbeat-dashboard\"; \(Self.expanded(sql))")
                rows[title] = found.count
            }
            for title in [
                "Heart rates: $customer", "Readings and anomalies a minute", "Rejected messages by reason", "customer",
            ] {
                #expect(rows[title] == 1, "\(title)")
            }
        }

        /// The dashboard's statements by what they are for.
        private static func statements() throws -> [(title: String, sql: String)] {
            let data = try Data(contentsOf: folder.appending(path: "grafana-dashboard.json"))
            let dashboard = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
            func list(_ name: String) -> [[String: Any]] {
                (dashboard[name] as? [String: Any])?["list"] as? [[String: Any]] ?? []
            }
            var statements: [(String, String)] = []
            for panel in dashboard["panels"] as? [[String: Any]] ?? [] {
                for target in panel["targets"] as? [[String: Any]] ?? [] {
                    statements.append((panel["title"] as? String ?? "", target["rawSql"] as? String ?? ""))
                }
            }
            for annotation in list("annotations") {
                let target = annotation["target"] as? [String: Any]
                statements.append((annotation["name"] as? String ?? "", target?["rawSql"] as? String ?? ""))
            }
            for variable in list("templating") where variable["type"] as? String == "query" {
                statements.append((variable["name"] as? String ?? "", variable["query"] as? String ?? ""))
            }
            return statements
        }

        /// As Grafana writes its macros and variables.
        private static func expanded(_ sql: String) -> String {
            sql.replacing(/\$__timeFilter\((\w+)\)/) {
                "\($0.1) BETWEEN now() - interval '1 hour' AND now() + interval '1 minute'"
            }
            .replacing(/\$__timeGroup\((\w+), \$__interval\)/) {
                "floor(extract(epoch FROM \($0.1)) / 60) * 60"
            }
            .replacing("$customer", with: "'it''s'")
        }

        @Test("Prometheus takes the rules, and they speak when and only when something is wrong")
        func prometheus() async throws {
            let promtool = "/usr/bin/promtool"
            try #require(access(promtool, X_OK) == 0, "apt install prometheus")
            let path = Self.folder.path
            for command in [
                "check rules '\(path)/heartbeat.rules.yml'", "check config --syntax-only '\(path)/prometheus.yml'",
                "test rules '\(path)/heartbeat.rules.test.yml'",
            ] {
                let said = try await shell("\(promtool) \(command) 2>&1 || echo refused")
                #expect(said.contains("SUCCESS") && !said.contains("refused"), "\(said)")
            }
        }

        @Test("a real Prometheus scrapes the daemons, and evaluates every rule")
        func scraped() async throws {
            let program = "/usr/bin/prometheus"
            try #require(access(program, X_OK) == 0, "apt install prometheus")
            let pipeline = try await Pipeline(partitions: 1)
            let folder = try TestFolder.required()
            let dashboard = try Heartbeat.start(
                "dashboard", ["dashboard"],
                settings: pipeline.database.settings(as: "heartbeat-dashboard").merging([
                    "DASHBOARD_PORT": "0", "METRICS_DIRECTORY": folder.path,
                ]) { $1 })
            let port = try await first("the dashboard listens") {
                dashboard.log.firstMatch(of: /serving on http:\/\/\S+:(\d+)/).flatMap { Int($0.1) }
            }
            let shipped = try String(contentsOf: Self.folder.appending(path: "prometheus.yml"), encoding: .utf8)
            let config = try folder.write(
                "prometheus.yml",
                shipped.replacing("localhost:8501", with: "localhost:\(port)")
                    .replacing("scrape_interval: 15s", with: "scrape_interval: 1s\n  evaluation_interval: 1s")
                    .replacing("/usr/share/heartbeat/", with: Self.folder.path + "/"))
            let prometheus = try ChildProcess(
                "prometheus",
                ChildProcess.Command(
                    program,
                    [
                        "--config.file", config, "--storage.tsdb.path", folder.path + "/prometheus",
                        "--web.listen-address", "127.0.0.1:0",
                    ]), in: folder)
            let own = try await first("Prometheus listens") {
                prometheus.log.firstMatch(of: /Listening on" address=127\.0\.0\.1:(\d+)/).flatMap { Int($0.1) }
            }
            func ask(_ path: String) throws -> String {
                let connection = try HTTPConnection(port: own)
                connection.request("/api/v1/" + path)
                return try connection.answer().text
            }
            try await eventually("the dashboard is scraped") { try ask("query?query=up").contains(#","1"]"#) }
            try await eventually("every rule was evaluated") {
                let rules = try ask("rules")
                return rules.matches(of: /"health":"ok"/).count == 13 && !rules.contains(#""health":"err"#)
            }
            #expect(try ask("query?query=heartbeat_ready").contains(#""daemon":"dashboard""#))
            prometheus.kill(SIGTERM)
            _ = try await prometheus.waitForEnd(within: .seconds(30))
        }

        @Test("the rules name metrics that the program has, and all their labels")
        func metrics() throws {
            let sources = Self.folder.deletingLastPathComponent().deletingLastPathComponent().appending(path: "Sources")
            let files = FileManager.default.enumerator(atPath: sources.path)?.allObjects as? [String] ?? []
            let texts = try files.filter { $0.hasSuffix(".swift") }.map {
                try String(contentsOf: sources.appending(path: $0), encoding: .utf8)
            }
            let rules = try String(contentsOf: Self.folder.appending(path: "heartbeat.rules.yml"), encoding: .utf8)
            let names = Set(rules.matches(of: /heartbeat_[a-z_]+/).map { String($0.0) })
            #expect(names.count >= 9)
            for name in names { #expect(texts.contains { $0.contains("\"\(name)\"") }, "\(name)") }
        }
    }
}
