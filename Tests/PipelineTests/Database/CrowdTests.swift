import Foundation
import Harness
import HeartRate
import Simulation
import Testing

extension EndToEnd {
    /// A backlog with few readings of very many customers, whose batches share transactions.
    @Suite("Very many customers") struct Crowd {
        private static let customers = 1500
        private static let rounds = 24
        /// Each batch has a reading of each of so many customers.
        private static let batches = ["BATCH_ROWS": "1200"]
        private static let isLong = ProcessInfo.processInfo.environment["HEARTBEAT_TEST_LONG"] == "1"

        /// Readings each 5 s, of everybody in turn; the hearts of some are too slow for a minute.
        private static func publish(to broker: TestBroker, begin: Instant) throws {
            for round in 0..<rounds {
                let moment = begin.advanced(byMicroseconds: Int64(round) * 5_000_000).iso8601
                try broker.publish(
                    (0..<customers).map { number in
                        let isSlow = number % 10 == 0 && (6..<18).contains(round)
                        return Message(
                            customer: "customer \(number)", timestamp: moment,
                            heartRate: isSlow ? 30 : 70 + number % 20)
                    })
            }
        }

        /// What detection left behind: each customer's state to the byte, and the episodes.
        private static func outcome(_ pipeline: Pipeline) throws -> [[String?]] {
            try pipeline.database.rows(
                """
                SELECT customer_id, readings, recorded_at, heart_rate, encode(detector, 'hex') FROM customer_state ORDER BY 1
                """)
                + pipeline.database.rows(
                    """
                    SELECT customer_id, kind, opened_at, raised_at, closed_at, readings FROM episodes ORDER BY 1, 2, 3
                    """)
        }

        /// A COPY takes so much longer that something can happen in a transaction of several.
        private static func slowDown(_ pipeline: Pipeline) throws {
            try pipeline.database.rows(
                """
                CREATE FUNCTION pause() RETURNS trigger LANGUAGE plpgsql AS $$
                    BEGIN PERFORM pg_sleep(0.1); RETURN NULL; END $$;
                CREATE TRIGGER pause AFTER INSERT ON heart_rate_readings FOR EACH STATEMENT EXECUTE FUNCTION pause()
                """)
        }

        /// The server's process of a consumer that is in the midst of a transaction for at least so long; "none" when
        /// everything is stored.
        private static func backend(_ pipeline: Pipeline, after milliseconds: Int) async throws -> String {
            try await first("a transaction of several batches is open") {
                try pipeline.database.rows(
                    """
                    SELECT pid::text FROM pg_stat_activity
                     WHERE datname = '\(pipeline.database.name)' AND application_name = 'heartbeat-consumer'
                       AND xact_start < clock_timestamp() - interval '\(milliseconds) ms'
                    UNION ALL
                    SELECT 'none' WHERE (SELECT sum(readings) FROM kafka_offsets) = \(customers * rounds)
                    """
                ).first?[0]
            }
        }

        private static func settings(_ pipeline: Pipeline, _ name: String) -> [String: String] {
            batches.merging(["KAFKA_GROUP_ID": "\(pipeline.broker.group)-\(name)"]) { $1 }
        }

        @Test("batches share transactions, and states and episodes are those of batches alone, whatever is killed")
        func shared() async throws {
            let broker = try await TestBroker(partitions: 8)
            try Self.publish(to: broker, begin: SimulatedRun.begin)
            let messages = Self.customers * Self.rounds
            let transactions = "SELECT count(DISTINCT inserted_at) FROM heart_rate_readings"
            // Batches of fewer customers are written alone.
            let alone = try await Pipeline(on: broker)
            try await alone.drain(["BATCH_ROWS": "900", "KAFKA_GROUP_ID": "\(broker.group)-alone"])
            #expect(try alone.database.number(transactions) >= messages / 900)
            let expected = try Self.outcome(alone)
            #expect(expected.count > Self.customers + 100, "some have episodes")

            let killed = try await Pipeline(on: broker)
            try Self.slowDown(killed)
            var random = SplitMix64.announced()
            for round in 1...(Self.isLong ? 10 : 1) {
                let consumer = try killed.startConsumer("killed \(round)", Self.settings(killed, "killed-\(round)"))
                let backend = try await Self.backend(killed, after: .random(in: 0...900, using: &random))
                #expect(backend != "none")
                consumer.kill(SIGKILL)
                #expect(try await consumer.waitForEnd(within: .seconds(10)) == .killed(by: SIGKILL))
            }
            let cut = try killed.startConsumer("cut", Self.settings(killed, "cut"))
            // Behind each, batches are written alone for a while.
            for round in 1...(Self.isLong ? 10 : 1) {
                let backend = try await Self.backend(killed, after: .random(in: 0...900, using: &random))
                if backend == "none", round > 1 { break }
                try killed.database.rows("SELECT pg_terminate_backend(\(backend))")
            }
            try await killed.untilStored(messages)
            try await killed.stop(cut)
            try await killed.drain(Self.settings(killed, "last"))
            try await killed.expectSound(messages)
            // With many cuts all may have been written alone.
            let most = Self.isLong ? Int.max : messages / 1200 / 2
            #expect(try killed.database.number(transactions) < most, "batches share transactions")
            let differences = try Self.outcome(killed).difference(from: expected)
            #expect(differences.isEmpty, "\(differences.count) differences: \(differences.prefix(4))")
        }

        @Test(
            "a reading that the database does not take, in a transaction of several batches, is the only one rejected")
        func refused() async throws {
            let pipeline = try await Pipeline(partitions: 8)
            try pipeline.database.rows(
                "ALTER TABLE heart_rate_readings ADD CONSTRAINT not_99 CHECK (heart_rate <> 99) NOT VALID")
            let begin = SimulatedRun.begin
            try Self.publish(to: pipeline.broker, begin: begin)
            let wrong = begin.advanced(byMicroseconds: 200_000_000).iso8601
            try pipeline.broker.publish([Message(customer: "customer 7", timestamp: wrong, heartRate: 99)])
            let messages = Self.customers * Self.rounds + 1
            try await pipeline.drain(Self.batches, within: .seconds(300))
            #expect(
                try pipeline.database.rows("SELECT reason_code, convert_from(key, 'UTF8') FROM rejected_messages")
                    == [["refused_by_database", "customer 7"]])
            try await pipeline.expectSound(messages)
            #expect(
                try pipeline.database.number("SELECT sum(readings) FROM customer_state") == messages - 1)
        }
    }
}
