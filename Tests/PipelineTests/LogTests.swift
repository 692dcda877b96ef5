import Foundation
import Harness
import Testing

extension EndToEnd {
    /// Kafka's log is not as the stored offsets have it.
    @Suite("Gaps and new logs") struct Logs {
        /// A reading of ten kilobytes.
        private static func wideReading(_ number: Int) -> Message {
            var message = Message(
                customer: "wide", timestamp: "2026-02-19T15:53:03.\(100_000 + number)Z", heartRate: 60 + number % 60)
            let note = String(repeating: "0123456789abcdef", count: 640)
            message.value = message.value.map { $0.dropLast() + Array(#", "note": "\#(note)"}"#.utf8) }
            return message
        }

        @Test(
            "what Kafka deleted before it was read is a gap: recorded, told, and nothing else is missing",
            .enabled(if: TestBroker.isEmbedded, "a cluster outside deletes when it likes"))
        func deleted() async throws {
            let pipeline = try await Pipeline(partitions: 1)
            try pipeline.broker.publish((0..<10).map(Self.wideReading))
            try await pipeline.drain()
            try pipeline.broker.publish((10..<800).map(Self.wideReading), ["batch.size": "100000"])
            let low = try pipeline.broker.watermarks()[0].low
            #expect((11..<800).contains(low), "the broker has deleted some of what is new")

            let consumer = try await pipeline.startReadyConsumer()
            try await pipeline.untilStored(800)
            try await pipeline.stop(consumer)
            let gaps = try pipeline.database.rows("SELECT from_offset, until_offset, reason FROM offset_gaps")
            #expect(gaps == [["10", "\(low)", "deleted by Kafka before it was read"]])
            let line = consumer.log.split(separator: "\n").first { $0.contains("offset_gaps") }
            #expect(line?.contains(" error consumer: Kafka has deleted \(low - 10) messages") == true)
            #expect(line?.contains("KAFKA_OFFSET=10 KAFKA_OFFSET_END=\(low - 1) KAFKA_PARTITION=0") == true)
            try await pipeline.expectSound(Int(800 - (low - 10)))
            let readings = try pipeline.database.rows(
                "SELECT kafka_offset < 10, count(*) FROM heart_rate_readings GROUP BY 1 ORDER BY 1")
            #expect(readings == [["f", "\(800 - low)"], ["t", "10"]])
        }

        @Test(
            "a new cluster is a new source: nothing is skipped and nothing is taken for read",
            .enabled(if: TestBroker.isEmbedded, "there is one cluster outside"))
        func newCluster() async throws {
            let pipeline = try await Pipeline(partitions: 2)
            try pipeline.broker.publish((0..<100).map(Self.wideReading))
            try await pipeline.drain()
            let other = try await TestBroker(partitions: 2, topic: pipeline.broker.topic)
            try other.publish((100..<130).map(Self.wideReading))
            let drained = try await Heartbeat.run(
                ["consumer", "--drain"],
                other.settings.merging(pipeline.database.settings(as: "heartbeat-consumer")) { $1 })
            #expect(drained.end == .exited(0))
            let sources = try pipeline.database.rows(
                """
                SELECT count(DISTINCT cluster_id), max(incarnation), sum(next_offset - first_offset) FROM kafka_offsets
                """)
            #expect(sources == [["2", "1", "130"]], "clusters, incarnations, messages")
            #expect(try pipeline.database.number("SELECT count(DISTINCT recorded_at) FROM heart_rate_readings") == 130)
            try await pipeline.expectSound(130)
        }

        @Test("a log that ends before the stored offset was recreated: it starts over, and says so")
        func createdAnew() async throws {
            let pipeline = try await Pipeline(partitions: 1)
            try pipeline.broker.publish((0..<20).map(Self.wideReading))
            try await pipeline.drain()
            // As if there had been 1,000 messages in the topic before it was deleted.
            try pipeline.database.rows(
                """
                INSERT INTO heart_rate_readings (customer_id, recorded_at, heart_rate, is_anomaly, source_id, kafka_offset)
                SELECT 'old', '2026-01-01T00:00:00Z', 70, false, source_id, generate_series(20, 999) FROM kafka_offsets;
                UPDATE kafka_offsets SET next_offset = 1000
                """)
            let consumer = try await pipeline.startReadyConsumer()
            try await pipeline.untilStored(1020)
            try pipeline.broker.publish((20..<30).map(Self.wideReading))
            try await pipeline.untilStored(1030)
            try await pipeline.stop(consumer)
            let line = consumer.log.split(separator: "\n").first { $0.contains("recreated") }
            #expect(line?.contains(" warning consumer: the topic was recreated: its log ends at 20") == true)
            #expect(line?.contains("before the stored offset 1000") == true)
            let sources = try pipeline.database.rows(
                "SELECT incarnation, first_offset, next_offset FROM kafka_offsets ORDER BY incarnation")
            #expect(sources == [["1", "0", "1000"], ["2", "0", "30"]])
            let verification = try await pipeline.verify()
            #expect(verification.end == .exited(0))
            #expect(verification.output.contains("(incarnation 2): offsets 0 to 29, 30 consumed = 30 readings"))
        }
    }
}
