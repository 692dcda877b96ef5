import Foundation
import Harness
import Testing

@testable import Dashboard

@Suite struct ScopeTests {
    @Test(
        "a token's scopes are a list of the three",
        arguments: [
            ("read", [.read]), ("read,manage", [.read, .manage]), ("acknowledge,read,manage", Set(Scope.allCases)),
            ("", nil), ("read,", nil), ("read,read", nil), ("Read", nil), ("write", nil), ("read manage", nil),
        ] as [(String, Set<Scope>?)])
    func list(_ text: String, _ scopes: Set<Scope>?) { #expect(Scope.scopes(text) == scopes) }
}

extension RunningDashboard {
    /// Makes a token by the command, and adds it to the file.
    static func newToken(_ name: String, _ scopes: String, in file: String) async throws -> String {
        let ended = try await Heartbeat.run(
            ["dashboard", "token", name, "--scopes", scopes], ["DASHBOARD_TOKENS_FILE": file])
        #expect(ended.end == .exited(0), "\(ended.log)")
        return ended.output.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// POST with a token, without a word of where it comes from.
    func post(_ target: String, with token: String, _ body: String) throws -> HTTPConnection.Answer {
        let connection = try HTTPConnection(port: port)
        connection.post(
            target, ["Authorization: Bearer \(token)", "Content-Type: application/json"], body: Array(body.utf8))
        return try connection.answer()
    }
}

extension OnAServer {
    /// With DASHBOARD_TOKENS_FILE.
    @Suite("Tokens", .ownFolder) struct TokenTests {
        /// Of "correct horse": openssl passwd -6 -salt heartbeat
        private static let hash =
            "$6$heartbeat$Hx2k87YwnasG/boL38RTmyLfJX4vt5uYs8GERzm6gwj5a7DWzqybPkSr1M3GqTzcOVQxmQvAduuefnkWb0IUh0"

        private static let basic = ["Authorization: Basic " + Data(":correct horse".utf8).base64EncodedString()]

        /// With both passwords.
        private func start(_ tokens: String, _ database: TestDatabase) async throws -> RunningDashboard {
            let password = try TestFolder.required().write("password", Self.hash + "\n")
            let dashboard = try await RunningDashboard(
                [
                    "DASHBOARD_TOKENS_FILE": tokens, "DASHBOARD_PASSWORD_FILE": password,
                    "DASHBOARD_ACTING_PASSWORD_FILE": password,
                ], database: database, isAnswered: false)
            try await eventually("the dashboard is ready") {
                try dashboard.get("/readyz", Self.basic).status == 200
            }
            return dashboard
        }

        @Test("a token is for its scopes alone, beside the passwords")
        func scopes() async throws {
            let file = try TestFolder.required().path + "/dashboard.tokens"
            let reader = try await RunningDashboard.newToken("reader", "read", in: file)
            let bell = try await RunningDashboard.newToken("bell", "acknowledge", in: file)
            let desk = try await RunningDashboard.newToken("desk", "manage", in: file)
            let secrets = try String(contentsOfFile: file, encoding: .utf8)
            #expect(![reader, bell, desk].contains { secrets.contains($0.split(separator: ".")[1]) })
            let dashboard = try await start(file, try await TestDatabase.make())
            func bearer(_ token: String) -> [String] { ["Authorization: Bearer \(token)"] }
            #expect(try dashboard.get("/api/v1/state").status == 401)
            for (token, status) in [
                (reader, 200), (bell, 403), (desk, 403), (String(reader.dropLast()), 401), ("reader.", 401), ("x", 401),
            ] {
                for target in ["/api/v1/state", "/fhir/metadata", "/metrics"] {
                    #expect(try dashboard.get(target, bearer(token)).status == status, "\(token) \(target)")
                }
            }
            let refused = try dashboard.get("/api/v1/state", bearer(bell))
            #expect(refused.detail == "the token \"bell\" is not for this: it needs the scope read")
            #expect(refused.headers["www-authenticate"]?.contains("insufficient_scope") == true)
        }

