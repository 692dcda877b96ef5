import Foundation
import Harness
import PostgreSQL
import Testing

extension OnAServer {
    /// An acknowledgement holds for what was seen, and for no more.
    @Suite("Acknowledgements", .ownFolder) struct AcknowledgementTests {
        private func running(
            _ settings: [String: String] = [:]
        ) async throws -> (database: TestDatabase, dashboard: RunningDashboard) {
            let database = try await TestDatabase.make()
            try database.seed(customers: 2, seconds: 10)
            return (database, try await RunningDashboard(settings, database: database))
        }

        /// What the episode asks, and of which severity.
        private func attention(_ dashboard: RunningDashboard, _ id: Int) throws -> String {
            let episode = try dashboard.json("/api/v1/episodes/\(id)")
            return "\(episode["attention"] ?? "") \(episode["severity"] ?? "")"
        }

        private func change(_ database: TestDatabase, _ change: String) throws {
            try database.connect(as: "heartbeat-consumer").execute("UPDATE episodes SET \(change)", unableTo: "change")
        }

        @Test("what was acknowledged as medium and becomes high asks again, and so does what is as bad again")
        func worse() async throws {
            let (database, dashboard) = try await running()
            let id = try database.episode(of: "cust_0001", "tachycardia", "medium", since: 60)
            #expect(try attention(dashboard, id) == "new medium")
            let first = try dashboard.acknowledge(id, #"{"by": "Anna", "severity": "medium"}"#)
            #expect(first.status == 200, "\(first.text)")
            #expect(try attention(dashboard, id) == "seen medium")
            try change(database, "severity = 'high', worst_severity = 'high'")
            #expect(try attention(dashboard, id) == "new high")
            try await dashboard.untilState("it needs somebody") { state in
                let people = state["people"] as? [String: Any]
                return people?["now"] as? [String: Int] == ["high": 1, "medium": 0, "low": 0]
            }
            // Somebody whose page still shows medium has not seen that it is high.
            let late = try dashboard.acknowledge(id, #"{"by": "Carl", "severity": "medium"}"#)
            #expect(late.status == 409 && late.detail == "it has become worse: its severity is high", "\(late.text)")
            #expect(try dashboard.acknowledge(id, #"{"by": "Carl", "severity": "high"}"#).status == 200)
            #expect(try attention(dashboard, id) == "seen high")
            try change(database, "severity = 'medium'")
            #expect(try attention(dashboard, id) == "seen medium")
            try change(database, "severity = 'high'")
            #expect(try attention(dashboard, id) == "new high")
            // An update that changes nothing arms nothing.
            #expect(try dashboard.acknowledge(id, #"{"by": "Carl"}"#).status == 200)
            try change(database, "severity = 'high', readings = readings + 1, reason = 'longer'")
            #expect(try attention(dashboard, id) == "seen high")
            let log = try database.rows("SELECT action, person, severity FROM care_log ORDER BY care_id")
            #expect(
                log == [
                    ["acknowledged", "Anna", "medium"], ["acknowledged", "Carl", "high"],
                    ["acknowledged", "Carl", "high"],
                ])
        }

        @Test("an alarm of high severity that eases or ends unseen stays until somebody takes it")
        func unseen() async throws {
            let (database, dashboard) = try await running()
            let id = try database.episode(of: "cust_0001", "tachycardia", "high", since: 60)
            try change(database, "severity = 'medium'")
            #expect(try attention(dashboard, id) == "eased medium")
            try change(database, "closed_at = now()")
            #expect(try attention(dashboard, id) == "ended medium")
            try await dashboard.untilState("it is listed") { state in
                let people = state["people"] as? [String: Any]
                let first = (people?["listed"] as? [[String: Any]])?.first
                return first?["section"] as? String == "eased" && first?["status"] as? String == "normal"
            }
            #expect(
                try dashboard.acknowledge(id, #"{"by": "Anna", "severity": "high", "note": "was asleep"}"#).status
                    == 200)
            #expect(try attention(dashboard, id) == "none medium")
            #expect(try database.rows("SELECT note FROM care_log")[0][0] == "was asleep")
            // Medium ends by itself, and a recording's episodes of long ago are nobody's alarm.
            let medium = try database.episode(of: "cust_0002", "tachycardia", "medium", since: 60, until: 30)
            let old = try database.episode(of: "cust_0002", "tachycardia", "high", since: 200_000, until: 190_000)
            #expect(try attention(dashboard, medium) == "none medium")
            #expect(try attention(dashboard, old) == "none high")
        }

        @Test("who acknowledged can take it back for a minute, nobody else, and what counted before counts again")
        func undo() async throws {
            let (database, dashboard) = try await running()
            let id = try database.episode(of: "cust_0001", "tachycardia", "medium", since: 60)
            #expect(try dashboard.acknowledge(id, #"{"by": "Anna"}"#).status == 200)
            try change(database, "severity = 'high', worst_severity = 'high'")
            #expect(try dashboard.acknowledge(id, #"{"by": "Carl"}"#).status == 200)
            let path = "/api/v1/episodes/\(id)/undo"
            #expect(try dashboard.acknowledge(id, #"{"by": "Anna"}"#, target: path).status == 409)
            let undone = try dashboard.acknowledge(id, #"{"by": "Carl"}"#, target: path)
            #expect(undone.status == 200, "\(undone.text)")
            let episode = try undone.json()
            #expect(episode["attention"] as? String == "new" && episode["unseen_severity"] as? String == "high")
            #expect(episode["acknowledged_by"] as? String == "Anna")
            #expect(episode["acknowledged_severity"] as? String == "medium")
            #expect(try dashboard.acknowledge(id, #"{"by": "Carl"}"#, target: path).status == 409)
            #expect(try dashboard.acknowledge(id, #"{"by": "Carl"}"#).status == 200)
            try database.rows("UPDATE episodes SET acknowledged_at = acknowledged_at - interval '2 minutes'")
            #expect(try dashboard.acknowledge(id, #"{"by": "Carl"}"#, target: path).status == 409)
            #expect(
                try dashboard.acknowledge(
                    id, #"{"by": "Carl"}"#, headers: ["Content-Type: application/json"], target: path
                )
                .status == 403)
        }

        @Test(
            "an acknowledgement of long ago is reminded of while it is still of high severity, and can be given again")
        func reminder() async throws {
            let (database, dashboard) = try await running(["REMIND_MINUTES": "5"])
            let id = try database.episode(of: "cust_0001", "tachycardia", "high", since: 900)
            #expect(try dashboard.acknowledge(id, #"{"by": "Anna"}"#).status == 200)
            #expect(try attention(dashboard, id) == "seen high")
            #expect(try dashboard.acknowledge(id, #"{"by": "Carl"}"#).status == 409)
            try database.rows("UPDATE episodes SET acknowledged_at = acknowledged_at - interval '6 minutes'")
            #expect(try attention(dashboard, id) == "reminder high")
            #expect(try dashboard.acknowledge(id, #"{"by": "Carl"}"#).status == 200)
            #expect(try attention(dashboard, id) == "seen high")
            let silent = try await RunningDashboard(["REMIND_MINUTES": "0"], database: database)
            try database.rows("UPDATE episodes SET acknowledged_at = acknowledged_at - interval '1 day'")
            #expect(try attention(silent, id) == "seen high")
            #expect(try silent.acknowledge(id, #"{"by": "Anna"}"#).status == 409)
        }

        @Test("what was done is only added to, by whomever")
        func log() async throws {
            let (database, dashboard) = try await running()
            let id = try database.episode(of: "cust_0001", "tachycardia", "high", since: 60)
            #expect(try dashboard.acknowledge(id, #"{"by": "Anna"}"#).status == 200)
            for statement in ["UPDATE care_log SET person = 'x'", "DELETE FROM care_log", "TRUNCATE care_log"] {
                #expect(throws: PostgreSQLError.self, "\(statement)") { try database.rows(statement) }
            }
            let session = try database.connect(as: "heartbeat-dashboard")
            #expect(throws: PostgreSQLError.self) {
                try session.execute(
                    "SET TRANSACTION READ WRITE; INSERT INTO care_log (person, action, customer_id) VALUES ('x', 'y', 'z')",
                    unableTo: "write")
            }
        }
    }
}
