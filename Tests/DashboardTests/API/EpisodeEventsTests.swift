import Foundation
import Harness
import PostgreSQL
import Testing

extension OnAServer {
    /// What happens to episodes, for programs that follow it.
    @Suite("Events of episodes", .ownFolder) struct EpisodeEventsTests {
        /// A listener, who reads by the rules of server-sent events.
        private final class Listener {
            private let connection: HTTPConnection
            private var text = ""
            let head: HTTPConnection.Answer
            /// With which it would come back.
            private(set) var lastID: String?

            init(_ dashboard: RunningDashboard, _ query: String = "", headers: [String] = []) throws {
                connection = try HTTPConnection(port: dashboard.port)
                connection.request("/api/v1/episodes/events" + query, headers)
                head = try connection.head()
            }

            /// The next event's data.
            func event() throws -> [String: Any] {
                while true {
                    guard let range = text.range(of: "\n\n") else {
                        guard let chunk = try connection.chunk() else { throw HarnessError("the stream ended") }
                        text += String(decoding: chunk, as: UTF8.self)
                        continue
                    }
                    let lines = text[..<range.lowerBound].split(separator: "\n")
                    text.removeSubrange(..<range.upperBound)
                    if let id = lines.first(where: { $0.hasPrefix("id: ") }) { lastID = String(id.dropFirst(4)) }
                    guard let data = lines.first(where: { $0.hasPrefix("data: ") }) else { continue }
                    #expect(lines.contains("event: episode"))
                    let object = try JSONSerialization.jsonObject(with: Data(data.dropFirst(6).utf8)) as? [String: Any]
                    return try #require(object)
                }
            }

            /// What happened, in words.
            func next() throws -> String {
                let event = try event()
                #expect(lastID == "\(event["event_id"] ?? "")")
                return "\(event["event"] ?? "") \(event["customer_id"] ?? "") \(event["severity"] ?? "")"
            }
        }

        private func change(of episode: Int, to change: String, in database: TestDatabase) throws {
            try database.rows(
                """
                INSERT INTO episode_changes (episode_id, changed_at, change, severity)
                VALUES (\(episode), clock_timestamp(), '\(change)', 'medium')
                """)
        }

