import Harness
import Testing

extension Waiting {
    /// Kafka asks for a password.
    @Suite("Passwords") struct Passwords {
        @Test("a wrong password is told as the cause, and the right one works", arguments: ["consumer", "producer"])
        func wrong(command: String) async throws {
            let faulty = try await FaultyBroker(partitions: 4, user: .init(name: "heart", password: "beat"))
            let pipeline = try await Pipeline(on: TestBroker(faulty))
            let wrong = ["RDKAFKA_SASL_PASSWORD": "wrong", "START_TIMEOUT_SECONDS": "15"]
            let daemon =
                try command == "consumer"
                ? WatchedDaemon.consumer(pipeline, settings: wrong)
                : WatchedDaemon.producer(pipeline.broker, settings: wrong)
            daemon.process.expectEnd()
            try await daemon.untilStatus("the status says why", within: .seconds(14)) {
                $0.contains("Authentication failed: Invalid username or password")
            }
            #expect(
                daemon.log.contains(/waiting for Kafka at .*: .*Authentication failed: Invalid username or password/))
            #expect(try await daemon.process.waitForEnd(within: .seconds(60)) == .exited(69))
            #expect(
                daemon.log.contains(
                    /timed out after 15 s waiting for Kafka: .*Authentication failed: Invalid username or password/))
            let consumer = try WatchedDaemon.consumer(pipeline)
            let producer = try WatchedDaemon.producer(pipeline.broker)
            try await pipeline.untilStoredFromNow([0, 1, 2, 3], "every partition is read")
            #expect(try await producer.stop() == .exited(0))
            try await pipeline.expectAllStored()
            #expect(try await consumer.stop() == .exited(0))
        }
    }
}
