import Harness
import Testing

extension EndToEnd {
    /// The primary is lost, and a standby takes its place.
    @Suite("Failover") struct Failovers {
        @Test("a standby that lacks the last transactions is promoted: what it lacks is read again, all is stored once")
        func promoted() async throws {
            let pipeline = try await Pipeline(partitions: 2)
            let primary = pipeline.database.cluster
            let standby = try await PrivatePostgreSQL(replicaOf: primary)
            let after = pipeline.moved(to: standby)
            let consumer = try await pipeline.startReadyConsumer(
                "consumer",
                ["POSTGRES_HOST": "\(primary.host),\(standby.host)", "PGTARGETSESSIONATTRS": "read-write"])
            try pipeline.broker.publish(messages(0..<1000))
            try await pipeline.untilStored(1000)
            try await after.untilStored(1000)
            try await standby.stop(.immediate)
            try pipeline.broker.publish(messages(1000..<1500))
            try await pipeline.untilStored(1500)
            after.database.disconnect()

            try await primary.stop(.immediate)
            try await eventually("it waits") { consumer.log.contains("waiting for PostgreSQL") }
            try await standby.start()
            // Somebody may look before it is promoted.
            #expect(try after.consumedCount() == 1000)
            try after.database.rows("SELECT pg_promote()")
            // Nobody has to send anything more.
            try await after.untilStored(1500)
            try pipeline.broker.publish(messages(1500..<1600))
            try await after.untilStored(1600)
            try await pipeline.stop(consumer)
            #expect(consumer.log.contains("PostgreSQL lacks what was stored of partitions [0, 1]"))
            try await after.expectSound(1600)
            let rows = try after.database.rows("SELECT count(*), count(DISTINCT recorded_at) FROM readings")
            #expect(rows == [["1600", "1600"]], "readings, different ones")
            try await standby.stop(.fast)
            try await primary.start()
        }

        private func messages(_ numbers: Range<Int>) -> [Message] {
            numbers.map { number in
                Message(
                    customer: "c\(number % 7)", timestamp: "2026-02-19T15:53:03.\(100_000 + number)Z",
                    heartRate: 60 + number % 60)
            }
        }
    }
}
