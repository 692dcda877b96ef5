import Foundation
import Harness
import Testing
import Zlib

extension OnAGateway {
    @Suite struct LimitsTests {
        @Test("requests that are refused say why and what is expected")
        func refused() async throws {
            let gateway = try await RunningGateway(["GATEWAY_BODY_BYTES": "1000"])
            func expect(_ status: Int, _ detail: String, from answer: HTTPConnection.Answer) {
                #expect(answer.status == status && answer.detail.contains(detail), "\(answer.status) \(answer.text)")
            }
            expect(415, "application/json", from: try gateway.send(reading(), type: "text/plain"))
            expect(400, "array has no end", from: try gateway.send("[\(reading())"))
            expect(413, "at most 1000 bytes", from: try gateway.send(String(repeating: " ", count: 1001)))
            let bomb = try #require(gzip([UInt8](repeating: 32, count: 100_000)))
            let packed = ["Content-Encoding: gzip"]
            let cut = Array(try #require(gzip(Array(reading().utf8))).dropLast(9))
            expect(
                413, "unpacked",
                from: try gateway.post("/api/v1/readings", bomb, type: "application/json", headers: packed))
            expect(
                400, "no gzip",
                from: try gateway.post("/api/v1/readings", [1, 2], type: "application/json", headers: packed))
            expect(
                400, "no gzip",
                from: try gateway.post("/api/v1/readings", cut, type: "application/json", headers: packed))
            expect(
                415, "gzip or none",
                from: try gateway.post("/api/v1/readings", reading(), headers: ["Content-Encoding: br"]))
            expect(404, "nothing here", from: try gateway.get("/"))
            let wrong = try gateway.get("/api/v1/readings")
            expect(405, "expected POST", from: wrong)
            #expect(wrong.headers["allow"] == "POST")
            expect(
                400, "Idempotency-Key",
                from: try gateway.post("/api/v1/readings", reading(), headers: ["Idempotency-Key: "]))
            #expect(try gateway.get("/healthz").status == 200)
            #expect(try gateway.pipeline.broker.messageCount() == 0)
        }

        @Test("without a valid token nothing is taken, and a revoked one is refused on a connection that is open")
        func tokens() async throws {
            let gateway = try await RunningGateway()
            for token in ["gym.0", "nobody.0", ""] {
                let answer = try gateway.post("/api/v1/readings", reading(), token: token)
                #expect(answer.status == 401)
                #expect(answer.headers["www-authenticate"]?.hasPrefix("Bearer") == true)
            }
            let other = try await RunningGateway.newToken("other", for: "other_*", in: gateway.tokensFile)
            #expect(try gateway.post("/api/v1/readings", reading("other_1"), token: other).status == 401, "not yet")
            gateway.process.kill(SIGHUP)
            try await eventually("the new token is taken") {
                try gateway.post("/api/v1/readings", reading("other_1"), token: other).status == 200
            }
            #expect(try gateway.post("/api/v1/readings", reading("gym_1"), token: other).status == 422)
            let connection = try HTTPConnection(port: gateway.port)
            func send() throws -> Int {
                connection.post(
                    "/api/v1/readings", ["Content-Type: application/json", "Authorization: Bearer \(other)"],
                    body: Array(reading("other_1").utf8))
                return try connection.answer().status
            }
            #expect(try send() == 200)
            let lines = try String(contentsOfFile: gateway.tokensFile, encoding: .utf8).split(separator: "\n")
            try (lines.filter { !$0.hasPrefix("other ") }.joined(separator: "\n") + "\n").write(
                toFile: gateway.tokensFile, atomically: true, encoding: .utf8)
            gateway.process.kill(SIGHUP)
            try await eventually("the journal has it") { gateway.process.log.matches(of: /reloaded:/).count == 2 }
            try await eventually("the token is revoked") {
                try gateway.post("/api/v1/readings", reading("other_1"), token: other).status == 401
            }
            #expect(try send() == 401)
            // A file with a mistake changes nothing.
            try "gym nonsense *\n".write(toFile: gateway.tokensFile, atomically: true, encoding: .utf8)
            gateway.process.kill(SIGHUP)
            try await eventually("it says what is wrong") {
                gateway.process.log.contains("line 1: expected the SHA-256 of the token")
            }
            #expect(try gateway.send(reading()).status == 200)
        }

        @Test("a token that sends more than its rate is told when to come again")
        func rate() async throws {
            let gateway = try await RunningGateway()
            let slow = try await RunningGateway.newToken(
                "slow", for: "*", in: gateway.tokensFile, ["--readings-per-second", "1"])
            gateway.process.kill(SIGHUP)
            try await eventually("the new token is taken") {
                try gateway.post("/api/v1/readings", reading(), token: slow).status == 200
            }
            let many = "[" + Array(repeating: reading(), count: 20).joined(separator: ",") + "]"
            let answers = try (1...4).map { _ in try gateway.post("/api/v1/readings", many, token: slow) }
            let refused = try #require(answers.first { $0.status == 429 })
            #expect(Int(refused.headers["retry-after"] ?? "") ?? 0 > 0)
            #expect(try gateway.send(many).status == 200, "another token has a rate of its own")
        }
    }
}
