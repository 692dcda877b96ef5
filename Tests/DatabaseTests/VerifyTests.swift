import Foundation
import Harness
import PostgreSQL
import Testing

extension OnAServer {
    @Suite("heartbeat verify") struct Verify {
        struct Tampering: Sendable, CustomTestStringConvertible {
            let name: String
            let sql: String
            let finding: String

            var testDescription: String { name }
        }

        /// What is done to a sound database, and what has to be found. There are offsets 0 to 99; every tenth message is
        /// rejected, and 50 to 54 are a gap.
        static let tamperings = [
            Tampering(
                name: "a reading is deleted", sql: "DELETE FROM heart_rate_readings WHERE kafka_offset = 17",
                finding: "; MISSING: 17\n"),
            Tampering(
                name: "the first is deleted", sql: "DELETE FROM heart_rate_readings WHERE kafka_offset = 1",
                finding: "; MISSING: 1\n"),
            Tampering(
                name: "the last is deleted", sql: "DELETE FROM heart_rate_readings WHERE kafka_offset = 99",
                finding: "; MISSING: 99\n"),
            Tampering(
                name: "several are deleted",
                sql: "DELETE FROM heart_rate_readings WHERE kafka_offset IN (21, 22, 23, 33, 71)",
                finding: "; MISSING: 21 to 23, 33, 71\n"),
            Tampering(
                name: "a rejected message is deleted", sql: "DELETE FROM rejected_messages WHERE kafka_offset = 40",
                finding: "; MISSING: 40\n"),
            Tampering(name: "a gap is forgotten", sql: "DELETE FROM offset_gaps", finding: "; MISSING: 50 to 54\n"),
            Tampering(
                name: "a reading is there twice",
                sql: """
                    INSERT INTO heart_rate_readings (customer_id, recorded_at, heart_rate, is_anomaly, source_id, kafka_offset)
                    SELECT customer_id, recorded_at, heart_rate, is_anomaly, source_id, kafka_offset
                      FROM heart_rate_readings WHERE kafka_offset = 42
                    """, finding: "; STORED TWICE OR NOT READ: 42\n"),
            Tampering(
                name: "one is missing and another there twice",
                sql: """
                    UPDATE heart_rate_readings SET kafka_offset = 44 WHERE kafka_offset = 43
                    """, finding: "; MISSING: 43; STORED TWICE OR NOT READ: 44\n"),
            Tampering(
                name: "a rejected message is a reading, too",
                sql: """
                    INSERT INTO heart_rate_readings (customer_id, recorded_at, heart_rate, is_anomaly, source_id, kafka_offset)
                    SELECT 'a', now(), 70, false, source_id, 60 FROM kafka_offsets
                    """, finding: "; STORED TWICE OR NOT READ: 60\n"),
            Tampering(
                name: "a reading in the gap",
                sql: """
                    INSERT INTO heart_rate_readings (customer_id, recorded_at, heart_rate, is_anomaly, source_id, kafka_offset)
                    SELECT 'a', now(), 70, false, source_id, 52 FROM kafka_offsets
                    """, finding: "; STORED TWICE OR NOT READ: 52\n"),
            Tampering(
                name: "the stored offset is moved on", sql: "UPDATE kafka_offsets SET next_offset = 105",
                finding: "; MISSING: 100 to 104\n"),
            Tampering(
                name: "the stored offset is moved back", sql: "UPDATE kafka_offsets SET next_offset = 98",
                finding: "; STORED TWICE OR NOT READ: 98, 99\n"),
            Tampering(
                name: "the first offset is moved on", sql: "UPDATE kafka_offsets SET first_offset = 2",
                finding: "; STORED TWICE OR NOT READ: 0, 1\n"),
            Tampering(
                name: "a reading of an unknown source",
                sql: "UPDATE heart_rate_readings SET source_id = 4711 WHERE kafka_offset = 17", finding: "MISSING: 17"),
            Tampering(
                name: "one reading more of an unknown source",
                sql: """
                    INSERT INTO heart_rate_readings (customer_id, recorded_at, heart_rate, is_anomaly, source_id, kafka_offset)
                    VALUES ('a', now(), 70, false, 4711, 3)
                    """, finding: "3"),
            Tampering(
                name: "the source itself is deleted", sql: "DELETE FROM offset_gaps; DELETE FROM kafka_offsets",
                finding: "NOT SOUND"),
        ]

