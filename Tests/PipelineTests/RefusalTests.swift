import Foundation
import Harness
import Testing

extension EndToEnd {
    /// What PostgreSQL itself does not take.
    @Suite("Refused by the database") struct Refusals {
        private static func reading(_ number: Int) -> Message {
            let heartRate = [1234, 1235, 4321].contains(number) ? 77 : 78 + number % 50
            return Message(
                customer: "c\(number % 20)", timestamp: "2026-02-19T15:53:03.\(100_000 + number)Z", heartRate: heartRate
            )
        }

        @Test("of 5,000 readings exactly the three that a constraint forbids are rejected")
        func constraint() async throws {
            let pipeline = try await Pipeline(partitions: 2)
            try pipeline.database.rows(
                "ALTER TABLE heart_rate_readings ADD CONSTRAINT not_77 CHECK (heart_rate <> 77) NOT VALID")
            let messages = (0..<5000).map(Self.reading)
            try pipeline.broker.publish(messages)
            // Everything waits already, so that they come in large batches.
            let consumer = try await pipeline.startReadyConsumer()
            try await pipeline.untilStored(messages.count)
            try await pipeline.stop(consumer)
            let rejected = try pipeline.database.rows(
                "SELECT reason_code, convert_from(payload, 'UTF8'), reason FROM rejected_messages ORDER BY 2")
            #expect(rejected.map { $0[0] } == Array(repeating: "refused_by_database", count: 3))
            let expected = [1234, 1235, 4321].map { String(decoding: messages[$0].value ?? [], as: UTF8.self) }
            #expect(rejected.map { $0[1] }.sorted { $0 ?? "" < $1 ?? "" } == expected.sorted())
            for row in rejected { #expect(row[2]?.contains("not_77") == true, "\(row[2] ?? "") says why") }
            let readings = try pipeline.database.rows(
                """
                SELECT count(*), count(DISTINCT recorded_at), count(*) FILTER (WHERE heart_rate = 77)
                  FROM heart_rate_readings
                """)
            #expect(readings == [["4997", "4997", "0"]], "readings, different ones, forbidden ones")
            try await pipeline.expectSound(messages.count)
        }

        @Test("a missing right is not the data's fault: nothing is rejected, and it goes on when the right is there")
        func missingRight() async throws {
            let pipeline = try await Pipeline(partitions: 2)
            let consumer = try await pipeline.startReadyConsumer()
            try pipeline.database.rows(#"REVOKE INSERT ON heart_rate_readings FROM "heartbeat-consumer""#)
            try pipeline.broker.publish((0..<100).map(Self.reading))
            try await eventually("the consumer says what it waits for") {
                consumer.log.contains("permission denied for table heart_rate_readings (42501)")
            }
            #expect(try pipeline.consumedCount() == 0)
            try pipeline.database.rows(#"GRANT INSERT ON heart_rate_readings TO "heartbeat-consumer""#)
            try await pipeline.untilStored(100)
            try await pipeline.stop(consumer)
            #expect(try pipeline.database.number("SELECT count(*) FROM rejected_messages") == 0)
            try await pipeline.expectSound(100)
        }
    }
}
