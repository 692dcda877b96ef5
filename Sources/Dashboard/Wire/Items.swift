internal import Daemon
internal import SharedSettings

// What lists and charts are made of, as it looks in JSON.

/// A reading or a bucket of readings of a line, as integers: see "Points" in openapi.json.
struct Point: Encodable, Sendable, Equatable {
    /// Milliseconds since 1970; of a bucket, its begin.
    let milliseconds: Int64
    private let lowest: Int16
    private let highest: Int16
    private let anomalies: Int32
    /// Of a bucket; 0 of a reading.
    private let median: Int16
    private var isBucket: Bool { median > 0 }

    /// One reading.
    init(_ milliseconds: Int64, _ heartRate: Int64, isAnomaly: Bool) {
        self.milliseconds = milliseconds
        lowest = Int16(clamping: heartRate)
        highest = lowest
        anomalies = isAnomaly ? 1 : 0
        median = 0
    }

    /// The readings of some time.
    init(bucket milliseconds: Int64, lowest: Int64, median: Int64, highest: Int64, anomalies: Int64) {
        self.milliseconds = milliseconds
        self.lowest = Int16(clamping: lowest)
        self.highest = Int16(clamping: highest)
        self.anomalies = Int32(clamping: anomalies)
        self.median = Int16(clamping: median)
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.unkeyedContainer()
        try container.encode(milliseconds)
        try container.encode(lowest)
        if isBucket { try container.encode(highest) }
        try container.encode(anomalies)
        if isBucket { try container.encode(median) }
    }
}

/// A customer's points, oldest first.
struct Series: Encodable, Sendable {
    let customerId: CustomerKey
    let points: [Point]
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
    let customerId: CustomerKey
    let recordedAt: Moment
    let heartRate: Int64
    @OrNull var anomalyReason: String? = nil
}

/// A reading as an object.
struct ReadingItem: Encodable, Sendable {
    let customerId: CustomerKey
    let recordedAt: Moment
    let heartRate: Int64
    let isAnomaly: Bool
    @OrNull var anomalyReason: String? = nil
    /// In the words of messages.
    @OrNull var activity: String? = nil
}
