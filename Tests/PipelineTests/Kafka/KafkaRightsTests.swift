import Foundation
import Harness
import Testing

extension Waiting {
    /// A right that is missing or taken away: nothing is said of the lag, the cause is told, and all goes on when it is given.
    @Suite("Rights in Kafka", .enabled(if: TestBroker.isEmbedded, "the broker has to refuse"))
    struct KafkaRights {
        private static let fetch = 1
        private static let groupDenied = 30
        private static let topicDenied = 29

        private static let messages = (0..<200).map {
            Message(customer: "a", timestamp: "2026-02-19T15:53:03.\(100_000 + $0)Z", heartRate: 72)
        }

        private func refuse(_ broker: TestBroker, _ request: Int, with code: Int) {
            broker.process?.write("refuse \(request) \(code) 100000")
        }

        @Test(
            "READ of the group is missing at the start: told in the status and at the limit",
            arguments: [(10, "FindCoordinator"), (11, "JoinGroup")])
        func groupAtStart(request: Int, name: String) async throws {
            let pipeline = try await Pipeline(partitions: 1)
            refuse(pipeline.broker, request, with: Self.groupDenied)
            let manager = try ServiceManager()
            let limited = try pipeline.startConsumer(
                "limited", manager.environment.merging(["START_TIMEOUT_SECONDS": "8"]) { $1 })
            limited.expectEnd()
            try await eventually("the status says why", within: .seconds(10)) {
                manager.status.contains("Group authorization failed")
            }
            #expect(try await limited.waitForEnd(within: .seconds(60)) == .exited(69))
            #expect(limited.log.contains(/timed out after 8 s waiting for Kafka: .*Group authorization failed/))
            #expect(!manager.isReady)
        }

        @Test("READ of the group is given after the start: it goes on, and what is over is not told again")
        func groupGiven() async throws {
            let pipeline = try await Pipeline(partitions: 1)
            refuse(pipeline.broker, 11, with: Self.groupDenied)
            let manager = try ServiceManager()
            let consumer = try pipeline.startConsumer("consumer", manager.environment)
            try await eventually("the status says why") { manager.status.contains("Group authorization failed") }
            try pipeline.broker.publish(Self.messages)
            pipeline.broker.process?.write("serve 11")
            try await pipeline.untilStored(Self.messages.count)
            try await expectGoneOn(consumer, manager)
            try await pipeline.stop(consumer)
        }

        @Test("READ of the topic is missing at the start, or taken while it runs", arguments: [true, false])
        func topic(isAtStart: Bool) async throws {
            let pipeline = try await Pipeline(partitions: 2)
            if isAtStart { refuse(pipeline.broker, Self.fetch, with: Self.topicDenied) }
            let manager = try ServiceManager()
            let metrics = try TestFolder.required().path
            let consumer = try pipeline.startConsumer(
                "consumer", manager.environment.merging(["METRICS_DIRECTORY": metrics]) { $1 })
            if !isAtStart {
                try await eventually("it is ready") { manager.isReady }
                try await eventually("the lag is known") { manager.status.contains("lag 0 messages") }
                refuse(pipeline.broker, Self.fetch, with: Self.topicDenied)
            }
            try pipeline.broker.publish(Self.messages)
            try await eventually("the status says why", within: .seconds(10)) {
                manager.status.contains("Topic authorization failed") && !manager.status.contains("lag 0")
            }
            #expect(manager.isReady != isAtStart)
            try await eventually("no lag is in the metrics") {
                let text = contents("\(metrics)/consumer.prom")
                return text.contains("heartbeat_consumer_lag_age_seconds ")
                    && !text.contains("\nheartbeat_consumer_lag_messages ")
            }
            #expect(try pipeline.database.number("SELECT count(*) FROM heart_rate_readings") == 0)
            pipeline.broker.process?.write("serve \(Self.fetch)")
            try await pipeline.untilStored(Self.messages.count)
            try await expectGoneOn(consumer, manager)
            try await pipeline.stop(consumer)
            try await pipeline.expectSound(Self.messages.count)
        }

        private func expectGoneOn(_ consumer: ChildProcess, _ manager: ServiceManager) async throws {
            try await eventually("it is ready") { manager.isReady }
            try await eventually("the status has forgotten the cause") {
                manager.status.contains("lag 0 messages") && !manager.status.contains("authorization")
            }
            let end = try #require(consumer.log.firstRange(of: /Kafka (has answered|is available again) after/))
            #expect(!consumer.log[end.upperBound...].contains("authorization"), "\(consumer.log)")
        }
    }
}
