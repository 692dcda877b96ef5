import Daemon
import Logging
import PostgreSQL

/// What each minute, each hour and each day of a customer was like (`db/0017_customer_rollups.sql`): made from a day's packed
/// readings while it is sealed, and kept longer than them.
extension Maintenance {
    /// Makes a day's roll-ups, those of some customers at a time, and leaves the server to the batches for as long as each
    /// step took.
    ///
    /// - Parameters:
    ///   - readings: how many the customers have on that day.
    ///   - table: which table gets them.
    /// - Returns: false when it was asked to stop before the end.
    func rollUp(
        _ day: String, _ customers: [String], readings: Int64, into table: String
    ) throws(PostgreSQLError) -> Bool {
        let size = max(1, Int(Self.sliceReadings * Int64(customers.count) / max(1, readings)))
        for first in stride(from: 0, to: customers.count, by: size) {
            let start = ContinuousClock.now
            let some = ArrayText(customers[first..<min(first + size, customers.count)])
            try connection.query(
                "INSERT INTO \(table) SELECT * FROM rolled_up($1::text[], $2::date) ON CONFLICT DO NOTHING",
                [some, day], unableTo: "roll \(day) up")
            guard !stop.wait(for: ContinuousClock.now - start) else { return false }
        }
        return true
    }

    /// Makes the roll-ups of days that were sealed by a program that made none. A step has whole customers, so that nothing
    /// is wrong in between.
    func rollUpSealedDays() throws(PostgreSQLError) {
        let days: [String] = try connection.query(
            "SELECT day::text FROM rollups_due ORDER BY day", unableTo: "look for days without roll-ups"
        ).column()
        for day in days {
            let known = try connection.query(
                """
                SELECT customer_id, sum(readings)::bigint AS readings FROM sealed_readings
                 WHERE block_at >= $1::date::timestamp AT TIME ZONE 'UTC'
                   AND block_at < $1::date::timestamp AT TIME ZONE 'UTC' + interval '24 hours'
                 GROUP BY customer_id ORDER BY customer_id
                """, [day], unableTo: "list the customers of \(day)"
            ).map { row throws(PostgreSQLError) in
                (id: try row["customer_id"] as String, readings: try row["readings"] as Int64)
            }
            let readings = known.reduce(0) { $0 + $1.readings }
            guard try rollUp(day, known.map(\.id), readings: readings, into: "customer_rollups") else { return }
            try connection.query(
                "DELETE FROM rollups_due WHERE day = $1::date", [day], unableTo: "note the roll-ups of \(day)")
            logger.notice("the sealed day \(day) has roll-ups now, of \(known.count) customers")
        }
    }

    /// Deletes roll-ups that are older than that, a thousand at a time; never before the readings.
    ///
    /// - Parameter days: after how many; 0 for never.
    func dropOldRollups(after days: Int, retentionDays: Int) throws(PostgreSQLError) {
        guard days > 0 else { return }
        var dropped: Int64 = 0
        while !stop.isRequested {
            let start = ContinuousClock.now
            let count = try connection.query(
                """
                DELETE FROM customer_rollups WHERE ctid = ANY (ARRAY(
                    SELECT ctid FROM customer_rollups
                     WHERE day < (now() AT TIME ZONE 'UTC')::date - $1::integer ORDER BY day LIMIT 1000))
                """, [max(days, retentionDays)], unableTo: "delete roll-ups"
            ).affectedRows
            guard count > 0 else { break }
            dropped += Int64(count)
            _ = stop.wait(for: ContinuousClock.now - start)
        }
        if dropped > 0 { logger.notice("\(dropped) roll-ups were deleted") }
    }
}
