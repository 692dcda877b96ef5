internal import PostgreSQL

/// A range of time, without its end, in microseconds since 1970.
struct TimeRange: Sendable, Equatable {
    var from: Int64
    var until: Int64

    /// Which rows of the view `readings` are in it. What it says of blocks leaves out all others that are sealed.
    static let condition = """
        recorded_at >= $2::timestamptz AND recorded_at < $3::timestamptz \
        AND block_at > $2::timestamptz - interval '1 hour' AND block_at < $3::timestamptz
        """

    /// For `$2::timestamptz` and `$3::timestamptz`.
    var parameters: [any PostgreSQLParameter] { [Moment.reading(from).text, Moment.reading(until).text] }
}