        @Test("who listens gets what happens; who comes back gets what it has missed, also from a new dashboard")
        func follow() async throws {
            let database = try await TestDatabase.make()
            try database.seed(customers: 3, seconds: 10)
            try database.episode(of: "cust_0001", "tachycardia", "low", since: 100)
            var dashboard = try await RunningDashboard(database: database)
            let listener = try Listener(dashboard)
            #expect(listener.head.headers["content-type"] == "text/event-stream")
            let id = try database.episode(of: "cust_0002", "bradycardia", "high", since: 5)
            #expect(try listener.next() == "opened cust_0002 high", "nothing from before")
            #expect(try dashboard.acknowledge(id, #"{"by": "Anna", "note": "called"}"#).status == 200)
            let seen = try listener.event()
            #expect(seen["event"] as? String == "acknowledged" && seen["person"] as? String == "Anna")
            #expect(seen["note"] as? String == "called" && seen["heart_rate"] as? Int == 190)
            #expect(seen["message_id"] is String && seen["groups"] as? [String] == [] && seen["closed_at"] is NSNull)
            let cursor = try #require(listener.lastID)
            // While it is not there.
            dashboard.process.expectEnd()
            dashboard.process.kill(SIGKILL)
            try change(of: id, to: "eased", in: database)
            try database.rows("UPDATE episodes SET closed_at = now()")
            try change(of: id, to: "closed", in: database)
            dashboard = try await RunningDashboard(database: database)
            let back = try Listener(dashboard, "?after=1", headers: ["Last-Event-ID: \(cursor)"])
            #expect(try back.next() == "eased cust_0002 medium")
            #expect(try back.next() == "closed cust_0002 medium")
            // All from the first on, and again from memory.
            for query in ["?after=0", "?after=1"] {
                let all = try Listener(dashboard, query)
                if query.hasSuffix("0") { #expect(try all.next() == "opened cust_0001 low") }
                #expect(try all.next() == "opened cust_0002 high")
            }
            // A number that is not there yet belongs to another database: it follows from now on.
            let ahead = try Listener(dashboard, "?after=999999")
            try database.episode(of: "cust_0003", "tachycardia", "medium", since: 1)
            #expect(try ahead.next() == "opened cust_0003 medium")
            #expect(try back.next() == "opened cust_0003 medium")
        }

        @Test(
            "an event whose transaction ends late is not passed over, and a number that is never used holds nobody up")
        func order() async throws {
            let database = try await TestDatabase.make()
            try database.seed(customers: 2, seconds: 10)
            let first = try database.episode(of: "cust_0001", "tachycardia", "low", since: 100)
            let second = try database.episode(of: "cust_0002", "tachycardia", "low", since: 100)
            let dashboard = try await RunningDashboard(database: database)
            let listener = try Listener(dashboard)
            func insert(_ id: Int, _ change: String) -> String {
                """
                INSERT INTO episode_changes (episode_id, changed_at, change, severity)
                VALUES (\(id), clock_timestamp(), '\(change)', 'high')
                """
            }
            let slow = try database.connect()
            try slow.execute("BEGIN; " + insert(first, "escalated"), unableTo: "begin")
            try database.rows(insert(second, "escalated"))
            var polls: Set<String> = []
            try await eventually("it has looked several times") {
                polls.insert("\(try dashboard.json("/api/v1/state")["as_of"] ?? "")")
                return polls.count > 4
            }
            try slow.execute("COMMIT", unableTo: "commit")
            #expect(try listener.next() == "escalated cust_0001 high")
            #expect(try listener.next() == "escalated cust_0002 high")
            try slow.execute("BEGIN; " + insert(first, "eased") + "; ROLLBACK", unableTo: "roll back")
            try database.rows(insert(second, "eased"))
            #expect(try listener.next() == "eased cust_0002 high")
        }

        @Test(
            "very many missed events come in order, each once; what is older than those in memory comes from the database"
        )
        func many() async throws {
            let database = try await TestDatabase.make()
            try database.seed(customers: 1, seconds: 10)
            let id = try database.episode(of: "cust_0001", "tachycardia", "low", since: 100)
            let dashboard = try await RunningDashboard(database: database)
            for part in 0..<3 {
                try database.rows(
                    """
                    INSERT INTO episode_changes (episode_id, changed_at, change, severity)
                    SELECT \(id), now() + make_interval(secs => \(part) * 0.1 + n * 0.0001), 'eased', 'low'
                      FROM generate_series(1, 700) AS n
                    """)
            }
            try await eventually("the last is in memory") {
                try Listener(dashboard, "?after=2100").next() == "eased cust_0001 low"
            }
            let listener = try Listener(dashboard, "?after=0")
            var numbers: [Int] = []
            while numbers.count < 2101 { numbers.append(try #require(try listener.event()["event_id"] as? Int)) }
            #expect(numbers == Array(1...2101))
        }

        @Test("what is no number is refused, and the limit of open pages holds for these streams, too")
        func limits() async throws {
            let dashboard = try await RunningDashboard(["DASHBOARD_VIEWERS": "2"])
            for query in ["?after=x", "?after=-1", "?from=1", "?after=99999999999999999999"] {
                #expect(try dashboard.get("/api/v1/episodes/events" + query).status == 400, "\(query)")
            }
            #expect(try dashboard.get("/api/v1/episodes/events", ["Last-Event-ID: x"]).status == 400)
            #expect(try dashboard.get("/api/v1/episodes/events", method: "HEAD").status == 200)
            let one = try Listener(dashboard)
            let page = try EventStream(port: dashboard.port)
            let refused = try Listener(dashboard)
            #expect(refused.head.status == 503 && refused.head.headers["retry-after"] == "10")
            #expect(one.head.status == 200 && page.head.status == 200)
        }
    }
}
