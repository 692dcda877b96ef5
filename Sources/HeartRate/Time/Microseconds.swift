/// A length of time in whole microseconds, as `Instant` counts them.
///
/// Not a `Duration`: that counts attoseconds in 128 bits, and detection compares times for each reading.
public struct Microseconds: Hashable, Sendable {
    /// How many there are; may be negative.
    public var count: Int64

    /// A number of microseconds.
    @inlinable
    public init(_ count: Int64) { self.count = count }

    /// A duration, rounded towards zero; not for more than 292,000 years.
    public init(_ duration: Duration) { count = Int64(duration / .microseconds(1)) }

    /// A number of milliseconds.
    public static func milliseconds(_ count: Int64) -> Microseconds { Microseconds(count * 1000) }
    /// A number of seconds.
    public static func seconds(_ count: Int) -> Microseconds { Microseconds(Int64(count) * 1_000_000) }
    /// A number of minutes.
    public static func minutes(_ count: Int) -> Microseconds { Microseconds(Int64(count) * 60_000_000) }
    /// A number of hours.
    public static func hours(_ count: Int) -> Microseconds { Microseconds(Int64(count) * 3_600_000_000) }

    /// The whole milliseconds in it.
    public var milliseconds: Int64 { count / 1000 }
    /// The whole seconds in it.
    public var seconds: Int { Int(count / 1_000_000) }
    /// The whole minutes in it.
    public var minutes: Int { Int(count / 60_000_000) }
    /// The whole hours in it.
    public var hours: Int { Int(count / 3_600_000_000) }

    /// A multiple of it.
    public static func * (time: Microseconds, factor: Int) -> Microseconds { Microseconds(time.count * Int64(factor)) }
    /// A part of it, rounded towards zero.
    public static func / (time: Microseconds, divisor: Int) -> Microseconds {
        Microseconds(time.count / Int64(divisor))
    }
}

extension Microseconds: Comparable {
    /// Whether `one` is shorter.
    @inlinable
    public static func < (one: Microseconds, other: Microseconds) -> Bool { one.count < other.count }
}
