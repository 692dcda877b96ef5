import Foundation
import Harness
import Testing

extension OnAGateway {
    @Suite struct OutageTests {
        @Test(
            "while Kafka does not answer, readings are refused with 503, and what was refused can be sent again",
            .enabled(if: TestBroker.isEmbedded))
        func withoutKafka() async throws {
            let gateway = try await RunningGateway(["GATEWAY_ANSWER_SECONDS": "1"])
            #expect(try gateway.send(reading()).status == 200)
            let broker = try #require(gateway.pipeline.broker.process)
            broker.kill(SIGSTOP)
            let refused = try gateway.send("[\(reading("gym_2")),\(reading("gym_3"))]")
            #expect(refused.status == 503, "\(refused.text)")
            #expect(refused.headers["retry-after"] == "5")
            #expect(refused.detail.contains("send all of them again"))
            broker.kill(SIGCONT)
            try await eventually("it goes on") {
                try gateway.send("[\(reading("gym_2")),\(reading("gym_3"))]").status == 200
            }
            gateway.process.kill(SIGTERM)
            #expect(try await gateway.process.waitForEnd(within: .seconds(30)) == .exited(0))
            try await gateway.pipeline.drain()
            let rows = try gateway.pipeline.database.rows("SELECT customer_id FROM heart_rate_readings ORDER BY 1")
            #expect(rows == [["gym_1"], ["gym_2"], ["gym_3"]])
            let messages = try gateway.pipeline.broker.messageCount()
            try await gateway.pipeline.expectSound(messages)
        }

        @Test("a gateway without Kafka has started, and says what it waits for", .enabled(if: TestBroker.isEmbedded))
        func neverThere() async throws {
            let pipeline = try await Pipeline()
            let gateway = try await RunningGateway(
                ["KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1"], pipeline: pipeline, isReady: false)
            try await eventually("it says so") { gateway.process.log.contains("waiting for Kafka") }
            #expect(try gateway.send(reading()).status == 503)
            #expect(try gateway.get("/healthz").status == 200)
            gateway.process.kill(SIGTERM)
            #expect(try await gateway.process.waitForEnd(within: .seconds(30)) == .exited(0))
        }
    }
}
