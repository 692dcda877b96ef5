import Daemon
import Logging
import PostgreSQL
import Schema

/// How a day that is over becomes rows of arrays (`db/0009_sealed_days.sql`), without a reading being lost or doubled.
///
/// A day is *closed* in a moment: its partition leaves `heart_rate_readings` and nobody writes to it any more. Its readings
/// are packed and compared in many small transactions, so that no old snapshot keeps the server from cleaning the tables
/// that batches update. All the while a second session has a lock on the closed rows that readers do not feel; its
/// transaction makes the packed blocks and their roll-ups visible and drops the rows. Whatever ends before that leaves the rows as they are.
extension Maintenance {
    /// Seals the days before a day that have readings outside of their seals.
    ///
    /// - Parameters:
    ///   - sealAfterDays: how old a day must be, in days; 0 for never.
    ///   - retentionDays: what is older than this is left to retention, in days.
    mutating func sealOldDays(sealAfterDays: Int, retentionDays: Int) throws(PostgreSQLError) {
        guard sealAfterDays > 0 else { return }
        // What an earlier run has left comes first.
        for table in try closedTables() where !stop.isRequested { try sealClosed(table) }
        // A day that could not be sealed keeps what comes later for it waiting.
        let failed = try closedTables().map(day(of:))
        for day in try partitions(olderThan: sealAfterDays).map(day(of:)) where !failed.contains(day) {
            guard !stop.isRequested else { return }
            try attempt("close \(day)") { run throws(PostgreSQLError) in
                try run.patiently { run throws(PostgreSQLError) in
                    try run.connection.query(
                        "SELECT close_readings_partition($1::date)", [day], unableTo: "close \(day)")
                }
            }
            try sealClosed(of: day)
        }
        let waiting = try closedTables().map(day(of:))
        for day in try defaultDays(from: retentionDays, to: sealAfterDays) where !waiting.contains(day) {
            try sealDefaultReadings(of: day)
        }
    }

    /// Readings that came for a day that has no partition any more, a part of them at a time.
    private mutating func sealDefaultReadings(of day: String) throws(PostgreSQLError) {
        var moved: Int64 = 0
        let failures = summary.failures
        repeat {
            moved = 0
            try attempt("close \(day) in the default partition") { run throws(PostgreSQLError) in
                moved = try run.connection.query(
                    "SELECT close_default_readings($1::date)", [day], unableTo: "close \(day)"
                ).value()
            }
            try sealClosed(of: day)
        } while moved > 0 && summary.failures == failures && !stop.isRequested
    }

    private mutating func sealClosed(of day: String) throws(PostgreSQLError) {
        for table in try closedTables() where table.hasSuffix(day.filter { $0 != "-" }) { try sealClosed(table) }
    }

    private mutating func sealClosed(_ table: String) throws(PostgreSQLError) {
        try attempt("seal \(day(of: table))") { run throws(PostgreSQLError) in
            guard try run.completeRollUp(of: table), let readings = try run.seal(table), readings > 0 else { return }
            run.summary.sealed.append(day(of: table))
            run.summary.sealedReadings += readings
        }
    }

    /// The days of readings in the default partition that are due to be sealed.
    private func defaultDays(from retentionDays: Int, to sealAfterDays: Int) throws(PostgreSQLError) -> [String] {
        try connection.query(
            """
            SELECT DISTINCT (recorded_at AT TIME ZONE 'UTC')::date::text AS day FROM heart_rate_readings_default
             WHERE recorded_at >= ((now() AT TIME ZONE 'UTC')::date - $1::integer)::timestamp AT TIME ZONE 'UTC'
               AND recorded_at < ((now() AT TIME ZONE 'UTC')::date - $2::integer)::timestamp AT TIME ZONE 'UTC'
             ORDER BY 1
            """, [retentionDays, sealAfterDays], unableTo: "look for days in the default partition"
        ).column()
    }

    // MARK: - One day

    /// - Returns: how many readings were sealed; nil when it was asked to stop before the end.
    private func seal(_ table: String) throws(PostgreSQLError) -> Int64? {
        let day = day(of: table)
        let lock = try SealingLock(on: table, parameters)
        try changeOwnTables(Self.emptyTables, unableTo: "prepare the sealing of \(day)")
        let counted = try stepwise(through: table) { pages throws(PostgreSQLError) in
            try connection.execute(
                """
                INSERT INTO sealing_counts
                SELECT source_id, count(*), count(*) FILTER (WHERE is_anomaly),
                       sum(reading_hash(customer_id, recorded_at, heart_rate, is_anomaly, anomaly_reason, is_suspect,
                                        source_id, kafka_offset, activity)),
                       count(kafka_offset),
                       range_agg(int8range(kafka_offset, kafka_offset, '[]')) FILTER (WHERE kafka_offset IS NOT NULL)
                  FROM \(PostgreSQLConnection.identifier(table)) WHERE \(pages) GROUP BY source_id
                """, unableTo: "count the readings of \(day)")
        }
        guard counted else { return nil }
        try connection.execute("SELECT join_sealing_counts()", unableTo: "count the readings of \(day)")
        let total: Int64 = try connection.query(
            "SELECT coalesce(sum(readings), 0)::bigint FROM sealing_counts", unableTo: "count the readings of \(day)"
        ).value()
        let customers = total > 0 ? try customers(of: day) : []
        for slice in slices(of: day, customers, readings: total) {
            let start = ContinuousClock.now
            try pack(slice)
            guard !stop.wait(for: ContinuousClock.now - start) else { return nil }
        }
        guard try rollUp(day, customers, readings: total, into: "sealing_rollups") else { return nil }
        try lock.replaceRows(of: day, stop)
        try changeOwnTables(Self.emptyTables, unableTo: "end the sealing of \(day)")
        return total
    }

