import Foundation
import Harness
import Testing

extension OnANotifier {
    @Suite struct SendingTests {
        private static let secret = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz"

        @Test("each event of an episode arrives signed, in its order, with what the database has of it")
        func events() async throws {
            let receiver = try await EpisodeReceiver("receiver", "http", options: ["--secret", Self.secret])
            let notifier = try await RunningNotifier(
                "receiver duty webhook \(receiver.url) secret=\(Self.secret)\nroute duty\n")
            let database = notifier.database
            try database.rows("INSERT INTO customers VALUES ('it''s \"ä\"')")
            try database.rows("SELECT set_customer_groups('it''s \"ä\"', 'Ann', ARRAY['ward 3', 'icu'])")
            let now = "timestamptz '\(Date.now.ISO8601Format())'"
            func write(_ change: String, _ severity: String, after: Int) throws {
                let customer = "it''s \"ä\""
                try database.write(
                    [Change(customer: customer, change: change, severity: severity, after: after)], now: now)
            }
            try write("opened", "medium", after: 8000)
            try write("escalated", "high", after: 9000)
            let id = try database.number("SELECT episode_id FROM episodes")
            try database.rows("SELECT acknowledge_episode(\(id), 'Ann', 'high', 'on my way')")
            try database.rows("SELECT undo_acknowledgement(\(id), 'Ann')")
            try database.rows("UPDATE episodes SET reminded_at = now()")
            try write("eased", "medium", after: 10_000)
            try write("closed", "medium", after: 20_000)
            try await eventually("all have arrived") { try receiver.received.count >= 7 }
            let received = try receiver.received
            #expect(
                received.map(\.type) == [
                    "episode.opened", "episode.escalated", "episode.acknowledged", "episode.unacknowledged",
                    "episode.reminded", "episode.eased", "episode.closed",
                ])
            #expect(received.allSatisfy { $0.isSigned == true && $0.path == "/alarms" })
            #expect(Set(received.map(\.id)).count == 7)
            #expect(received.map(\.sequence) == received.map(\.sequence).sorted())
            #expect(received.allSatisfy { $0.customer == "it's \"ä\"" })
            let last = try #require(received.last).episode
            #expect(last["groups"] as? [String] == ["icu", "ward 3"])
            #expect(last["severity"] as? String == "medium" && last["worst_severity"] as? String == "high")
            #expect(last["heart_rate"] as? Int == 207 && last["reason"] as? String == "above 180 bpm for 8 s")
            #expect(last["closed_at"] as? String != nil && received[0].episode["closed_at"] == nil)
            #expect(
                received[2].episode["by"] as? String == "Ann" && received[2].episode["note"] as? String == "on my way")
            try await eventually("they count as sent") {
                try database.number("SELECT count(*) FROM notifications WHERE state = 'sent'") == 7
            }
        }

        @Test("a transaction that commits late is not passed over by whoever has seen a later one")
        func late() async throws {
            let receiver = try await EpisodeReceiver()
            let notifier = try await RunningNotifier("receiver a webhook \(receiver.url)\nroute a\n")
            let session = try notifier.database.connect(as: "heartbeat-consumer")
            try session.rows("BEGIN; " + Change(customer: "late").sql())
            try notifier.database.write([Change(customer: "early")])
            try await eventually("the one that is committed arrives") { try receiver.received.count == 1 }
            try session.rows("COMMIT")
            try await eventually("the other one arrives, too") { try receiver.received.count == 2 }
            let received = try receiver.received
            #expect(received.map(\.customer) == ["early", "late"])
            #expect(received[0].sequence > received[1].sequence, "the numbers are in the other order")
        }

        @Test("what was rolled back, what is a recording's, and what was before the first notifier is not sent")
        func never() async throws {
            let database = try await TestDatabase.make()
            try database.write([Change(customer: "before")])
            let receiver = try await EpisodeReceiver()
            let notifier = try await RunningNotifier(
                "receiver a webhook \(receiver.url)\nroute a\n", database: database)
            let session = try database.connect(as: "heartbeat-consumer")
            try session.rows("BEGIN; " + Change(customer: "undone").sql() + "ROLLBACK")
            try database.write([Change(customer: "recording", begin: 200_000)])
            notifier.process.kill(SIGTERM)
            #expect(try await notifier.process.waitForEnd(within: .seconds(30)) == .exited(0))
            // But what happens while it does not run is.
            try database.write([Change(customer: "meanwhile")])
            let second = try notifier.again("second")
            try await eventually("the change arrives") { try !receiver.received.isEmpty }
            #expect(try receiver.received.map(\.customer) == ["meanwhile"])
            #expect(second.process.end == nil)
        }

        @Test(
            "a receiver that is down or does not answer holds up no other, and has everything in order when it is back")
        func down() async throws {
            let (good, hanging) = (try await EpisodeReceiver("good"), try await EpisodeReceiver("hanging"))
            let dead = try await EpisodeReceiver("dead")
            try await hanging.answer("hang")
            dead.process.kill(SIGKILL)
            try await dead.process.waitForEnd(within: .seconds(10))
            let notifier = try await RunningNotifier(
                """
                receiver good webhook \(good.url)
                receiver hanging webhook \(hanging.url)
                receiver dead webhook \(dead.url)
                route good\nroute hanging\nroute dead\n
                """, ["NOTIFIER_TIMEOUT_SECONDS": "2"])
            for number in 1...20 { try notifier.database.write([Change(customer: "cust_\(number)")]) }
            try await eventually("the good one has all") { try good.received.count == 20 }
            #expect(try hanging.received.isEmpty)
            try await eventually("attempts at the others have failed") {
                try notifier.database.number(
                    "SELECT count(DISTINCT receiver) FROM notifications WHERE state = 'waiting' AND attempts > 1") == 2
            }
            #expect(notifier.process.log.contains("the receiver dead is tried again and again: Failed to connect"))
            try await hanging.answer("503")
            try await eventually("the reason is kept") {
                try notifier.database.number(
                    "SELECT count(*) FROM notifications WHERE error = 'HTTP status 503: as I was told'") > 0
            }
            try await hanging.answer("200")
            let back = try await EpisodeReceiver("back", port: dead.port)
            for receiver in [hanging, back] {
                try await eventually("it has all") { try Set(receiver.received.map(\.id)).count == 20 }
                #expect(
                    try receiver.received.map(\.id).uniqued() == good.received.map(\.id), "\(receiver.process.name)")
            }
            try await eventually("the log says so") {
                notifier.process.log.contains("the receiver dead is available again")
            }
        }

        @Test("what is refused or too old is given up, counted and told")
        func givenUp() async throws {
            let (picky, down) = (try await EpisodeReceiver("picky"), try await EpisodeReceiver("down"))
            try await picky.answer("422")
            try await down.answer("500")
            let notifier = try await RunningNotifier(
                "receiver picky webhook \(picky.url)\nreceiver down webhook \(down.url)\nroute picky\nroute down\n",
                ["NOTIFIER_RETRY_SECONDS": "3"])
            try notifier.database.write([Change()])
            try await eventually("both are given up") {
                try notifier.database.number("SELECT count(*) FROM notifications WHERE state = 'dead'") == 2
            }
            let rows = try notifier.database.rows("SELECT receiver, error FROM notifications ORDER BY receiver")
            #expect(
                rows == [
                    ["down", "HTTP status 500: as I was told"], ["picky", "HTTP status 422: as I was told"],
                ])
            try await eventually("the metrics have it") {
                let sample = #"heartbeat_notifier_notifications_total{daemon="notifier",receiver="down",result="dead"}"#
                return try notifier.metric(sample) == 1
            }
            for name in ["down", "picky"] {
                #expect(notifier.process.log.contains("1 notifications for \(name) are given up"))
            }
            // What comes next has its own time.
            for receiver in [picky, down] { try await receiver.answer("200") }
            try notifier.database.write([Change(customer: "next")])
            for receiver in [picky, down] {
                try await eventually("it goes on") { try receiver.received.map(\.customer) == ["next"] }
            }
        }

        @Test(
            "routes decide who is told, quiet hours by the zone's own clock; a reload changes them and a mistake nothing"
        )
        func routes() async throws {
            let receiver = try await EpisodeReceiver()
            let (high, quiet) = (try await EpisodeReceiver("high"), try await EpisodeReceiver("quiet"))
            let routes = """
                receiver all webhook \(receiver.url)
                receiver high webhook \(high.url)
                receiver quiet webhook \(quiet.url)
                route all
                route high severity=high kind=tachycardia

                """
            // From an hour ago to an hour from now, in a zone that is not the machine's.
            let database = try await TestDatabase.make()
            let hours = try database.rows(
                """
                SELECT to_char(now() AT TIME ZONE 'Asia/Kathmandu' - interval '1 hour', 'HH24:MI') || '-' ||
                       to_char(now() AT TIME ZONE 'Asia/Kathmandu' + interval '1 hour', 'HH24:MI')
                """)
            let now = "\(hours[0][0] ?? "")@Asia/Kathmandu"
            let notifier = try await RunningNotifier(routes + "route quiet quiet=\(now)\n", database: database)
            try database.write([
                Change(customer: "a", severity: "medium"), Change(customer: "b", kind: "bradycardia"),
                Change(customer: "c"),
            ])
            try await eventually("all have arrived") { try receiver.received.count == 3 && high.received.count == 1 }
            #expect(try high.received.map(\.customer) == ["c"])
            #expect(try quiet.received.isEmpty)
            try await notifier.use(routes + "route quiet quiet=12-13@UTC\n")
            #expect(notifier.process.log.contains("reload refused, keeping the current settings"))
            #expect(notifier.process.log.contains("line 6: 12-13@UTC: expected quiet hours and their zone"))
            try database.write([Change(customer: "d")])
            try await eventually("the old routes hold") { try receiver.received.count == 4 }
            #expect(try quiet.received.isEmpty)
            try await notifier.use(routes + "route quiet\n")
            try database.write([Change(customer: "e")])
            try await eventually("the new route holds") { try quiet.received.map(\.customer) == ["e"] }
            // Those that did not change kept their connections, and nothing was sent twice.
            try await eventually("the others have it, too") {
                try receiver.received.count >= 5 && high.received.count >= 3
            }
            #expect(try receiver.received.count == 5 && high.received.map(\.customer) == ["c", "d", "e"])
        }

        @Test("a test message is sent past the database, and what went wrong is said")
        func testMessage() async throws {
            let receiver = try await EpisodeReceiver("receiver", "http", options: ["--secret", Self.secret])
            let folder = try TestFolder.required()
            let file = try folder.write(
                "routes",
                "receiver a webhook \(receiver.url) secret=\(Self.secret)\nreceiver v4 alertmanager-webhook \(receiver.url)\n"
            )
            let settings = ["NOTIFIER_ROUTES_FILE": file]
            let done = try await Heartbeat.run(["notifier", "test", "a"], settings)
            #expect(done.end == .exited(0) && done.output == "the receiver \"a\" has taken the test message\n")
            let received = try receiver.received
            #expect(received.map(\.type) == ["test"] && received[0].isSigned == true)
            let unknown = try await Heartbeat.run(["notifier", "test", "b"], settings)
            #expect(unknown.end == .exited(70) && unknown.log.contains("there is no receiver \"b\""))
            #expect(unknown.log.contains("has a, v4"))
            try await receiver.answer("401")
            let refused = try await Heartbeat.run(["notifier", "test", "a"], settings)
            #expect(
                refused.end == .exited(69) && refused.log.contains("HTTP status 401: as I was told"), "\(refused.log)")
        }
    }
}

extension [String] {
    /// Without what was there before.
    func uniqued() -> [String] {
        var seen: Set<String> = []
        return filter { seen.insert($0).inserted }
    }
}
