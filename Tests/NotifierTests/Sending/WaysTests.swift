import Foundation
import Harness
import Testing

extension OnANotifier {
    /// The ways other than the plain webhook, each with a program that takes it.
    @Suite struct WaysTests {
        @Test("what a consumer finds is with the receiver soon after the COMMIT")
        func consumer() async throws {
            let pipeline = try await Pipeline(partitions: 1)
            let receiver = try await EpisodeReceiver()
            let notifier = try await RunningNotifier(
                "receiver a webhook \(receiver.url)\nroute a severity=high\n", database: pipeline.database)
            let consumer = try await pipeline.startReadyConsumer()
            let now = Date.now.timeIntervalSince1970
            let messages = (0..<30).map { second in
                Message(
                    customer: "cust_0001",
                    timestamp: Date(timeIntervalSince1970: now + Double(second) - 30).ISO8601Format(),
                    heartRate: second < 5 ? 80 : 207)
            }
            try pipeline.broker.publish(messages)
            try await eventually("the alarm arrives") { try !receiver.received.isEmpty }
            let received = try #require(try receiver.received.first)
            #expect(received.customer == "cust_0001" && received.episode["kind"] as? String == "tachycardia")
            #expect(received.episode["severity"] as? String == "high")
            let committed = try notifier.database.rows("SELECT extract(epoch FROM recorded_at) FROM episode_events")
            let delay = received.at - (Double(committed[0][0] ?? "") ?? 0)
            print("measured: from the change in the database to the receiver: \(Int(delay * 1000)) ms")
            try await pipeline.stop(consumer)
        }

        @Test(
            "Alertmanager has an episode as an alert, through its own restart and to its end, and sends on what we send, too"
        )
        func alertmanager() async throws {
            let program = "/usr/bin/prometheus-alertmanager"
            try #require(access(program, X_OK) == 0, "apt install prometheus-alertmanager")
            let behind = try await EpisodeReceiver("behind")
            let direct = try await EpisodeReceiver("direct")
            let manager = try await Alertmanager(program, tellingTo: behind.url)
            // As the document has it.
            let lines = try RoutesFileTests.example().split(separator: "\n").filter { $0.contains(/^\w+ am\b/) }
            let example = lines.joined(separator: "\n").replacing("http://localhost:9093", with: manager.url)
            try #require(lines.count == 2 && example.contains(manager.url))
            let notifier = try await RunningNotifier(
                "\(example)\nreceiver direct alertmanager-webhook \(direct.url)\nroute direct\n")
            let database = notifier.database
            let now = "timestamptz '\(Date.now.ISO8601Format())'"
            try database.write([Change(kind: "signal loss", severity: "medium")], now: now)
            try await eventually("the alert is there") { try manager.alerts() == ["signal_loss medium active"] }
            try await eventually("it is told") { try !behind.lines.isEmpty && !direct.lines.isEmpty }
            // What is sent directly has the form of what Alertmanager sends.
            let (theirs, ours) = (try behind.received[0].body, try direct.received[0].body)
            #expect(Set(theirs.keys).isSubset(of: ours.keys))
            #expect(ours["version"] as? String == theirs["version"] as? String && ours["status"] as? String == "firing")
            let (their, our) = (try Self.alerts(theirs)[0], try Self.alerts(ours)[0])
            #expect(Set(their.keys) == Set(our.keys))
            #expect(their["labels"] as? [String: String] == our["labels"] as? [String: String])
            let change = Change(kind: "signal loss", change: "escalated", severity: "high", after: 9000)
            try database.write([change], now: now)
            try await eventually("the severity is another one") { try manager.alerts() == ["signal_loss high active"] }
            try await manager.restart()
            #expect(try manager.alerts() == [], "it keeps nothing")
            // It would be told within a minute; a second change is what brings it sooner.
            let id = try database.number("SELECT episode_id FROM episodes")
            try database.rows("SELECT acknowledge_episode(\(id), 'Ann')")
            try await eventually("it is there again") { try manager.alerts() == ["signal_loss high active"] }
            let end = Change(kind: "signal loss", change: "closed", severity: "high", after: 20_000)
            try database.write([end], now: now)
            try await eventually("it is over") { try manager.alerts() == [] }
            try await eventually("its end is told") {
                try direct.received.last.map { $0.body["status"] as? String == "resolved" } ?? false
            }
        }

        private static func alerts(_ body: [String: Any]) throws -> [[String: Any]] {
            try #require(body["alerts"] as? [[String: Any]])
        }

        @Test("mail has who, what and why, and names of all letters; who does not exist is given up")
        func mail() async throws {
            let server = try await EpisodeReceiver("mail", "mail")
            let notifier = try await RunningNotifier(
                "receiver team mail team@example.org\nroute team\n",
                ["NOTIFIER_MAIL_SERVER": "smtp://127.0.0.1:\(server.port)", "NOTIFIER_MAIL_FROM": "hb@example.org"])
            try notifier.database.write([Change(customer: "Jürgen\r\nBcc: all@example.org")])
            try await eventually("the mail arrives") { try !server.lines.isEmpty }
            let mail = try server.lines[0]
            #expect(mail["from"] as? String == "hb@example.org" && mail["to"] as? [String] == ["team@example.org"])
            let header = try #require(mail["header"] as? [String: String])
            #expect(header["Subject"]?.hasPrefix("[heartbeat] high tachycardia opened: Jürgen") == true, "\(header)")
            #expect(header["Bcc"] == nil && header["Auto-Submitted"] == "auto-generated")
            #expect((mail["text"] as? String)?.contains("above 180 bpm for 8 s") == true)
            try await server.answer("451")
            try notifier.database.write([Change(customer: "later")])
            try await eventually("it is tried") {
                try notifier.database.number(
                    "SELECT count(*) FROM notifications WHERE state = 'waiting' AND attempts > 0") > 0
            }
            try await server.answer("200")
            try await eventually("and arrives") { try server.lines.count == 2 }
            try await server.answer("550")
            try notifier.database.write([Change(customer: "never")])
            try await eventually("it is given up") {
                try notifier.database.number("SELECT count(*) FROM notifications WHERE state = 'dead'") == 1
            }
        }

        @Test("TLS: a receiver has to have a certificate that is trusted")
        func tls() async throws {
            let folder = try TestFolder.required()
            try await shell(
                """
                cd \(folder.path) && openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost \
                -addext subjectAltName=DNS:localhost -keyout key.pem -out certificate.pem 2>/dev/null && \
                cat key.pem certificate.pem >both.pem
                """)
            let receiver = try await EpisodeReceiver(
                "receiver", "http", options: ["--certificate", folder.path + "/both.pem"])
            let file = try folder.write("routes", "receiver a webhook https://localhost:\(receiver.port)/\n")
            let refused = try await Heartbeat.run(["notifier", "test", "a"], ["NOTIFIER_ROUTES_FILE": file])
            #expect(refused.end == .exited(69) && refused.log.contains("certificate"), "\(refused.log)")
            let taken = try await Heartbeat.run(
                ["notifier", "test", "a"],
                ["NOTIFIER_ROUTES_FILE": file, "NOTIFIER_CA_FILE": folder.path + "/certificate.pem"])
            #expect(taken.end == .exited(0), "\(taken.log)")
            #expect(try receiver.received.count == 1)
        }
    }
}
