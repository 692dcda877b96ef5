import Daemon
import Logging
import PostgreSQL

/// How rows leave the database without the proof of exactly-once being lost.
extension Maintenance {
    /// Takes a day out of `heart_rate_readings`, all of it in a moment. Its rows are still there, for `verify` too, but
    /// nobody writes to them any more.
    ///
    /// `DETACH PARTITION ... CONCURRENTLY` is no choice: PostgreSQL refuses it where there is a default partition. The
    /// plain one locks the whole table for a moment, which it gets between two batches.
    ///
    /// - Parameter isClosed: whether it has left `heart_rate_readings` before, to be sealed.
    func retire(_ partition: String, isClosed: Bool) throws(PostgreSQLError) {
        let name = PostgreSQLConnection.identifier(partition)
        let leave =
            isClosed
            ? "ALTER TABLE \(name) NO INHERIT heart_rate_readings_closed"
            : "ALTER TABLE heart_rate_readings DETACH PARTITION \(name)"
        try patiently { run throws(PostgreSQLError) in
            try run.connection.execute(
                "BEGIN; \(leave); ALTER TABLE \(name) INHERIT heart_rate_readings_retired; COMMIT",
                unableTo: "take \"\(partition)\" out of \"heart_rate_readings\"")
        }
    }

    /// Sees to it that `readings_per_minute` has everything that a table's rows say. What the consumers have counted there
    /// stays; a minute that has less than the rows is rewritten from them.
    ///
    /// - Parameter condition: which of the rows.
    /// - Returns: false when it was asked to stop before it had counted all.
    func completeRollUp(of table: String, where condition: String = "true") throws(PostgreSQLError) -> Bool {
        try makeTally("minute timestamptz, readings bigint, anomalies bigint, low integer, high integer, total bigint")
        let counted = try stepwise(through: table) { pages throws(PostgreSQLError) in
            try connection.execute(
                """
                INSERT INTO maintenance_tally \
                SELECT date_trunc('minute', recorded_at), count(*), count(*) FILTER (WHERE is_anomaly), min(heart_rate), \
                       max(heart_rate), sum(heart_rate) \
                  FROM \(PostgreSQLConnection.identifier(table)) WHERE \(pages) AND \(condition) GROUP BY 1
                """, unableTo: "count the minutes of \"\(table)\"")
        }
        guard counted else { return false }
        let sql = """
            WITH rows AS (
                SELECT minute, sum(readings) AS readings, sum(anomalies) AS anomalies, min(low) AS heart_rate_min,
                       max(high) AS heart_rate_max, sum(total) AS heart_rate_sum
                  FROM maintenance_tally GROUP BY 1
            ), known AS (
                SELECT minute, sum(readings) AS readings, sum(anomalies) AS anomalies,
                       sum(heart_rate_sum) AS heart_rate_sum
                  FROM readings_per_minute WHERE minute IN (SELECT minute FROM rows) GROUP BY 1
            ), incomplete AS (
                SELECT r.* FROM rows r LEFT JOIN known k USING (minute)
                 WHERE k.minute IS NULL OR k.readings < r.readings
                    OR (k.readings = r.readings
                        AND (k.anomalies, k.heart_rate_sum) IS DISTINCT FROM (r.anomalies, r.heart_rate_sum))
            ), removed AS (
                DELETE FROM readings_per_minute p USING incomplete i
                 WHERE p.minute = i.minute AND p.consumer <> 'maintenance'
            )
            INSERT INTO readings_per_minute AS p (minute, consumer, readings, anomalies, heart_rate_min, heart_rate_max,
                                                  heart_rate_sum)
            SELECT minute, 'maintenance', readings, anomalies, heart_rate_min, heart_rate_max, heart_rate_sum
              FROM incomplete
            ON CONFLICT (minute, consumer) DO UPDATE SET
                readings = excluded.readings, anomalies = excluded.anomalies, heart_rate_min = excluded.heart_rate_min,
                heart_rate_max = excluded.heart_rate_max, heart_rate_sum = excluded.heart_rate_sum
            """
        let count = try patiently { run throws(PostgreSQLError) in
            try run.connection.query(sql, unableTo: "complete the roll-up of \"\(table)\"").affectedRows
        }
        if count > 0 {
            logger.notice("\(count) minutes of \"readings_per_minute\" were rewritten from \"\(table)\"")
        }
        return true
    }

    /// Notes the offsets of a retired day and drops it, in one transaction.
    ///
    /// - Returns: how many rows it had; nil when it was asked to stop before it had counted all.
    func account(andDrop table: String) throws(PostgreSQLError) -> Int64? {
        let name = PostgreSQLConnection.identifier(table)
        try makeTally("source_id integer, count bigint, offsets int8multirange")
        let counted = try stepwise(through: table) { pages throws(PostgreSQLError) in
            try connection.execute(
                """
                INSERT INTO maintenance_tally \
                \(Self.offsets(of: "SELECT source_id, kafka_offset FROM \(name) WHERE \(pages)"))
                """, unableTo: "count the offsets of \"\(table)\"")
        }
        guard counted else { return nil }
        let rows: Int64 = try connection.query(
            "SELECT coalesce(sum(count), 0) FROM maintenance_tally", unableTo: "count the rows of \"\(table)\""
        ).value()
        // Only a verification can hold it, and that ends.
        try connection.execute(
            """
            BEGIN; SET LOCAL lock_timeout = '60s'; \
            \(Self.accounting(of: "SELECT * FROM maintenance_tally", as: "readings")); \
            DROP TABLE \(name); COMMIT
            """, unableTo: "drop \"\(table)\"")
        return rows
    }

