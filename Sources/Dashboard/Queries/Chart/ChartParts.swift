internal import PostgreSQL

/// Where the buckets of a chart come from: for each part of a range roll-ups of one width, or readings.
///
/// Buckets of whole days, hours or minutes are made of the roll-ups of these. The ends of the range take narrower ones and at
/// last readings, so that nothing counts that is not in the range.
struct ChartParts: Sendable {
    struct Part: Sendable, Equatable {
        /// In minutes, as in `customer_rollups`; 0 for readings.
        let width: Int64
        let range: TimeRange
    }

    /// In the order of time: all of the range, and nothing twice.
    let parts: [Part]

    init(of range: TimeRange, bucketSeconds: Int64) {
        parts = Self.parts(of: range, [1440, 60, 1].filter { bucketSeconds % ($0 * 60) == 0 }[...])
    }

    private static func parts(of range: TimeRange, _ widths: ArraySlice<Int64>) -> [Part] {
        guard range.from < range.until else { return [] }
        guard let width = widths.first else { return [Part(width: 0, range: range)] }
        let size = width * 60_000_000
        let begin = start(of: size, at: range.from + size - 1)
        let end = start(of: size, at: range.until)
        guard begin < end else { return parts(of: range, widths.dropFirst()) }
        return parts(of: TimeRange(from: range.from, until: begin), widths.dropFirst())
            + [Part(width: width, range: TimeRange(from: begin, until: end))]
            + parts(of: TimeRange(from: end, until: range.until), widths.dropFirst())
    }

    /// The last multiple of a size that is not after a moment, also before 1970.
    private static func start(of size: Int64, at moment: Int64) -> Int64 {
        let rest = moment % size
        return moment - (rest < 0 ? rest + size : rest)
    }

    /// The widths of parts, their begins and their ends, as `$4`, `$5` and `$6`.
    var parameters: [any PostgreSQLParameter] {
        [
            ArrayText(parts, \.width), ArrayText(parts) { Moment.reading($0.range.from).text },
            ArrayText(parts) { Moment.reading($0.range.until).text },
        ]
    }

    /// The query for what the buckets of customers `$1` from `$2` until `$3` have: rows of customer_id, at, lowest, rate,
    /// highest, readings, anomalies and activity, where `rate` is that of a reading or the median of a roll-up.
    ///
    /// A roll-up has what is sealed of its customer and day, no more and no less. So whatever is not sealed comes beside it,
    /// and what is sealed only where there is no roll-up, or only a part of one is wanted.
    static let query = """
        WITH parts AS (
            SELECT * FROM unnest($4::smallint[], $5::timestamptz[], $6::timestamptz[]) AS p (width, since, until)
        ), ids AS (
            SELECT id FROM unnest($1::text[]) AS c (id)
        ), pieces AS (
            SELECT id, since, until FROM ids CROSS JOIN parts WHERE width = 0
             UNION ALL
            SELECT id, greatest(midnight, since), least(midnight + interval '24 hours', until)
              FROM ids
             CROSS JOIN (SELECT min(since) AS since, max(until) AS until FROM parts WHERE width > 0) AS whole
              JOIN (SELECT DISTINCT day, day::timestamp AT TIME ZONE 'UTC' AS midnight FROM seals
                     WHERE day >= ($2::timestamptz AT TIME ZONE 'UTC')::date
                       AND day <= ($3::timestamptz AT TIME ZONE 'UTC')::date) AS sealed
                ON midnight < until AND midnight + interval '24 hours' > since
             WHERE NOT EXISTS (SELECT FROM customer_rollups AS r
                                WHERE r.customer_id = ids.id AND r.width = 1440 AND r.day = sealed.day)
        )
        SELECT r.customer_id, r.begins_at AS at, r.lowest, r.median AS rate, r.highest, r.readings, r.anomalies,
               r.activity
          FROM parts p JOIN rollups r ON r.width = p.width AND r.day >= (p.since AT TIME ZONE 'UTC')::date
           AND r.day <= (p.until AT TIME ZONE 'UTC')::date AND r.begins_at >= p.since AND r.begins_at < p.until
         WHERE r.customer_id = ANY ($1::text[])
         UNION ALL
        SELECT customer_id, recorded_at, heart_rate, heart_rate, heart_rate, 1, is_anomaly::integer, activity
          FROM heart_rate_readings
         WHERE customer_id = ANY ($1::text[]) AND recorded_at >= $2::timestamptz AND recorded_at < $3::timestamptz
         UNION ALL
        SELECT customer_id, recorded_at, heart_rate, heart_rate, heart_rate, 1, is_anomaly::integer, activity
          FROM heart_rate_readings_closed
         WHERE customer_id = ANY ($1::text[]) AND recorded_at >= $2::timestamptz AND recorded_at < $3::timestamptz
         UNION ALL
        SELECT p.id, r.recorded_at, r.heart_rate, r.heart_rate, r.heart_rate, 1, r.is_anomaly::integer,
               r.activity
          FROM pieces p JOIN sealed_readings b
            ON b.customer_id = p.id AND b.block_at > p.since - interval '1 hour' AND b.block_at < p.until
         CROSS JOIN unpack_readings(b.block_at, b.steps, b.rates, NULL, NULL, b.flags, NULL, NULL, b.activities) AS r
         WHERE r.recorded_at >= p.since AND r.recorded_at < p.until
        """
}
