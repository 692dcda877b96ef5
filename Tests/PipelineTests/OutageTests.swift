import Foundation
import Harness
import Testing

extension EndToEnd {
    /// PostgreSQL or Kafka is away for a while.
    @Suite("Outages") struct Outages {
        /// A reading that a field without meaning makes a kilobyte long.
        private static func longReading(_ number: Int) -> Message {
            var message = Message(
                customer: "long-\(number % 500)", timestamp: "2026-02-19T15:00:00.\(100_000 + number)Z",
                heartRate: 60 + number % 60)
            let note = String(repeating: "0123456789abcdef", count: 60)
            message.value = message.value.map { $0.dropLast() + Array(#", "note": "\#(note)"}"#.utf8) }
            return message
        }

        @Test("PostgreSQL is away: nothing is rejected or lost, and the memory stays as it is")
        func withoutPostgreSQL() async throws {
            let pipeline = try await Pipeline(partitions: 32)
            let consumer = try await pipeline.startReadyConsumer()
            let cluster = pipeline.database.cluster
            let count = 80_000
            try await cluster.stop(.fast)
            try pipeline.broker.publish((0..<count).lazy.map(Self.longReading))
            try await eventually("the consumer reports that it waits") {
                consumer.log.contains("waiting for PostgreSQL: ")
            }
            // That is 80 MB in Kafka.
            #expect(consumer.peakKilobytes < 96 * 1024, "kB of memory at most, while PostgreSQL is away")
            try await cluster.start()
            try await pipeline.untilStored(count)
            let peak = consumer.peakKilobytes
            #expect(peak < 96 * 1024, "kB of memory at most")
            print("the consumer took \(peak) kB of memory at most")
            try await pipeline.stop(consumer)
            #expect(consumer.log.contains("PostgreSQL is available again after"))
            let rows = try pipeline.database.rows(
                """
                SELECT count(*), count(DISTINCT recorded_at), (SELECT count(*) FROM rejected_messages)
                  FROM heart_rate_readings
                """)
            #expect(rows == [["\(count)", "\(count)", "0"]], "readings, different ones, rejected messages")
            try await pipeline.expectSound(count)
        }

        @Test("the partitions are shared again while PostgreSQL is down and the batches are full")
        func rebalanceWithoutPostgreSQL() async throws {
            let pipeline = try await Pipeline(partitions: 8)
            let settings = ["BATCH_ROWS": "500"]
            let first = try await pipeline.startReadyConsumer("first", settings)
            let load = try Load(pipeline.broker, perSecond: 2000)
            try await pipeline.untilStored(1000)
            try await pipeline.database.cluster.stop(.immediate)
            try await eventually("the consumer reports that it waits") {
                first.log.contains("waiting for PostgreSQL: ")
            }
            let second = try pipeline.startConsumer("second", settings)
            // It asks the database only where to go on with partitions that the group has given to it.
            try await eventually("the second has partitions") { second.log.contains("waiting for PostgreSQL: ") }
            try await pipeline.database.cluster.start()
            let total = try load.stop()
            try await pipeline.untilStored(total.messages)
            try await pipeline.stop(first)
            try await pipeline.stop(second)
            try pipeline.expectStored(total)
            try await pipeline.expectSound(total.messages)
        }

        @Test(
            "Kafka is away: the consumer goes on when it is back",
            .enabled(if: TestBroker.isEmbedded, "a cluster outside cannot be taken down from here"))
        func withoutKafka() async throws {
            let pipeline = try await Pipeline(partitions: 4)
            let broker = try #require(pipeline.broker.process)
            let consumer = try await pipeline.startReadyConsumer()
            try pipeline.broker.publish((0..<500).map(Self.longReading))
            try await pipeline.untilStored(500)
            for round in 2...3 {
                broker.write("down")
                try await eventually("the consumer sees that the broker is down") {
                    consumer.log.components(separatedBy: "unable to work with Kafka").count >= round
                }
                broker.write("up")
                try pipeline.broker.publish((500 * (round - 1)..<500 * round).map(Self.longReading))
                try await pipeline.untilStored(500 * round)
            }
            try await pipeline.stop(consumer)
            try await pipeline.expectSound(1500)
        }
    }
}