    /// Deletes the rows of the default partition that were recorded and stored before the kept days.
    ///
    /// Recordings that are replayed into the pipeline today are old from the beginning: they stay as long as others.
    func dropOldDefaultRows(retentionDays: Int) throws(PostgreSQLError) -> Int64 {
        let table = "heart_rate_readings_default"
        // The same for all steps, also when a new day begins between them: no row goes that was not counted before.
        let midnight: String =
            try connection.query(
                "SELECT ((now() AT TIME ZONE 'UTC')::date - \(retentionDays))::timestamp AT TIME ZONE 'UTC'",
                unableTo: "find the first day that is kept"
            ).value()
        let isOld = "recorded_at < '\(midnight)' AND inserted_at < '\(midnight)'"
        guard try completeRollUp(of: table, where: isOld) else { return 0 }
        var dropped: Int64 = 0
        _ = try stepwise(through: table) { pages throws(PostgreSQLError) in
            dropped += try delete(from: table, where: "\(pages) AND \(isOld)", as: "readings")
        }
        return dropped
    }

    /// Deletes the rejected messages that are older than that, a thousand at a time.
    func dropRejected(retentionDays: Int) throws(PostgreSQLError) -> Int64 {
        var dropped: Int64 = 0
        while !stop.isRequested {
            // Ids grow with time, nearly: the first thousand that are kept may hide an older one until the next run.
            let count = try delete(
                from: "rejected_messages",
                where: """
                    rejected_at < now() - interval '\(retentionDays) days' \
                    AND id IN (SELECT id FROM rejected_messages ORDER BY id LIMIT 1000)
                    """, as: "rejected")
            guard count > 0 else { break }
            dropped += count
        }
        return dropped
    }

    /// Deletes what the notifier had to tell more than a week ago, but for episodes that are still open: who was told of one
    /// hears of its end.
    func dropNotifications() throws(PostgreSQLError) {
        try connection.query(
            """
            DELETE FROM episode_events AS e WHERE recorded_at < now() - interval '7 days'
               AND NOT EXISTS (SELECT FROM episodes AS o WHERE o.episode_id = e.episode_id AND o.closed_at IS NULL)
            """, unableTo: "delete old rows of \"episode_events\"")
    }

    /// Deletes rows and notes their offsets, in one statement.
    private func delete(
        from table: String, where condition: String, as column: String
    ) throws(PostgreSQLError) -> Int64 {
        try patiently { run throws(PostgreSQLError) in
            try run.connection.query(
                """
                WITH gone AS (
                    DELETE FROM \(table) WHERE \(condition) RETURNING source_id, kafka_offset
                ), noted AS (\(Self.accounting(of: Self.offsets(of: "SELECT * FROM gone"), as: column)))
                SELECT count(*) FROM gone
                """, unableTo: "delete old rows of \"\(table)\""
            ).value()
        }
    }

    // MARK: - Steps

    /// Does something to a table a hundred pages (0.8 MB) at a time, which takes some ten milliseconds, and after each step
    /// leaves the cores and the disk to the consumers for as long as it took: readings come first. With steps of a thousand
    /// pages a small machine's consumer fell behind in each.
    ///
    /// - Parameter body: gets the condition that a step's rows fulfil.
    /// - Returns: false when it was asked to stop before the end.
    func stepwise(
        through table: String, _ body: (_ pages: String) throws(PostgreSQLError) -> Void
    ) throws(PostgreSQLError) -> Bool {
        let pages: Int = try connection.query(
            """
            SELECT pg_relation_size('\(PostgreSQLConnection.identifier(table))') / current_setting('block_size')::bigint
            """, unableTo: "measure \"\(table)\""
        ).value()
        for first in stride(from: 0, to: pages, by: 100) {
            let start = ContinuousClock.now
            try body("ctid >= '(\(first),0)' AND ctid < '(\(first + 100),0)'")
            guard !stop.wait(for: ContinuousClock.now - start) else { return false }
        }
        return true
    }

    /// The empty table into which the steps count. It is no temporary one: behind a pooler each step may have another session.
    private func makeTally(_ columns: String) throws(PostgreSQLError) {
        try dropTally()
        try connection.execute("CREATE UNLOGGED TABLE maintenance_tally (\(columns))", unableTo: "make a tally")
    }

    /// Removes the table into which the steps count, also that of a run that was killed.
    func dropTally() throws(PostgreSQLError) {
        try changeOwnTables("DROP TABLE IF EXISTS maintenance_tally", unableTo: "drop a tally")
    }

    /// The query for the sources of some rows: how many are a source's, and their offsets as ranges.
    private static func offsets(of rows: String) -> String {
        """
        SELECT source_id, sum(count)::bigint AS count, range_agg(int8range(low, high, '[]')) AS offsets FROM ( \
            SELECT source_id, count(*), min(kafka_offset) AS low, max(kafka_offset) AS high FROM ( \
                SELECT source_id, kafka_offset, kafka_offset - dense_rank() OVER ( \
                           PARTITION BY source_id ORDER BY kafka_offset) AS island \
                  FROM (\(rows)) counted_rows) numbered \
             GROUP BY source_id, island) islands \
         GROUP BY source_id
        """
    }

    /// The statement that adds what `offsets` says to `retired_offsets`; rows without a source have no place there.
    ///
    /// An offset that is there twice is counted twice and has one place in the ranges, so `verify` still sees it.
    private static func accounting(of offsets: String, as column: String) -> String {
        """
        INSERT INTO retired_offsets AS r (source_id, \(column), offsets) \
        SELECT source_id, sum(count)::bigint, range_agg(offsets) FROM (\(offsets)) counted \
         WHERE source_id IS NOT NULL GROUP BY source_id \
        ON CONFLICT (source_id) DO UPDATE SET \(column) = r.\(column) + excluded.\(column), \
            offsets = r.offsets + excluded.offsets, updated_at = now()
        """
    }
}
