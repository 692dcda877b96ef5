internal import Daemon
internal import FoundationEssentials
internal import HeartRate
import Hummingbird

// How values look in JSON.

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

/// A reading or a bucket of readings of a line, as integers: see "Points" in openapi.json.
struct Point: Encodable, Sendable, Equatable {
    /// Milliseconds since 1970; of a bucket, its begin.
    let milliseconds: Int64
    private let lowest: Int16
    private let highest: Int16
    private let anomalies: Int32
    private let isBucket: Bool

    /// One reading.
    init(_ milliseconds: Int64, _ heartRate: Int64, isAnomaly: Bool) {
        self.milliseconds = milliseconds
        lowest = Int16(clamping: heartRate)
        highest = lowest
        anomalies = isAnomaly ? 1 : 0
        isBucket = false
    }

    /// The readings of some time.
    init(bucket milliseconds: Int64, _ lowest: Int64, _ highest: Int64, anomalies: Int64) {
        self.milliseconds = milliseconds
        self.lowest = Int16(clamping: lowest)
        self.highest = Int16(clamping: highest)
        self.anomalies = Int32(clamping: anomalies)
        isBucket = true
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.unkeyedContainer()
        try container.encode(milliseconds)
        try container.encode(lowest)
        if isBucket { try container.encode(highest) }
        try container.encode(anomalies)
    }
}

/// Any of the answers as bytes.
func json(_ value: some Encodable) throws -> ByteBuffer {
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    encoder.outputFormatting = [.withoutEscapingSlashes, .sortedKeys]
    return ByteBuffer(bytes: try encoder.encode(value))
}

/// HEART_RATE_MIN and HEART_RATE_MAX.
struct Limits: Encodable, Sendable {
    let heartRateMin: Int
    let heartRateMax: Int

    init(_ settings: Settings) {
        heartRateMin = settings[.heartRateMin]
        heartRateMax = settings[.heartRateMax]
    }
}

/// One minute of pipeline_log, all consumers together.
struct Minute: Encodable, Sendable {
    let minute: Moment
    let valid: Int64
    let anomaly: Int64
    let invalid: Int64
}

/// An anomaly in a list.
struct AnomalyItem: Encodable, Sendable {
    let customerId: String
    let recordedAt: Moment
    let heartRate: Int64
    @OrNull var anomalyReason: String? = nil
}
