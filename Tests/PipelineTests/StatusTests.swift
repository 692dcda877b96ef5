import Foundation
import Harness
import Testing

extension EndToEnd {
    /// `heartbeat status`, and what commands say at a terminal while they work.
    @Suite("At the terminal") struct Statuses {
        /// Runs a command with a terminal for its output, and returns what that got.
        private static func atTerminal(_ arguments: String, _ settings: [String: String]) async throws -> String {
            let config = try TestFolder.required().write("empty.conf", "")
            let variables = settings.map { "\($0)='\($1)'" }.joined(separator: " ")
            let libraries = ProcessInfo.processInfo.environment["LD_LIBRARY_PATH"] ?? ""
            let command = "env TERM=xterm LD_LIBRARY_PATH='\(libraries)' \(variables) '\(Heartbeat.path)' \(arguments)"
            let file = try TestFolder.required().write("command", "\(command) --config '\(config)'\n")
            return try await shell("script --quiet --return --command \"bash '\(file)'\" /dev/null </dev/null")
        }

        /// What it shows.
        private static let lines = [
            "consumer    ready", "dashboard   not running on this machine", "lag         0 messages",
            "stored      300 readings, 100 of them anomalies; 0 rejected messages",
            "customers   3: 1 high, 2 normal",
            "open highs  1: c0 tachycardia since ", "readings    20", "disk        ", "full        not known",
        ]

        @Test("status has daemons, rate, lag, readings, customers, open highs and disk, as text and as JSON")
        func status() async throws {
            let pipeline = try await Pipeline()
            let metrics = try TestFolder.required().path + "/metrics"
            try FileManager.default.createDirectory(atPath: metrics, withIntermediateDirectories: true)
            let consumer = try await pipeline.startReadyConsumer()
            let now = Date()
            try pipeline.broker.publish(
                (0..<300).map { number in
                    Message(
                        customer: "c\(number % 3)",
                        timestamp: now.addingTimeInterval(Double(number) - 301).formatted(
                            .iso8601.year().month().day().time(includingFractionalSeconds: true)) + "Z",
                        heartRate: number % 3 == 0 ? 210 : 72)
                })
            try await pipeline.untilStored(300)
            let settings = pipeline.database.settings(as: "heartbeat-dashboard")
            try await eventually("the high episode is open") {
                try pipeline.database.number("SELECT count(*) FROM episodes WHERE severity = 'high'") > 0
            }

            var shown = try await Heartbeat.run(["status"], settings)
            // The consumer tells of itself every few seconds.
            for _ in 0..<60 where !shown.output.contains("lag         0") {
                shown = try await Heartbeat.run(["status"], settings)
            }
            #expect(shown.end == .exited(0), "\(shown.log)")
            #expect(!shown.output.contains("\u{1b}"))
            for line in Self.lines {
                #expect(shown.output.contains("\n" + line) || shown.output.hasPrefix(line), "\(line)\n\(shown.output)")
            }
            let json = try await Heartbeat.run(["status", "--json"], settings)
            let object = try #require(
                try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any])
            #expect(object["customers"] as? Int == 3 && object["open_highs"] as? Int == 1)
            #expect((object["storage"] as? [String: Any])?["newest_reading"] is String)

            consumer.kill(SIGKILL)
            let coloured = try await Self.atTerminal("status", settings)
            #expect(coloured.contains("open highs  \u{1b}[33m1: c0 tachycardia"), "\(coloured)")

            let watching = try Heartbeat.start("status", ["status", "--watch", "--json"], settings: settings)
            try await eventually("it shows it again") { watching.output.split(separator: "\n").count >= 2 }
            watching.kill(SIGTERM)
            #expect(try await watching.waitForEnd(within: .seconds(30)) == .exited(0))
        }

        @Test("status without PostgreSQL still has the daemons, says why, and ends with status 69")
        func withoutPostgreSQL() async throws {
            let folder = try TestFolder.required().path
            let shown = try await Heartbeat.run(["status"], ["POSTGRES_HOST": folder])
            #expect(shown.end == .exited(69))
            #expect(shown.output.contains("consumer    not running on this machine"))
            #expect(shown.output.contains("PostgreSQL  unreachable: unable to connect"))
        }

        @Test("what takes more than two seconds says so at a terminal, and nowhere else")
        func progress() async throws {
            let pipeline = try await Pipeline()
            let settings = pipeline.database.settings(as: "postgres")
            let holder = try pipeline.database.connect()
            try holder.rows("BEGIN")
            try holder.rows("SELECT pg_advisory_xact_lock(hashtext('heartbeat database setup'))")
            let release = Task {
                // Longer than it takes until something is shown; the setup waits for the lock meanwhile.
                try await eventually("two setups wait") {
                    try pipeline.database.number(
                        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
                        == 2
                }
                try await Task.sleep(for: .seconds(4))
                try holder.rows("COMMIT")
            }
            async let quiet = Heartbeat.run(["database", "setup"], settings)
            let shown = try await Self.atTerminal("database setup", settings)
            try await release.value
            #expect(shown.contains("\r\u{1b}[Ksetting the database up: 2 s"), "\(shown)")
            #expect(try await !quiet.log.contains("setting the database up"))
        }
    }
}
