import Daemon
import Logging
import PostgreSQL

/// How rows leave the database without the proof of exactly-once being lost.
extension Maintenance {
    /// Takes a day out of `heart_rate_readings`, all of it in a moment. Its rows are still there, for `verify` too, but
    /// nobody writes to them any more.
    ///
    /// `DETACH PARTITION ... CONCURRENTLY` is not to be had: PostgreSQL refuses it where there is a default partition. The
    /// plain one wants the whole table for a moment, which it gets between two batches.
    func retire(_ partition: String) throws(PostgreSQLError) {
        let name = PostgreSQLConnection.identifier(partition)
        try patiently { run throws(PostgreSQLError) in
            try run.connection.execute(
                """
                BEGIN; ALTER TABLE heart_rate_readings DETACH PARTITION \(name); \
                ALTER TABLE \(name) INHERIT heart_rate_readings_retired; COMMIT
                """, unableTo: "take \"\(partition)\" out of \"heart_rate_readings\"")
        }
    }

    /// Sees to it that `readings_per_minute` has everything that a table's rows say. What the consumers have counted there
    /// stays; a minute that has less than the rows is written anew from them.
    ///
    /// - Parameter condition: which of the rows.
    func completeRollUp(of table: String, where condition: String = "true") throws(PostgreSQLError) {
        let sql = """
            WITH rows AS (
                SELECT date_trunc('minute', recorded_at) AS minute, count(*) AS readings,
                       count(*) FILTER (WHERE is_anomaly) AS anomalies, min(heart_rate) AS heart_rate_min,
                       max(heart_rate) AS heart_rate_max, sum(heart_rate) AS heart_rate_sum
                  FROM \(PostgreSQLConnection.identifier(table)) WHERE \(condition) GROUP BY 1
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
        guard count > 0 else { return }
        logger.notice("\(count) minutes of \"readings_per_minute\" were written anew from \"\(table)\"")
    }

    /// Notes the offsets of a retired day and drops it, in one transaction.
    ///
    /// - Returns: how many rows it had.
    func account(andDrop table: String) throws(PostgreSQLError) -> Int64 {
        let name = PostgreSQLConnection.identifier(table)
        let rows = try connection.query("SELECT count(*) FROM \(name)", unableTo: "count the rows of \"\(table)\"")
        // Only a verification can hold it, and that ends.
        try connection.execute(
            """
            BEGIN; SET LOCAL lock_timeout = '60s'; \
            \(Self.accounting(of: "SELECT source_id, kafka_offset FROM \(name)", as: "readings")); \
            DROP TABLE \(name); COMMIT
            """, unableTo: "drop \"\(table)\"")
        return rows.integer(0, 0) ?? 0
    }

    /// Deletes the rows of the default partition that were recorded and stored before the kept days, a thousand pages at a
    /// time.
    ///
    /// Recordings that are replayed into the pipeline today are old from the beginning: they stay as long as others.
    func dropOldDefaultRows(retentionDays: Int) throws(PostgreSQLError) -> Int64 {
        let table = "heart_rate_readings_default"
        let midnight = "(((now() AT TIME ZONE 'UTC')::date - \(retentionDays))::timestamp AT TIME ZONE 'UTC')"
        let isOld = "recorded_at < \(midnight) AND inserted_at < \(midnight)"
        try completeRollUp(of: table, where: isOld)
        let pages = try connection.query(
            "SELECT pg_relation_size('\(table)') / current_setting('block_size')::bigint",
            unableTo: "measure \"\(table)\"")
        var dropped: Int64 = 0
        var page: Int64 = 0
        while page < pages.integer(0, 0) ?? 0, !stop.isRequested {
            dropped += try delete(
                from: table, where: "ctid >= '(\(page),0)' AND ctid < '(\(page + 1000),0)' AND \(isOld)", as: "readings"
            )
            page += 1000
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

    /// Deletes rows and notes their offsets, in one statement.
    private func delete(
        from table: String, where condition: String, as column: String
    ) throws(PostgreSQLError) -> Int64 {
        try patiently { run throws(PostgreSQLError) in
            try run.connection.query(
                """
                WITH gone AS (
                    DELETE FROM \(table) WHERE \(condition) RETURNING source_id, kafka_offset
                ), noted AS (\(Self.accounting(of: "SELECT * FROM gone", as: column)))
                SELECT count(*) FROM gone
                """, unableTo: "delete old rows of \"\(table)\""
            ).integer(0, 0) ?? 0
        }
    }

    /// The statement that adds rows to `retired_offsets`: as many as there are, and their offsets as ranges.
    ///
    /// An offset that is there twice is counted twice and has one place in the ranges, so `verify` still sees it.
    private static func accounting(of rows: String, as column: String) -> String {
        """
        INSERT INTO retired_offsets AS r (source_id, \(column), offsets) \
        SELECT source_id, sum(count)::bigint, range_agg(int8range(low, high, '[]')) FROM ( \
            SELECT source_id, count(*), min(kafka_offset) AS low, max(kafka_offset) AS high FROM ( \
                SELECT source_id, kafka_offset, kafka_offset - dense_rank() OVER ( \
                           PARTITION BY source_id ORDER BY kafka_offset) AS island \
                  FROM (\(rows)) gone_rows WHERE source_id IS NOT NULL) numbered \
             GROUP BY source_id, island) islands \
         GROUP BY source_id \
        ON CONFLICT (source_id) DO UPDATE SET \(column) = r.\(column) + excluded.\(column), \
            offsets = r.offsets + excluded.offsets, updated_at = now()
        """
    }
}
