import Harness
import Testing

extension EndToEnd {
    @Suite("heartbeat verify and Kafka's logs") struct VerifiedLogs {
        private func messages(_ count: Int, heartRate: Int = 72) -> [Message] {
            (0..<count).map {
                Message(customer: "c", timestamp: "2026-02-19T15:53:03.\(100_000 + $0)Z", heartRate: heartRate)
            }
        }

        /// A partition of two batches, all of it stored.
        private func storedLog() async throws -> (faulty: FaultyBroker, pipeline: Pipeline) {
            let faulty = try await FaultyBroker(partitions: 1)
            let pipeline = try await Pipeline(on: TestBroker(faulty))
            for _ in 0..<2 { try await faulty.write(messages(50)) }
            try await pipeline.drain()
            try await pipeline.expectSound(100)
            return (faulty, pipeline)
        }

        private func expectUnsound(_ pipeline: Pipeline, _ finding: String) async throws {
            let verification = try await pipeline.verify()
            #expect(verification.end == .exited(1))
            #expect(verification.output.contains("; \(finding)\n"), "\(verification.output)")
            #expect(verification.output.contains("NOT SOUND: Kafka has other logs"), "\(verification.output)")
            #expect(!verification.output.contains("\nsound"))
        }

        @Test("a log that lost its end is not sound, also when it has its old length again")
        func endLost() async throws {
            let (faulty, pipeline) = try await storedLog()
            #expect(try await faulty.truncate(at: 60) == 50)
            try await expectUnsound(
                pipeline, "KAFKA'S LOG ENDS AT 50: it has lost its end, or the topic was recreated")
            try await faulty.write(messages(50, heartRate: 73))
            try await expectUnsound(
                pipeline, "KAFKA HAS ANOTHER LOG: its message at offset 99 is not the stored one")
            try await pipeline.drain()
            try await pipeline.expectSound(150)
        }

        @Test("a topic that was recreated is not sound before it is read")
        func recreated() async throws {
            let (faulty, pipeline) = try await storedLog()
            try await faulty.deleteTopic()
            let missing = try await pipeline.verify()
            #expect(
                missing.end == .exited(0)
                    && missing.output.contains("; not compared with Kafka: Kafka does not have it"))
            try await faulty.createTopic()
            try await faulty.write(messages(120, heartRate: 73))
            try await expectUnsound(
                pipeline, "KAFKA HAS ANOTHER LOG: its message at offset 99 is not the stored one")
            try await pipeline.drain()
            try await pipeline.expectSound(220)
        }

        @Test("what Kafka has deleted is no other log")
        func deleted() async throws {
            let (faulty, pipeline) = try await storedLog()
            try await faulty.write(batches: [], deletingBefore: 100)
            try await pipeline.expectSound(100)
            try await faulty.write(messages(10), end: .abort)
            try await pipeline.drain()
            try await pipeline.expectSound(100)
        }

        @Test("a Kafka that does not answer is told, and the database is still checked")
        func unavailable() async throws {
            let (faulty, pipeline) = try await storedLog()
            try await faulty.setBroker(1, .down)
            let verification = try await pipeline.verify()
            #expect(verification.end == .exited(0) && verification.output.contains("\nsound: 100 messages"))
            #expect(verification.log.contains("not compared with the logs of Kafka at \(faulty.bootstrapServers)"))
        }
    }
}
