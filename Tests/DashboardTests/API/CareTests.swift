import Foundation
import Harness
import PostgreSQL
import Testing

extension OnAServer {
    /// What people set for a customer, who may, and what remains of it.
    @Suite("Care", .ownFolder) struct CareTests {
        private func running(
            _ settings: [String: String] = [:]
        ) async throws -> (database: TestDatabase, dashboard: RunningDashboard) {
            let database = try await TestDatabase.make()
            try database.seed(customers: 3, seconds: 10)
            return (database, try await RunningDashboard(settings, database: database))
        }

        private static let own = ["Sec-Fetch-Site: same-origin", "Content-Type: application/json"]

        private func change(
            _ dashboard: RunningDashboard, _ what: String, body: String, headers: [String] = own
        ) throws -> HTTPConnection.Answer {
            let connection = try HTTPConnection(port: dashboard.port)
            connection.request(
                "/api/v1/customer/\(what)", method: "POST", headers + ["Content-Length: \(body.utf8.count)"])
            connection.send(body)
            return try connection.answer()
        }

        @Test("limits are set with old and new value, by whom and when, and the log only grows")
        func limits() async throws {
            let (database, dashboard) = try await running()
            let first = try change(
                dashboard, "limits",
                body: #"{"customer_id": "cust_0001", "by": "Anna", "heart_rate_min": 45, "heart_rate_max": null}"#)
            #expect(first.status == 200, "\(first.text)")
            let own = try first.json()["own_limits"] as? [String: Any]
            #expect(own?["heart_rate_min"] as? Int == 45 && own?["heart_rate_max"] is NSNull)
            let last = try change(
                dashboard, "limits",
                body: #"""
                    {"customer_id": "cust_0001", "by": "O'Neill", "heart_rate_min": null, "heart_rate_max": 150,
                     "note": "after exercise"}
                    """#)
            #expect(last.status == 200, "\(last.text)")
            #expect(
                try database.rows("SELECT person, action, old_value, new_value, note FROM care_log ORDER BY care_id")
                    == [
                        ["Anna", "set limits", nil, "45 to common bpm", nil],
                        ["O'Neill", "set limits", "45 to common bpm", "common to 150 bpm", "after exercise"],
                    ])
            let log = try dashboard.json("/api/v1/care?customer_id=cust_0001&limit=1")
            let item = try #require((log["items"] as? [[String: Any]])?.first)
            #expect(item["by"] as? String == "O'Neill" && item["new_value"] as? String == "common to 150 bpm")
            let rest = try dashboard.json("/api/v1/care?customer_id=cust_0001&before=\(log["next_before"] ?? "")")
            #expect((rest["items"] as? [[String: Any]])?.count == 1 && rest["next_before"] is NSNull)
            // The dashboard itself may write neither table.
            let session = try database.connect(as: "heartbeat-dashboard")
            for statement in [
                "UPDATE customer_limits SET heart_rate_max = 299", "DELETE FROM customer_pauses",
                "INSERT INTO customer_groups VALUES ('a', 'b')", "DELETE FROM care_log",
            ] {
                #expect(throws: PostgreSQLError.self, "\(statement)") {
                    try session.execute("SET TRANSACTION READ WRITE; \(statement)", unableTo: "write")
                }
            }
        }

        @Test(
            "what cannot be is refused, and changes nothing",
            arguments: [
                ("limits", #""heart_rate_min": 180"#), ("limits", #""heart_rate_min": 90, "heart_rate_max": 90"#),
                ("limits", #""heart_rate_max": 40"#), ("limits", #""heart_rate_max": 300"#),
                ("limits", #""heart_rate_max": "150""#), ("limits", #""heart_rate_max": 150.5"#),
                ("limits", #""heart_rate_max": 150, "note": " x""#), ("limits", #""maximum": 150"#),
                ("pause", #""minutes": 1441"#), ("pause", #""minutes": -1"#), ("pause", #""minutes": null"#),
                ("pause", #""note": "x""#), ("groups", #""groups": "a""#), ("groups", #""groups": [""]"#),
                ("groups", #""groups": ["a\u0000"]"#), ("groups", #""groups": [1]"#),
                ("groups", #""groups": ["Room 1, window"]"#), ("groups", #""groups": [" a"]"#),
                ("groups", #""groups": ["a", "b\u00a0"]"#), ("groups", #""groups": ["\u3000a"]"#),
                ("groups", #""groups": ["a\tb"]"#), ("groups", #""groups": ["a", "b\u0000", "c,d"]"#),
                (
                    "groups",
                    #""groups": ["1","2","3","4","5","6","7","8","9","a","b","c","d","e","f","g","h","i","j","k","l"]"#
                ),
                ("note", #""note": """#), ("note", #""note": "a\nb""#), ("note", #""episode_id": 1"#),
            ])
        func refusals(_ what: String, _ fields: String) async throws {
            let (database, dashboard) = try await running()
            let answer = try change(dashboard, what, body: #"{"customer_id": "cust_0001", "by": "Anna", \#(fields)}"#)
            #expect(answer.status == 400, "\(answer.text)")
            #expect(try database.rows("SELECT count(*) FROM care_log")[0][0] == "0")
            #expect(try database.rows("SELECT count(*) FROM customer_limits")[0][0] == "0")
        }

        @Test("a paused customer is shown, asks nobody, and asks again when the pause is over")
        func pause() async throws {
            let (database, dashboard) = try await running()
            try database.episode(of: "cust_0001", "tachycardia", "high", since: 60)
            func people(_ expectation: String, _ isRight: @escaping ([String: Any]) -> Bool) async throws {
                try await dashboard.untilState(expectation) { isRight($0["people"] as? [String: Any] ?? [:]) }
            }
            func listed(_ people: [String: Any]) -> [String: Any] {
                (people["listed"] as? [[String: Any]])?.first ?? [:]
            }
            try await people("it needs somebody") { listed($0)["section"] as? String == "now" }
            let paused = try change(
                dashboard, "pause", body: #"{"customer_id": "cust_0001", "by": "Anna", "minutes": 30, "note": "bath"}"#)
            #expect(paused.status == 200, "\(paused.text)")
            #expect(try paused.json()["paused_by"] as? String == "Anna")
            try await people("it asks nobody") { people in
                listed(people)["section"] as? String == "watched" && listed(people)["status"] as? String == "high"
                    && people["latest_high_at"] is NSNull && listed(people)["paused_until"] is String
            }
            // An episode that opens meanwhile asks nobody either.
            try database.episode(of: "cust_0001", "bradycardia", "high", since: 1)
            try await people("two are open") { (listed($0)["episodes"] as? [Any])?.count == 2 }
            #expect(
                listed(try dashboard.json("/api/v1/state")["people"] as? [String: Any] ?? [:])["section"] as? String
                    == "watched")
            try database.rows("UPDATE customer_pauses SET paused_until = now()")
            try await people("it needs somebody again") { listed($0)["section"] as? String == "now" }
            #expect(
                try change(dashboard, "pause", body: #"{"customer_id": "cust_0001", "by": "Carl", "minutes": 0}"#)
                    .status
                    == 200)
            let log = try database.rows("SELECT action, person, note FROM care_log ORDER BY care_id")
            #expect(log == [["paused", "Anna", "bath"], ["ended the pause", "Carl", nil]])
        }

        @Test("a customer is in the groups that were set last, and lists and the report can have one group alone")
        func groups() async throws {
            let (database, dashboard) = try await running()
            for (id, names) in [("cust_0001", #"["Ward 3", "Room 'x' y"]"#), ("cust_0002", #"["Ward 3"]"#)] {
                let body = #"{"customer_id": "\#(id)", "by": "Anna", "groups": \#(names)}"#
                #expect(try change(dashboard, "groups", body: body).status == 200)
            }
            func names(_ group: String) throws -> [String] {
                let list = try dashboard.json("/api/v1/customers?group=\(group)")
                return (list["items"] as? [[String: Any]] ?? []).compactMap { $0["customer_id"] as? String }
            }
            try await eventually("the groups are known") { try names("Ward%203") == ["cust_0001", "cust_0002"] }
            #expect(try names("nobody") == [])
            let groups = try dashboard.json("/api/v1/groups")["items"] as? [[String: Any]]
            #expect(groups?.map { "\($0["name"] ?? "") \($0["customers"] ?? "")" } == ["Room 'x' y 1", "Ward 3 2"])
            for id in ["cust_0002", "cust_0003"] { try database.episode(of: id, "tachycardia", "high", since: 60) }
            let report = try dashboard.json("/api/v1/report?group=Ward%203")
            #expect(report["customers"] as? Int == 2 && report["alarms"] as? Int == 1)
            #expect((report["items"] as? [[String: Any]])?.map { $0["customer_id"] as? String } == ["cust_0002"])
            let none = try change(
                dashboard, "groups", body: #"{"customer_id": "cust_0001", "by": "Anna", "groups": []}"#)
            #expect(try none.json()["groups"] as? [String] == [])
            try await eventually("one is left") { try names("Ward%203") == ["cust_0002"] }
        }

        @Test("a note belongs to one's own acknowledgement, or to the customer")
        func notes() async throws {
            let (database, dashboard) = try await running()
            let id = try database.episode(of: "cust_0001", "tachycardia", "high", since: 60)
            func note(by: String, _ customer: String, _ episode: Int?) throws -> Int {
                let number = episode.map { #", "episode_id": \#($0)"# } ?? ""
                return try change(
                    dashboard, "note",
                    body: #"{"customer_id": "\#(customer)", "by": "\#(by)", "note": "called"\#(number)}"#
                ).status
            }
            #expect(try note(by: "Anna", "cust_0001", id) == 404)
            #expect(try dashboard.acknowledge(id, #"{"by": "Anna"}"#).status == 200)
            #expect(try note(by: "Carl", "cust_0001", id) == 404)
            #expect(try note(by: "Anna", "cust_0002", id) == 404)
            #expect(try note(by: "Anna", "cust_0001", id) == 200)
            #expect(try database.rows("SELECT acknowledged_note FROM episodes")[0][0] == "called")
            #expect(try note(by: "Carl", "cust_0002", nil) == 200)
            #expect(try note(by: "Carl", "nobody", nil) == 404)
        }

        // Of "correct horse": openssl passwd -6 -salt heartbeat
        private static let hash =
            "$6$heartbeat$Hx2k87YwnasG/boL38RTmyLfJX4vt5uYs8GERzm6gwj5a7DWzqybPkSr1M3GqTzcOVQxmQvAduuefnkWb0IUh0"

        @Test("with a second password everybody may look, and who knows it may act")
        func password() async throws {
            let file = try TestFolder.required().write("acting-password", Self.hash + "\n")
            let (database, dashboard) = try await running(["DASHBOARD_ACTING_PASSWORD_FILE": file])
            let id = try database.episode(of: "cust_0001", "tachycardia", "high", since: 60)
            #expect(try dashboard.json("/api/v1/viewer")["needs_password"] as? Bool == true)
            let body = #"{"customer_id": "cust_0001", "by": "Anna", "minutes": 5}"#
            func header(_ password: String) -> [String] {
                Self.own + ["Acting-Password: " + Data(password.utf8).base64EncodedString()]
            }
            for wrong in [Self.own, header("correct"), Self.own + ["Acting-Password: !"], header("")] {
                #expect(try change(dashboard, "pause", body: body, headers: wrong).status == 403)
                #expect(try dashboard.acknowledge(id, #"{"by": "Anna"}"#, headers: wrong).status == 403)
            }
            #expect(try database.rows("SELECT count(*) FROM care_log")[0][0] == "0")
            #expect(try change(dashboard, "pause", body: body, headers: header("correct horse")).status == 200)
            #expect(try dashboard.acknowledge(id, #"{"by": "Anna"}"#, headers: header("correct horse")).status == 200)
        }

        @Test("whom a known proxy names acts under that name, and nobody can name oneself")
        func proxy() async throws {
            let (database, dashboard) = try await running(
                ["DASHBOARD_USER_HEADER": "X-Remote-User", "DASHBOARD_PROXIES": "127.0.0.1"])
            let body = #"{"customer_id": "cust_0001", "by": "Carl", "note": "well"}"#
            #expect(try change(dashboard, "note", body: body).status == 403)
            #expect(
                try change(dashboard, "note", body: body, headers: Self.own + ["X-Remote-User: anna"]).status == 200)
            let two = Self.own + ["X-Remote-User: carl", "X-Remote-User: anna"]
            #expect(try change(dashboard, "note", body: body, headers: two).status == 403)
            #expect(try database.rows("SELECT person FROM care_log") == [["anna"]])
            let viewer = try dashboard.get("/api/v1/viewer", ["X-Remote-User: anna"]).json()
            #expect(viewer["user"] as? String == "anna")
            let (_, stranger) = try await running(
                ["DASHBOARD_USER_HEADER": "X-Remote-User", "DASHBOARD_PROXIES": "192.0.2.1"])
            #expect(try change(stranger, "note", body: body, headers: Self.own + ["X-Remote-User: anna"]).status == 403)
            let refused = try await Heartbeat.run(["dashboard"], ["DASHBOARD_USER_HEADER": "X-Remote-User"])
            #expect(
                refused.end == .exited(78) && refused.log.contains("name the proxies that set it by DASHBOARD_PROXIES"))
        }
    }
}
