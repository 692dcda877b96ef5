internal import Daemon
internal import HeartRate

/// A moment as RFC 3339 in UTC.
struct Moment: Encodable, Sendable, Equatable {
    let microseconds: Int64
    /// Readings have all six digits, everything else three.
    var digits = 3

    /// A reading's moment.
    static func reading(_ microseconds: Int64) -> Moment { Moment(microseconds: microseconds, digits: 6) }

    static var now: Moment { Moment(microseconds: wallClockMicroseconds()) }

    var text: String {
        // 2026-02-19T15:53:03.123456+00:00
        Instant(microsecondsSince1970: microseconds).iso8601.prefix(20 + digits) + "Z"
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }
}

/// A value that is written as null when it is missing; a plain optional would be left out.
@propertyWrapper struct OrNull<Value: Encodable & Sendable>: Encodable, Sendable {
    var wrappedValue: Value?

    init(wrappedValue: Value?) { self.wrappedValue = wrappedValue }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(wrappedValue)
    }
}
