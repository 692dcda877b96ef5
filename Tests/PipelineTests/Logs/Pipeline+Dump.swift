import Foundation
import Harness
import Testing

/// A reading whose time stamp no other one has.
func numbered(_ number: Int) -> Message {
    Message(
        customer: "c\(number % 7)", timestamp: "2026-02-19T15:53:03.\(100_000 + number)Z", heartRate: 60 + number % 60)
}

/// Numbered readings in batches of so many.
func batches(_ numbers: Range<Int>, of size: Int = 100) -> [[Message]] {
    stride(from: numbers.lowerBound, to: numbers.upperBound, by: size).map { first in
        (first..<min(first + size, numbers.upperBound)).map(numbered)
    }
}

extension BrokerDump {
    /// The time stamps of all readings that a reader gets.
    func timestamps() throws -> [String] {
        struct Reading: Decodable { let timestamp: String }
        return try partitions.flatMap(\.messages).compactMap(\.value).map {
            try JSONDecoder().decode(Reading.self, from: $0).timestamp
        }
    }
}

extension Pipeline {
    /// How many readings are stored.
    func readingCount() throws -> Int { try database.number("SELECT count(*) FROM readings") }

    /// The time stamps of all stored readings.
    func storedTimestamps() throws -> [String] {
        try database.rows(
            """
            SELECT to_char(recorded_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') FROM readings
            """
        ).compactMap { $0[0] }
    }

    /// Expects by the brokers' own count that all that Kafka has is stored, and nothing twice.
    ///
    /// - Parameter lost: how many stored messages Kafka no longer has.
    func expectAll(of dump: BrokerDump, lost: Int = 0, sourceLocation: SourceLocation = #_sourceLocation) throws {
        let (stored, kept) = try (storedTimestamps(), dump.timestamps())
        let missing = Set(kept).subtracting(stored)
        #expect(missing.isEmpty, "\(missing.count) are in Kafka only", sourceLocation: sourceLocation)
        #expect(stored.count - Set(stored).count == 0, "readings that are stored twice", sourceLocation: sourceLocation)
        #expect(
            Set(stored).subtracting(kept).count == lost, "readings that Kafka no longer has",
            sourceLocation: sourceLocation)
        #expect(dump.complaints.isEmpty, sourceLocation: sourceLocation)
    }

    /// Waits until all that Kafka has is stored.
    func untilAllStored(_ faulty: FaultyBroker) async throws {
        let kept = Set(try await faulty.dump().timestamps())
        try await eventually("all \(kept.count) that Kafka has are stored") {
            try kept.isSubset(of: storedTimestamps())
        }
    }
}
