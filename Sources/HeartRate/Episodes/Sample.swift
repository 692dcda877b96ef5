/// A time in microseconds that is none.
let noTime = Int64.min

/// One reading, whosever it is, as a detector takes it; 16 bytes.
public struct Sample: Hashable, Sendable {
    /// When it was taken, in microseconds since 1970.
    var at: Int64
    /// In bpm, 1 to 299.
    var rate: Int16
    /// What the customer was doing, if the sensor says so.
    var activity: Activity?

    /// A heart rate in bpm, 1 to 299; others count as the nearest.
    public init(_ heartRate: Int16, at instant: Instant, activity: Activity? = nil) {
        at = instant.microsecondsSince1970
        rate = min(max(heartRate, 1), 299)
        self.activity = activity
    }

    /// The order in which samples are judged; of two at the same time the lower rate comes first, and the other is late.
    static func < (one: Sample, other: Sample) -> Bool {
        (one.at, one.rate, one.activity?.rawValue ?? .max) < (other.at, other.rate, other.activity?.rawValue ?? .max)
    }
}
