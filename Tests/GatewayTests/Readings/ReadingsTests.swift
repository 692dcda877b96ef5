import Foundation
import Harness
import HeartRate
import Testing
import Zlib

extension OnAGateway {
    @Suite struct ReadingsTests {
        @Test("one reading, an array, lines and a gzip are acknowledged by Kafka and stored as they are")
        func forms() async throws {
            let gateway = try await RunningGateway()
            let one = try gateway.send(reading(at: "2026-02-19T15:53:03.123456+01:00"))
            #expect(one.status == 200, "\(one.text)")
            #expect(try one.json()["accepted"] as? Int == 1)
            // Kafka has it by then.
            #expect(try gateway.pipeline.broker.messageCount() == 1)
            let array = try gateway.send("[\(reading("bed 7", "71")),\(reading("gym_2", #""68""#))]")
            #expect(try array.json()["accepted"] as? Int == 2, "\(array.text)")
            let lines = try gateway.send(
                "\(reading("gym_3"))\r\n\n\(reading("gym_4", "90.0"))\n", type: "application/x-ndjson")
            #expect(try lines.json()["accepted"] as? Int == 2, "\(lines.text)")
            let packed = try gateway.post(
                "/api/v1/readings", try #require(gzip(Array(reading("gym_5").utf8))), type: "application/json",
                headers: ["Content-Encoding: gzip"])
            #expect(packed.status == 200, "\(packed.text)")
            try await gateway.pipeline.drain()
            let rows = try gateway.pipeline.database.rows(
                "SELECT customer_id, heart_rate FROM heart_rate_readings ORDER BY customer_id")
            #expect(
                rows == [
                    ["bed 7", "71"], ["gym_1", "72"], ["gym_2", "68"], ["gym_3", "72"], ["gym_4", "90"],
                    ["gym_5", "72"],
                ])
            try await gateway.pipeline.expectSound(6)
        }

        @Test("what is rejected is named by its place and the consumer's reason, and the others are taken")
        func rejected() async throws {
            let gateway = try await RunningGateway()
            let answer = try gateway.send(
                """
                [\(reading()), \(reading("gym_1", "300")), \(reading("other")), 5, {"customer_id": "gym_1"}, \
                \(reading(at: "2126-01-01T00:00:00Z")), {"customer_id": }]
                """)
            #expect(answer.status == 200, "\(answer.text)")
            let reply = try answer.json()
            #expect(reply["accepted"] as? Int == 1)
            let rejected = try #require(reply["rejected"] as? [[String: Any]])
            #expect(
                rejected.map { "\($0["position"] ?? "") \($0["code"] ?? "")" } == [
                    "1 out_of_range", "2 customer_not_allowed", "3 not_an_object", "4 missing_field",
                    "5 future_timestamp", "6 malformed_json",
                ])
            #expect(rejected[0]["detail"] as? String == "heart_rate is 300, expected 1 to 299")
            // A sensor whose clock is ahead learns it.
            #expect((reply["clock_offset_seconds"] as? Double ?? 0) > 3e9 / 10)
            #expect(try gateway.send(reading("other")).status == 422)
            #expect(try gateway.pipeline.broker.messageCount() == 1)
        }

        @Test("a device that tells its time learns by how much it is wrong")
        func clock() async throws {
            let gateway = try await RunningGateway()
            let past = Date(timeIntervalSinceNow: -120).formatted(.iso8601)
            let answer = try gateway.post("/api/v1/readings", reading(), headers: ["Device-Time: \(past)"])
            let offset = try #require(try answer.json()["clock_offset_seconds"] as? Double)
            #expect(offset < -100 && offset > -3600, "\(offset)")
            #expect(try gateway.send(reading("gym_2")).json()["clock_offset_seconds"] == nil)
        }

        @Test("a reading that comes again is stored once, and its message is accounted for as repeated")
        func repeated() async throws {
            let gateway = try await RunningGateway()
            let body = "[\(reading()),\(reading("gym_2"))]"
            for _ in 1...3 { #expect(try gateway.send(body).status == 200) }
            try await gateway.pipeline.drain()
            // Also after it was stored, by another consumer, and beside what is new.
            #expect(try gateway.send("[\(reading()),\(reading("gym_1", "73")),\(reading())]").status == 200)
            try await gateway.pipeline.drain(["BATCH_ROWS": "1"])
            let rows = try gateway.pipeline.database.rows(
                "SELECT customer_id, heart_rate FROM heart_rate_readings ORDER BY customer_id, heart_rate")
            #expect(rows == [["gym_1", "72"], ["gym_1", "73"], ["gym_2", "72"]])
            let rejected = try gateway.pipeline.database.rows(
                "SELECT reason_code, count(*) FROM rejected_messages GROUP BY 1")
            #expect(rejected == [["repeated", "6"]])
            #expect(try gateway.pipeline.database.number("SELECT sum(readings) FROM customer_state") == 3)
            try await gateway.pipeline.expectSound(9)
        }

        @Test("the same message from a producer that does not ask for it is stored as often as it comes")
        func notAsked() async throws {
            let gateway = try await RunningGateway()
            #expect(try gateway.send(reading()).status == 200)
            // The others may be in another partition: only now is it sure that they come later.
            try await gateway.pipeline.drain()
            try gateway.pipeline.broker.publish(
                [reading(), reading()].map { Message(key: Array("gym_1".utf8), value: Array($0.utf8)) })
            try await gateway.pipeline.drain()
            #expect(try gateway.pipeline.database.number("SELECT count(*) FROM heart_rate_readings") == 3)
            try await gateway.pipeline.expectSound(3)
        }
    }
}