        @Test("whatever is tampered with is found and named")
        func tampered() async throws {
            let pipeline = try await soundPipeline()
            for tampering in Self.tamperings {
                let copy = try copy(of: pipeline.database)
                try copy.rows(tampering.sql)
                let verification = try await Heartbeat.run(["verify"], copy.settings(as: "postgres"))
                #expect(verification.end == .exited(1), "\(tampering.name): \(verification.output)")
                #expect(verification.output.contains(tampering.finding), "\(tampering.name): \(verification.output)")
                #expect(verification.output.hasSuffix("NOT SOUND: the offsets above are missing or stored twice\n"))
            }
        }

        @Test("what is sound is called so, by every role")
        func sound() async throws {
            let pipeline = try await soundPipeline()
            // A reading that a person inserted came from no message.
            try pipeline.database.rows(
                """
                INSERT INTO heart_rate_readings (customer_id, recorded_at, heart_rate, is_anomaly)
                VALUES ('x', now(), 70, false)
                """)
            for role in ["postgres", "heartbeat-consumer", "heartbeat-dashboard"] {
                let verification = try await Heartbeat.run(["verify"], pipeline.database.settings(as: role))
                #expect(verification.end == .exited(0))
                #expect(
                    verification.output == """
                        \(pipeline.broker.topic) [0]: offsets 0 to 99, 95 consumed = 85 readings + 10 rejected, 5 in gaps
                        sound: 95 messages = 85 readings + 10 rejected, each exactly once

                        """)
            }
        }

        @Test("a server that does not answer is not a verdict")
        func unavailable() async throws {
            let settings = ["POSTGRES_HOST": "/nowhere", "POSTGRES_USER": "postgres"]
            let verification = try await Heartbeat.run(["verify"], settings)
            #expect(![.exited(0), .exited(1)].contains(verification.end))
            #expect(verification.log.split(separator: "\n").count == 1)
            #expect(verification.log.contains("unable to connect to PostgreSQL"))
        }

        /// 100 offsets of one partition, as a real consumer stored them, except that 50 to 54 are a gap.
        private func soundPipeline() async throws -> Pipeline {
            let pipeline = try await Pipeline(partitions: 1)
            try pipeline.broker.publish(
                (0..<100).map {
                    Message(
                        customer: "c", timestamp: "2026-02-19T15:53:03.\(100 + $0)Z", heartRate: $0 % 10 == 0 ? 0 : 72)
                })
            try await pipeline.drain()
            try pipeline.database.rows(
                """
                DELETE FROM heart_rate_readings WHERE kafka_offset BETWEEN 50 AND 54;
                DELETE FROM rejected_messages WHERE kafka_offset BETWEEN 50 AND 54;
                INSERT INTO rejected_messages (source_id, topic, partition, kafka_offset, reason_code, reason)
                SELECT source_id, topic, partition, kafka_offset, 'x', 'x' FROM heart_rate_readings
                  JOIN kafka_offsets USING (source_id) WHERE kafka_offset = 55;
                DELETE FROM heart_rate_readings WHERE kafka_offset = 55;
                INSERT INTO offset_gaps (source_id, from_offset, until_offset, reason)
                SELECT source_id, 50, 55, 'as if Kafka had deleted them' FROM kafka_offsets
                """)
            return pipeline
        }

        private func copy(of database: TestDatabase) throws -> TestDatabase {
            let copy = try TestDatabase.withoutSetup()
            database.disconnect()
            try PostgreSQLConnection(database.cluster.parameters(database: "postgres"), .test).rows(
                "CREATE DATABASE \(copy.name) TEMPLATE \(database.name) OWNER heartbeat")
            return copy
        }
    }
}