        @Test("what is done with a token is noted under its name, and needs its scope, but no second password")
        func acting() async throws {
            let file = try TestFolder.required().path + "/dashboard.tokens"
            let reader = try await RunningDashboard.newToken("reader", "read", in: file)
            let bell = try await RunningDashboard.newToken("bell", "acknowledge", in: file)
            let desk = try await RunningDashboard.newToken("desk", "manage", in: file)
            let database = try await TestDatabase.make()
            try database.seed(customers: 2, seconds: 10)
            let id = try database.episode(of: "cust_0001", "tachycardia", "high", since: 5)
            let dashboard = try await start(file, database)
            let path = "/api/v1/episodes/\(id)/acknowledge"
            for wrong in [reader, desk] { #expect(try dashboard.post(path, with: wrong, "{}").status == 403) }
            let done = try dashboard.post(path, with: bell, #"{"by": "somebody else", "note": "on its way"}"#)
            #expect(try done.json()["acknowledged_by"] as? String == "bell", "\(done.text)")
            let note = #"{"customer_id": "cust_0002", "note": "new sensor"}"#
            for wrong in [reader, bell] {
                #expect(try dashboard.post("/api/v1/customer/note", with: wrong, note).status == 403)
            }
            #expect(try dashboard.post("/api/v1/customer/note", with: desk, note).status == 200)
            #expect(
                try database.rows("SELECT person, action, customer_id FROM care_log ORDER BY care_id") == [
                    ["bell", "acknowledged", "cust_0001"], ["desk", "noted", "cust_0002"],
                ])
            // A browser sends a password by itself, and no token: the rest of the rules stays.
            #expect(
                try dashboard.acknowledge(
                    id, #"{"by": "Anna"}"#, headers: Self.basic + ["Content-Type: application/json"]
                ).status == 403)
            let connection = try HTTPConnection(port: dashboard.port)
            connection.post(
                path, ["Authorization: Bearer \(bell)", "Content-Type: text/plain"], body: Array("{}".utf8))
            #expect(try connection.answer().status == 415)
        }

        @Test("a token that is taken out of the file is refused after a reload, also on streams that are open")
        func revoked() async throws {
            let file = try TestFolder.required().path + "/dashboard.tokens"
            let first = try await RunningDashboard.newToken("first", "read", in: file)
            let other = try await RunningDashboard.newToken("other", "read", in: file)
            let dashboard = try await RunningDashboard(["DASHBOARD_TOKENS_FILE": file])
            func status(_ token: String) throws -> Int {
                try dashboard.get("/api/v1/state", ["Authorization: Bearer \(token)"]).status
            }
            #expect(try status(first) == 200 && status(other) == 200)
            let streams = try ["/api/v1/events", "/api/v1/episodes/events"].map { target in
                let connection = try HTTPConnection(port: dashboard.port)
                connection.request(target, ["Authorization: Bearer \(first)"])
                #expect(try connection.head().status == 200)
                return connection
            }
            let lines = try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n")
            try (lines[1] + "\n").write(toFile: file, atomically: true, encoding: .utf8)
            dashboard.process.kill(SIGHUP)
            try await eventually("it is refused") { try status(first) == 401 }
            #expect(try status(other) == 200)
            for stream in streams { while try stream.chunk() != nil {} }
            // A file with a mistake is not taken over.
            try "first nonsense read\n".write(toFile: file, atomically: true, encoding: .utf8)
            dashboard.process.kill(SIGHUP)
            try await eventually("the journal says so") {
                dashboard.process.log.contains("line 1: expected the SHA-256")
            }
            #expect(try status(other) == 200)
        }

        @Test("a mistake in the file is named at the start, and scopes that there are not by the command")
        func mistakes() async throws {
            let folder = try TestFolder.required()
            let hash = String(repeating: "ab", count: 32)
            let file = try folder.write("dashboard.tokens", "a \(hash) read\nb \(hash) write\nc \(hash)\n")
            let ended = try await Heartbeat.run(["dashboard"], ["DASHBOARD_TOKENS_FILE": file])
            #expect(ended.end == .exited(78))
            for line in [2, 3] { #expect(ended.log.contains("line \(line): expected NAME SHA256 SCOPES: some of")) }
            let other = folder.path + "/other.tokens"
            for (name, scopes) in [("a", "write"), ("a", ""), ("a b", "read")] {
                let ended = try await Heartbeat.run(
                    ["dashboard", "token", name, "--scopes", scopes], ["DASHBOARD_TOKENS_FILE": other])
                #expect(ended.end != .exited(0), "\(name) \(scopes)")
            }
            #expect(!FileManager.default.fileExists(atPath: other))
        }
    }
}
