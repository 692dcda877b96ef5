import Foundation
import Harness
import Kafka
import Testing

extension EndToEnd {
    @Suite("Bad input") struct BadInput {
        /// A good reading that stands beside odd ones: each has a second of its own.
        private static func neighbour(_ number: Int) -> Message {
            Message(
                customer: "good", timestamp: "2026-02-19T16:00:00.\(100_000 + number)Z", heartRate: 60 + number % 60)
        }

        @Test("none of the table stops the consumer, each ends as it should, and so do its neighbours")
        func table() async throws {
            #expect(OddMessage.all.count >= 60)
            let pipeline = try await Pipeline(partitions: 1)
            let consumer = try await pipeline.startReadyConsumer()
            var messages: [Message] = []
            for (number, odd) in OddMessage.all.enumerated() {
                messages.append(Self.neighbour(number))
                messages.append(Message(key: odd.key, value: odd.value, headers: odd.headers))
            }
            messages.append(Self.neighbour(OddMessage.all.count))
            try pipeline.broker.publish(messages)
            try await pipeline.untilStored(messages.count)
            try await pipeline.stop(consumer)

            let kept = try await pipeline.broker.read(partition: 0)
            try #require(kept.map(\.offset) == (0..<Int64(messages.count)).map { $0 })
            let readings = try StoredReading.all(pipeline.database)
            let rejected = try RejectedRow.all(pipeline.database)
            for number in 0...OddMessage.all.count {
                let reading = readings[2 * number]
                #expect(reading?.customer == "good", "neighbour \(number)")
                #expect(reading?.at == "2026-02-19 16:00:00.\(trimmed: 100_000 + number)+00", "neighbour \(number)")
                #expect(reading?.bpm == 60 + number % 60, "neighbour \(number)")
            }
            for (number, odd) in OddMessage.all.enumerated() {
                let offset = 2 * number + 1
                switch odd.fate {
                case .stored(let customer, let at, let bpm, let anomaly):
                    let expected = StoredReading(customer: customer, at: at, bpm: bpm, anomaly: anomaly)
                    #expect(readings[offset] == expected, "\(odd.name)")
                    #expect(rejected[offset] == nil, "\(odd.name)")
                case .rejected(let code):
                    #expect(readings[offset] == nil, "\(odd.name)")
                    let expected = RejectedRow(kept[offset], topic: pipeline.broker.topic, partition: 0, code: code)
                    #expect(rejected[offset] == expected, "\(odd.name)")
                    // What Kafka keeps is what was sent, so that the comparison above means something.
                    #expect(kept[offset].value == odd.value && kept[offset].headers == odd.headers, "\(odd.name)")
                }
            }
            try await pipeline.expectSound(messages.count)
            let customers = try pipeline.database.rows(
                "SELECT count(*) FROM (SELECT DISTINCT customer_id FROM heart_rate_readings) r FULL JOIN customers c "
                    + "USING (customer_id) WHERE r.customer_id IS NULL OR c.customer_id IS NULL")
            #expect(customers == [["0"]], "every customer of a reading is in customers, and no other")
        }

        @Test("10 MB are rejected by default, and stored when they are allowed", arguments: [false, true])
        func tenMegabytes(isAllowed: Bool) async throws {
            let pipeline = try await Pipeline(partitions: 1)
            let consumer = try await pipeline.startReadyConsumer(
                "consumer", isAllowed ? ["MAX_MESSAGE_BYTES": "10485760"] : [:])
            // The embedded broker keeps 5 MiB of what is sent to it, so this is sent compressed.
            try pipeline.broker.publish(
                [Self.neighbour(0), Self.large, Self.neighbour(1)],
                ["message.max.bytes": "20000000", "compression.codec": "gzip"])
            try await pipeline.untilStored(3)
            try await pipeline.expectSound(3)
            let readings = try StoredReading.all(pipeline.database)
            #expect(readings[0]?.customer == "good" && readings[2]?.customer == "good")
            if isAllowed {
                let expected = StoredReading(customer: "large", at: "2026-02-19 15:53:03+00", bpm: 72, anomaly: nil)
                #expect(readings[1] == expected)
            } else {
                try Self.expectLargeRejected(pipeline.database, offset: 1)
            }
            try await pipeline.stop(consumer)
        }

