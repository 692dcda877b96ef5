/// A moment, in whole microseconds, within the years 0001 to 9999 of the Gregorian calendar in UTC.
///
/// Microseconds, because that is what PostgreSQL's `timestamptz` keeps. Leap seconds do not exist, as in POSIX.
public struct Instant: Hashable, Sendable {
    /// 0001-01-01T00:00:00Z.
    public static let earliest = Instant(microsecondsSince1970: .min)
    /// 9999-12-31T23:59:59.999999Z.
    public static let latest = Instant(microsecondsSince1970: .max)

    /// Microseconds since 1970-01-01T00:00:00Z; negative before.
    public let microsecondsSince1970: Int64

    /// The moment at this number of microseconds after 1970-01-01T00:00:00Z, or `earliest` or `latest` when it would be beyond.
    public init(microsecondsSince1970: Int64) {
        let first = Int64(CivilDate.firstDay) * Self.microsecondsPerDay
        let last = Int64(CivilDate.lastDay + 1) * Self.microsecondsPerDay - 1
        self.microsecondsSince1970 = min(max(microsecondsSince1970, first), last)
    }

    /// The moment at this number of milliseconds after 1970-01-01T00:00:00Z, as Kafka's time stamps have it; anybody can
    /// have written those, so `earliest` or `latest` when it would be beyond.
    public init(millisecondsSince1970: Int64) {
        let (microseconds, isBeyond) = millisecondsSince1970.multipliedReportingOverflow(by: 1000)
        self.init(microsecondsSince1970: isBeyond ? (millisecondsSince1970 < 0 ? .min : .max) : microseconds)
    }

    /// Microseconds since 2000-01-01T00:00:00Z: PostgreSQL's binary `timestamptz`
    /// (`POSTGRES_EPOCH_JDATE` in its `datatype/timestamp.h`).
    public var microsecondsSince2000: Int64 { microsecondsSince1970 - 946_684_800_000_000 }

    /// The UTC day, counted from 1970-01-01; negative before.
    public var daysSince1970: Int64 {
        let (days, rest) = microsecondsSince1970.quotientAndRemainder(dividingBy: Self.microsecondsPerDay)
        return rest < 0 ? days - 1 : days
    }

    /// The moment this many microseconds later, or earlier when negative; not beyond `earliest` and `latest`.
    public func advanced(byMicroseconds microseconds: Int64) -> Instant {
        let (sum, overflow) = microsecondsSince1970.addingReportingOverflow(microseconds)
        guard overflow else { return Instant(microsecondsSince1970: sum) }
        return microseconds > 0 ? .latest : .earliest
    }

    static let microsecondsPerDay: Int64 = 86_400_000_000
}

extension Instant: Comparable {
    /// Whether `one` is earlier.
    public static func < (one: Instant, other: Instant) -> Bool {
        one.microsecondsSince1970 < other.microsecondsSince1970
    }
}
