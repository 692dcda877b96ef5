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

        /// What somebody has done to a table of a batch because of one customer, and how many of that customer's twenty
        /// messages it costs.
        struct Objection: Sendable, CustomTestStringConvertible {
            let table: String
            let body: String
            var isWhole = true
            var testDescription: String { "\(table): \(body)" }
        }

        @Test(
            "a trigger that refuses one customer costs that customer's messages and no other's",
            arguments: [
                Objection(table: "heart_rate_readings", body: "RAISE EXCEPTION 'not this one'"),
                Objection(table: "customers", body: "RAISE EXCEPTION 'not this one' USING ERRCODE = '45000'"),
                Objection(table: "customer_state", body: "RAISE division_by_zero USING MESSAGE = 'not this one'"),
                Objection(
                    table: "episodes", body: "RAISE check_violation USING MESSAGE = 'not this one'", isWhole: false),
            ])
        func objection(_ objection: Objection) async throws {
            let pipeline = try await Pipeline(partitions: 2)
            try pipeline.database.rows(
                """
                CREATE FUNCTION objects() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN IF NEW.customer_id = 'c7' THEN \(objection.body); END IF; RETURN NEW; END $$;
                CREATE TRIGGER objects BEFORE INSERT ON \(objection.table) FOR EACH ROW EXECUTE FUNCTION objects()
                """)
            // The heart of c7 is too slow for as long as it takes for an episode.
            let messages = (0..<400).map { number in
                Message(
                    customer: "c\(number % 20)",
                    timestamp: "2026-02-19T15:\(10 + number / 20):03.\(100_000 + number)Z",
                    heartRate: number % 20 == 7 ? 30 : 70)
            }
            try pipeline.broker.publish(messages)
            try await pipeline.drain()
            let rejected = try pipeline.database.rows(
                """
                SELECT reason_code, convert_from(key, 'UTF8'), reason LIKE '%not this one%', count(*)
                  FROM rejected_messages GROUP BY 1, 2, 3
                """)
            #expect(rejected.map { Array($0.prefix(3)) } == [["refused_by_database", "c7", "t"]], "\(rejected)")
            if objection.isWhole { #expect(rejected.first?.last == "20") }
            let others = "SELECT count(*) FROM heart_rate_readings WHERE customer_id <> 'c7'"
            #expect(try pipeline.database.number(others) == 380)
            try await pipeline.expectSound(messages.count)
        }
    }
}