        @Test("10 MB come through a fetch whose limit is less")
        func tenMegabytesOnTheWire() async throws {
            let pipeline = try await Pipeline(partitions: 1)
            let consumer = try await pipeline.startReadyConsumer()
            // The embedded broker hands a batch of that size out only when it is the first of its partition.
            try pipeline.broker.publish([Self.large], ["message.max.bytes": "20000000"])
            try await pipeline.untilStored(1)
            try await pipeline.expectSound(1)
            try Self.expectLargeRejected(pipeline.database, offset: 0)
            try await pipeline.stop(consumer)
        }

        private static let opening =
            #"{"customer_id": "large", "timestamp": "2026-02-19T15:53:03Z", "heart_rate": 72, "padding": ""#
        private static let padding = 10_485_760 - opening.utf8.count - 2

        /// A reading of 10 MiB.
        private static var large: Message {
            Message(
                key: Array("large".utf8),
                value: Array((opening + String(repeating: "x", count: padding) + "\"}").utf8))
        }

        private static func expectLargeRejected(_ database: TestDatabase, offset: Int) throws {
            let rejected = try database.rows(
                """
                SELECT kafka_offset, reason_code, reason, length(payload),
                       payload = convert_to('\(opening)' || repeat('x', \(padding)) || '"}', 'UTF8')
                  FROM rejected_messages
                """)
            let reason = "payload is 10485760 bytes, expected at most 65536"
            #expect(rejected == [["\(offset)", "too_large", reason, "10485760", "t"]])
        }
    }
}

/// A row of heart_rate_readings.
struct StoredReading: Equatable {
    let customer: String
    let at: String
    let bpm: Int
    let anomaly: String?

    /// All of them, by their offset; there must be one partition only.
    static func all(_ database: TestDatabase) throws -> [Int: StoredReading] {
        let rows = try database.rows(
            """
            SELECT kafka_offset, customer_id, recorded_at, heart_rate, anomaly_reason, is_anomaly
              FROM heart_rate_readings ORDER BY kafka_offset
            """)
        var all: [Int: StoredReading] = [:]
        for row in rows {
            let offset = try #require(row[0].flatMap { Int($0) })
            #expect(all[offset] == nil, "offset \(offset) is there once")
            #expect((row[5] == "t") == (row[4] != nil), "an anomaly has a reason, and nothing else has")
            all[offset] = StoredReading(
                customer: row[1] ?? "", at: row[2] ?? "", bpm: row[3].flatMap { Int($0) } ?? 0, anomaly: row[4])
        }
        return all
    }
}

/// A row of rejected_messages, as text.
struct RejectedRow: Equatable {
    let topic, partition, producedAt, key, payload, headers, code: String?

    init(_ kept: KeptMessage, topic: String, partition: Int, code: String) {
        self.topic = topic
        self.partition = "\(partition)"
        producedAt = kept.timestamp.map { "\($0)" }
        key = kept.key.map(hexadecimal)
        payload = kept.value.map(hexadecimal)
        headers =
            kept.headers.isEmpty
            ? nil
            : "["
                + kept.headers.map { header in
                    let value = header.value.map { "\"\(Data($0).base64EncodedString())\"" } ?? "null"
                    return "[\"\(header.name.replacingOccurrences(of: "\"", with: "\\\""))\", \(value)]"
                }.joined(separator: ", ") + "]"
        self.code = code
    }

    private init(_ row: [String?]) {
        topic = row[1]
        partition = row[2]
        producedAt = row[3]
        key = row[4]
        payload = row[5]
        headers = row[6]
        code = row[7]
    }

    /// All of them, by their offset; there must be one partition only.
    static func all(_ database: TestDatabase) throws -> [Int: RejectedRow] {
        let rows = try database.rows(
            """
            SELECT kafka_offset, topic, partition, (extract(epoch FROM produced_at) * 1000)::bigint,
                   encode(key, 'hex'), encode(payload, 'hex'), headers, reason_code
              FROM rejected_messages
            """)
        var all: [Int: RejectedRow] = [:]
        for row in rows {
            let offset = try #require(row[0].flatMap { Int($0) })
            #expect(all[offset] == nil, "offset \(offset) is there once")
            all[offset] = RejectedRow(row)
        }
        return all
    }
}

private func hexadecimal(_ bytes: [UInt8]) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}

extension DefaultStringInterpolation {
    /// A fraction's digits without zeros at the end, as PostgreSQL writes them.
    mutating func appendInterpolation(trimmed digits: Int) {
        var text = "\(digits)"
        while text.hasSuffix("0") { text.removeLast() }
        appendInterpolation(text)
    }
}
