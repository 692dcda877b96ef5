import Foundation
import Harness
import Testing

extension Waiting {
    /// Whoever waits for Kafka says why: in the status, in the journal and in the last line.
    @Suite("Why Kafka is waited for") struct KafkaCauses {
        private func start(
            _ command: String, _ settings: [String: String], manager: ServiceManager
        ) throws -> ChildProcess {
            let process = try Heartbeat.start(
                command, [command], settings: settings.merging(manager.environment) { own, _ in own })
            process.expectEnd()
            return process
        }

        @Test("a server that is no Kafka", arguments: ["consumer", "producer"])
        func closing(command: String) async throws {
            let server = try UselessServer(.closing)
            let manager = try ServiceManager()
            let process = try start(
                command, ["KAFKA_BOOTSTRAP_SERVERS": server.address, "START_TIMEOUT_SECONDS": "8"], manager: manager)
            try await eventually("the status says why", within: .seconds(10)) {
                manager.status.contains("Disconnected")
            }
            #expect(try await process.waitForEnd(within: .seconds(60)) == .exited(69))
            #expect(process.log.contains(/waiting for Kafka at .*: unable to work with Kafka: .*Disconnected/))
            #expect(process.log.contains(/timed out after 8 s waiting for Kafka: .*Disconnected/))
        }

        @Test("TLS is spoken to a server that has none")
        func plaintext() async throws {
            let broker = try await TestBroker()
            let manager = try ServiceManager()
            let process = try start(
                "producer",
                broker.producerSettings.merging([
                    "RDKAFKA_SECURITY_PROTOCOL": "ssl", "START_TIMEOUT_SECONDS": "5",
                ]) { $1 }, manager: manager)
            try await eventually("the status says why", within: .seconds(10)) {
                manager.status.contains("in state SSL_HANDSHAKE")
            }
            #expect(try await process.waitForEnd(within: .seconds(60)) == .exited(69))
            #expect(process.log.contains(/timed out after 5 s waiting for Kafka: .*in state SSL_HANDSHAKE/))
        }

        @Test("a server that never answers is waited for, and a stop ends that")
        func silent() async throws {
            let server = try UselessServer(.silent)
            let manager = try ServiceManager()
            let process = try start("consumer", ["KAFKA_BOOTSTRAP_SERVERS": server.address], manager: manager)
            try await eventually("the status says that nobody answers", within: .seconds(10)) {
                manager.status.contains("no answer within 2000 ms")
            }
            process.kill(SIGTERM)
            #expect(try await process.waitForEnd(within: .seconds(10)) == .exited(0))
        }

        @Test(
            "a right that is missing at the start is told, waited for, and forgotten when it is there",
            .enabled(if: TestBroker.isEmbedded, "the broker has to refuse"))
        func authorization() async throws {
            let broker = try await TestBroker()
            broker.process?.write("topic 29")
            let manager = try ServiceManager()
            let process = try start("producer", broker.producerSettings, manager: manager)
            try await eventually("the status says why", within: .seconds(10)) {
                manager.status.contains(
                    "unable to look topic \"\(broker.topic)\" up: Broker: Topic authorization failed")
            }
            broker.process?.write("topic 0")
            try await eventually("it is ready") { manager.isReady }
            try await eventually("messages are delivered") { try broker.messageCount() > 40 }
            let log = process.log
            let end = try #require(log.range(of: "Kafka has answered"))
            #expect(!log[end.upperBound...].contains("authorization"), "what is over is not told again")
            process.kill(SIGTERM)
            #expect(try await process.waitForEnd(within: .seconds(60)) == .exited(0))
        }
    }
}
