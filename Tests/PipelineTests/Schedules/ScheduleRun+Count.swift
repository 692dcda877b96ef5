import Foundation
import Harness

/// The count that is not heartbeat's own.
extension ScheduleRun {
    /// The numbers of all stored messages.
    func storedNumbers() throws -> [Int] {
        try pipeline.database.rows(
            """
            SELECT extract(microseconds FROM recorded_at)::int - 3100000 FROM readings
            UNION ALL SELECT substring(convert_from(payload, 'UTF8') FROM ':03\\.(\\d+)Z')::int - 100000
              FROM rejected_messages
            """
        ).compactMap { $0[0].flatMap { Int($0) } }
    }

    /// How many readings have another heart rate than that of their message.
    private func otherRates() throws -> Int {
        try pipeline.database.number(
            """
            SELECT count(*) FROM readings
             WHERE heart_rate <> 60 + (extract(microseconds FROM recorded_at)::int - 3100000) % 60
            """)
    }

    /// How far each partition is stored.
    func storedEnds() throws -> [Int: Int64] {
        let rows = try pipeline.database.rows(
            """
            SELECT DISTINCT ON (partition) partition, next_offset FROM kafka_offsets
             ORDER BY partition, incarnation DESC
            """)
        return Dictionary(
            uniqueKeysWithValues: rows.compactMap { row in
                guard let partition = row[0].flatMap({ Int($0) }), let next = row[1].flatMap({ Int64($0) }) else {
                    return nil
                }
                return (partition, next)
            })
    }

    /// What the database says that Kafka has lost, and has deleted before it was read.
    func said() throws -> (lost: Int, deleted: Int) {
        (
            try pipeline.database.number("SELECT coalesce(sum(lost), 0) FROM kafka_offsets"),
            try pipeline.database.number("SELECT coalesce(sum(until_offset - from_offset), 0) FROM offset_gaps")
        )
    }

    /// Waits until all that Kafka has is stored, and what it lost is said.
    func settle() async throws {
        let dump = try await faulty.dump()
        let ends = Dictionary(uniqueKeysWithValues: dump.partitions.map { ($0.partition, $0.high) })
        let kept = Set(try dump.numbers())
        do {
            try await eventually("all that Kafka has is stored", within: .seconds(schedule.isLong ? 180 : 60)) {
                guard try storedEnds() == ends, try kept.isSubset(of: storedNumbers()) else { return false }
                return try !schedule.isExact || isSaid()
            }
        } catch {
            let missing = try kept.subtracting(storedNumbers())
            throw HarnessError(
                """
                \(error). Kafka's ends: \(ends.sorted { $0.key < $1.key }), stored: \
                \(try storedEnds().sorted { $0.key < $1.key }), missing: \(missing.count), said: \(try said()), \
                expected: \(lost) lost, \(deleted) deleted
                """)
        }
    }

    private func isSaid() throws -> Bool {
        let said = try said()
        return lost.contains(said.lost) && said.deleted == deleted
    }

    func complaints() async throws -> [String] {
        let dump = try await faulty.dump()
        let (stored, kept) = (try storedNumbers(), try dump.numbers())
        let different = Set(stored)
        let verification = try await pipeline.verify(deep: true)
        let sound = "sound: \(stored.count) messages = \(try pipeline.readingCount()) readings"
        let said = try said()
        let findings: [(isWrong: Bool, words: String)] = [
            (!Set(kept).isSubset(of: different), "\(Set(kept).subtracting(different).count) are in Kafka only"),
            (different.count < stored.count, "\(stored.count - different.count) are stored twice"),
            (!different.isSubset(of: published), "\(different.subtracting(published).count) were never published"),
            (try otherRates() > 0, "\(try otherRates()) have another heart rate"),
            (verification.end != .exited(0), "verify ended as \(verification.end)"),
            (!verification.output.contains(sound), "verify does not say \(sound):\n\(verification.output)"),
            (
                try schedule.isExact && !isSaid(),
                "Kafka lost \(lost) and deleted \(deleted); the database says \(said.lost) and \(said.deleted)"
            ),
            (!dump.complaints.isEmpty, "the brokers: \(dump.complaints)"),
        ]
        return findings.filter(\.isWrong).map(\.words)
    }
}

extension BrokerDump {
    /// The numbers of all messages that a reader gets.
    fileprivate func numbers() throws -> [Int] {
        try timestamps().map { timestamp in
            guard let number = Int(timestamp.dropLast().suffix(6)) else { throw HarnessError("\(timestamp)") }
            return number - 100_000
        }
    }
}
