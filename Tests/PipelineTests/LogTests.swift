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

        @Test(
            "a log that has lost its end goes on there: nothing is stored twice, and the number is said",
            arguments: [true, false])
        func endLost(growsFirst: Bool) async throws {
            let pipeline = try await Pipeline(partitions: 1)
            try pipeline.broker.publish((0..<20).map(Self.wideReading))
            try await pipeline.drain()
            // As if there had been 1,000 messages before Kafka lost the end of its log.
            try pipeline.database.rows(
                """
                INSERT INTO heart_rate_readings (customer_id, recorded_at, heart_rate, is_anomaly, source_id, kafka_offset)
                SELECT 'old', '2026-01-01T00:00:00Z', 70, false, source_id, generate_series(20, 999) FROM kafka_offsets;
                UPDATE kafka_offsets SET next_offset = 1000
                """)
            let grow = { try pipeline.broker.publish((20..<30).map(Self.wideReading)) }
            if growsFirst { try grow() }
            let consumer = try await pipeline.startReadyConsumer()
            try await eventually("the lost end is told") {
                consumer.log.contains("Kafka has lost the end of its log from offset 20 on: 980 stored messages")
            }
            if !growsFirst { try grow() }
            try await pipeline.untilStored(1010)
            try await pipeline.stop(consumer)
            let sources = try pipeline.database.rows(
                "SELECT incarnation, first_offset, next_offset, lost FROM kafka_offsets ORDER BY incarnation")
            #expect(sources == [["1", "0", "1000", "0"], ["2", "20", "30", "980"]])
            let verification = try await pipeline.verify()
            #expect(verification.end == .exited(0))
            #expect(verification.output.contains("(incarnation 2): offsets 20 to 29, 10 consumed = 10 readings"))
            #expect(verification.output.contains("980 stored messages are no longer in Kafka"))
        }

        @Test(
            "a log that lost its end and has grown past it again is read from where it parts", arguments: [true, false])
        func overgrown(hasFingerprints: Bool) async throws {
            let pipeline = try await Pipeline(partitions: 1)
            try pipeline.broker.publish((0..<100).map(Self.wideReading))
            try await pipeline.drain()
            // As if the last 30 had been others.
            try pipeline.database.rows(
                """
                UPDATE heart_rate_readings SET customer_id = 'lost' WHERE kafka_offset >= 70;
                UPDATE kafka_offsets SET last_fingerprint = \(hasFingerprints ? "1" : "NULL")
                """)
            let consumer = try await pipeline.startReadyConsumer()
            try await pipeline.untilStored(130)
            try await pipeline.stop(consumer)
            #expect(consumer.log.contains("Kafka has lost the end of its log from offset 70 on: 30 stored messages"))
            let rows = try pipeline.database.rows(
                "SELECT count(*), count(DISTINCT recorded_at) FROM heart_rate_readings WHERE customer_id <> 'lost'")
            #expect(rows == [["100", "100"]], "every message that Kafka has, once")
            try await pipeline.expectSound(130)
        }

        @Test("another log under the same name starts over, also when it is longer", arguments: [5, 300])
        func recreated(count: Int) async throws {
            let pipeline = try await Pipeline(partitions: 1)
            try pipeline.broker.publish((0..<count).map(Self.wideReading))
            // As if there had been 100 others before, in a topic that was deleted.
            try await pipeline.drain()
            try pipeline.database.rows(
                """
                UPDATE heart_rate_readings SET customer_id = 'old';
                DELETE FROM heart_rate_readings WHERE kafka_offset >= 100;
                INSERT INTO heart_rate_readings (customer_id, recorded_at, heart_rate, is_anomaly, source_id, kafka_offset)
                SELECT 'old', now(), 70, false, source_id, generate_series(\(count), 99) FROM kafka_offsets;
                UPDATE kafka_offsets SET next_offset = 100, last_offset = 99, last_fingerprint = 1
                """)
            let consumer = try await pipeline.startReadyConsumer()
            try await pipeline.untilStored(100 + count)
            try await pipeline.stop(consumer)
            let line = consumer.log.split(separator: "\n").first { $0.contains("recreated") }
            #expect(line?.contains(" warning consumer: the topic was recreated: its log ends at \(count)") == true)
            let sources = try pipeline.database.rows(
                "SELECT incarnation, first_offset, next_offset FROM kafka_offsets ORDER BY incarnation")
            #expect(sources == [["1", "0", "100"], ["2", "0", "\(count)"]])
            try await pipeline.expectSound(100 + count)
        }

        @Test("another log is known by its last message alone when retention has dropped all rows")
        func recreatedAfterRetention() async throws {
            let pipeline = try await Pipeline(partitions: 1)
            try pipeline.broker.publish((0..<40).map(Self.wideReading))
            try await pipeline.drain()
            // As if the 20 before had been others, in a topic that was deleted.
            try pipeline.database.rows(
                """
                DELETE FROM heart_rate_readings;
                INSERT INTO retired_offsets (source_id, readings, offsets)
                SELECT source_id, 20, int8multirange(int8range(0, 20)) FROM kafka_offsets;
                UPDATE kafka_offsets SET next_offset = 20, last_offset = 19, last_fingerprint = 1
                """)
            let consumer = try await pipeline.startReadyConsumer()
            try await pipeline.untilStored(40)
            try await pipeline.stop(consumer)
            #expect(consumer.log.contains("the topic was recreated"))
            let sources = try pipeline.database.rows(
                "SELECT incarnation, first_offset, next_offset FROM kafka_offsets ORDER BY incarnation")
            #expect(sources == [["1", "0", "20"], ["2", "0", "40"]])
        }

        @Test("a database without fingerprints is compared by its rows, and goes on")
        func withoutFingerprints() async throws {
            let pipeline = try await Pipeline(partitions: 4)
            try pipeline.broker.publish((0..<100).map(Self.wideReading))
            try await pipeline.drain()
            try pipeline.database.rows("UPDATE kafka_offsets SET last_offset = NULL, last_fingerprint = NULL")
            try pipeline.broker.publish((100..<150).map(Self.wideReading))
            try await pipeline.drain()
            #expect(try pipeline.database.number("SELECT count(DISTINCT recorded_at) FROM heart_rate_readings") == 150)
            #expect(try pipeline.database.number("SELECT max(incarnation) FROM kafka_offsets") == 1)
            try await pipeline.expectSound(150)
        }
    }
}