    private static let emptyTables = "TRUNCATE sealing_blocks, sealing_counts, sealing_rollups"

    /// Some customers' readings of some hours: as many as are packed in one transaction.
    private struct Slice {
        let customers: ArraySlice<String>
        let day: String
        let hours: Range<Int>
    }

    /// Packed in a tenth of a second or two.
    static let sliceReadings: Int64 = 20_000

    /// Found by one look into the index for each customer.
    private func customers(of day: String) throws(PostgreSQLError) -> [String] {
        try connection.query(
            """
            WITH RECURSIVE known AS (
                (SELECT customer_id FROM heart_rate_readings_closed ORDER BY customer_id LIMIT 1)
                UNION ALL
                SELECT (SELECT customer_id FROM heart_rate_readings_closed r WHERE r.customer_id > k.customer_id
                         ORDER BY customer_id LIMIT 1)
                  FROM known k WHERE k.customer_id IS NOT NULL
            )
            SELECT customer_id FROM known WHERE customer_id IS NOT NULL
            """, unableTo: "list the customers of \(day)"
        ).column()
    }

    private func slices(of day: String, _ customers: [String], readings: Int64) -> [Slice] {
        guard !customers.isEmpty else { return [] }
        guard readings > Self.sliceReadings else { return [Slice(customers: customers[...], day: day, hours: 0..<24)] }
        let size = max(1, Int(Self.sliceReadings * 24 * Int64(customers.count) / readings))
        return (0..<24).flatMap { hour in
            stride(from: 0, to: customers.count, by: size).map { first in
                let end = min(first + size, customers.count)
                return Slice(customers: customers[first..<end], day: day, hours: hour..<hour + 1)
            }
        }
    }

    private func pack(_ slice: Slice) throws(PostgreSQLError) {
        try connection.query(
            """
            SELECT pack_readings($1::text[], midnight + $3::integer * interval '1 hour', midnight + $4::integer * interval '1 hour')
              FROM (SELECT $2::date::timestamp AT TIME ZONE 'UTC') AS d (midnight)
            """, [ArrayText(slice.customers), slice.day, slice.hours.lowerBound, slice.hours.upperBound],
            unableTo: "pack readings of \(slice.day)")
    }
}

/// A session that keeps everybody from changing a closed day's rows, and in the end replaces them by their seals.
///
/// Its transaction has no snapshot and no number before the end, so it holds up neither readers nor VACUUM elsewhere.
private struct SealingLock {
    private let connection: PostgreSQLConnection
    private let table: String

    /// - Parameter table: the closed day.
    init(on table: String, _ parameters: [String: String]) throws(PostgreSQLError) {
        self.table = PostgreSQLConnection.identifier(table)
        connection = try PostgreSQLConnection(parameters, .sealing)
        try connection.execute(
            """
            BEGIN; SET LOCAL ROLE \(PostgreSQLConnection.identifier(DatabaseSetup.owner)); \
            LOCK TABLE \(self.table) IN SHARE MODE
            """, unableTo: "lock \(self.table)")
    }

    /// Adds the packed blocks with their seals, and drops the rows.
    func replaceRows(of day: String, _ stop: StopSignal) throws(PostgreSQLError) {
        try connection.query("SELECT add_seals($1::date)", [day], unableTo: "seal \(day)")
        try connection.query("SELECT add_rollups($1::date)", [day], unableTo: "roll \(day) up")
        var backoff = Backoff(from: .milliseconds(50), to: .seconds(1))
        while true {
            // Readers of the whole history have the table for a moment; those who come meanwhile must not wait behind us.
            try connection.execute("SET LOCAL lock_timeout = '50ms'; SAVEPOINT locked", unableTo: "lock \(table)")
            do throws(PostgreSQLError) {
                try connection.execute("LOCK TABLE \(table) IN ACCESS EXCLUSIVE MODE", unableTo: "lock \(table)")
                break
            } catch {
                guard error.sqlState == .lockNotAvailable, backoff.attempts < 300 else { throw error }
                try connection.execute("ROLLBACK TO SAVEPOINT locked", unableTo: "lock \(table)")
                guard !stop.wait(for: backoff.next()) else { throw error }
            }
        }
        try connection.execute("DROP TABLE \(table); COMMIT", unableTo: "replace the rows of \(day)")
    }
}
