import PostgreSQL

/// What the sealed days take, for `heartbeat database status`.
public struct SealedDays: Encodable, Sendable {
    /// How many days are sealed.
    public let days: Int
    /// How many readings they have.
    public let readings: Int64
    /// What they take, indexes included.
    public let bytes: Int64
    /// What the roll-ups take, also those of days whose readings retention has dropped.
    public let rollupBytes: Int64
    /// The mean size of the last seven of them; nil when none is sealed.
    public let bytesPerDay: Int64?
    /// The mean size of a day's roll-ups; nil when there are none.
    public let rollupBytesPerDay: Int64?
    /// When the oldest sealed reading was taken, in UTC.
    let oldestReading: String?
    /// When the newest block of readings begins, in UTC.
    let newestBlock: String?
    /// How old the first sealed day is, in days.
    let oldestAge: Int?
    /// The same of the first day that has roll-ups.
    let oldestRollupAge: Int?

    init(_ connection: PostgreSQLConnection) throws(PostgreSQLError) {
        let rows = try connection.query(
            """
            WITH by_day AS (SELECT day, sum(readings)::bigint AS readings FROM seals GROUP BY day),
                 recent AS (SELECT avg(readings) AS readings
                              FROM (SELECT readings FROM by_day ORDER BY day DESC LIMIT 7) AS last_days),
                 ends AS (SELECT min(block_at) AS oldest, max(block_at) AS newest FROM sealed_readings)
            SELECT count(*) AS days, coalesce(sum(d.readings), 0)::bigint AS readings,
                   pg_total_relation_size('sealed_readings') AS bytes,
                   pg_total_relation_size('customer_rollups') AS rollup_bytes,
                   (pg_total_relation_size('sealed_readings') * min(recent.readings) / nullif(sum(d.readings), 0))::bigint
                   AS bytes_per_day,
                   to_char(min(oldest), 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS oldest,
                   to_char(min(newest), 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS newest,
                   (now() AT TIME ZONE 'UTC')::date - min(d.day) AS oldest_age
              FROM by_day d CROSS JOIN recent CROSS JOIN ends
            """, unableTo: "measure the sealed days")
        let found = try rows.map { row throws(PostgreSQLError) in
            (
                days: try row["days"] as Int, readings: try row["readings"] as Int64, bytes: try row["bytes"] as Int64,
                rollupBytes: try row["rollup_bytes"] as Int64, bytesPerDay: try row["bytes_per_day"] as Int64?,
                ends: (try row["oldest"] as String?, try row["newest"] as String?),
                oldestAge: try row["oldest_age"] as Int?
            )
        }
        (days, readings, bytes, bytesPerDay) = (found[0].days, found[0].readings, found[0].bytes, found[0].bytesPerDay)
        rollupBytes = found[0].rollupBytes
        (oldestReading, newestBlock) = found[0].ends
        oldestAge = found[0].oldestAge
        let rollups = try Self.rollupDays(connection)
        rollupBytesPerDay = rollups.days > 0 ? rollupBytes / rollups.days : nil
        oldestRollupAge = rollups.oldestAge
    }

    /// How many days have roll-ups, by one look into the index for each.
    private static func rollupDays(
        _ connection: PostgreSQLConnection
    ) throws(PostgreSQLError) -> (days: Int64, oldestAge: Int?) {
        let rows = try connection.query(
            """
            WITH RECURSIVE known AS (
                SELECT min(day) AS day FROM customer_rollups
                UNION ALL
                SELECT (SELECT min(day) FROM customer_rollups WHERE day > known.day) FROM known WHERE day IS NOT NULL
            )
            SELECT count(day) AS days, (now() AT TIME ZONE 'UTC')::date - min(day) AS oldest_age FROM known
            """, unableTo: "count the days with roll-ups")
        return try rows.map { row throws(PostgreSQLError) in
            (try row["days"] as Int64, try row["oldest_age"] as Int?)
        }[0]
    }

    private enum CodingKeys: CodingKey {
        case days, readings, bytes, rollupBytes, bytesPerDay, rollupBytesPerDay
    }
}
