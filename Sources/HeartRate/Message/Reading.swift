/// One heart rate of one customer at one moment.
public struct Reading: Hashable, Sendable {
    /// Whose heart it is.
    public let customerID: CustomerID
    /// When the sensor took it.
    public let recordedAt: Instant
    /// Beats per minute, within `storableHeartRates`.
    public let heartRate: Int16
    /// What the customer was doing, if the sensor told it.
    public let activity: Activity?

    /// The heart rates that are stored, in bpm; a message with any other is rejected.
    public static let storableHeartRates: ClosedRange<Int16> = 1...299

    /// A reading of `heartRate` bpm; nil outside of `storableHeartRates`.
    public init?(customerID: CustomerID, recordedAt: Instant, heartRate: Int16, activity: Activity? = nil) {
        guard Self.storableHeartRates.contains(heartRate) else { return nil }
        self.init(customerID: customerID, recordedAt: recordedAt, storable: heartRate, activity: activity)
    }

    /// Takes a heart rate that has been checked.
    @inline(__always)
    init(customerID: CustomerID, recordedAt: Instant, storable heartRate: Int16, activity: Activity?) {
        self.customerID = customerID
        self.recordedAt = recordedAt
        self.heartRate = heartRate
        self.activity = activity
    }
}

/// A message that is no reading for its heart rate only: nothing is stored of it, and it still says that the sensor is there.
public struct UnstorableReading: Hashable, Sendable {
    /// Whose sensor sent it.
    public let customerID: CustomerID
    /// When the sensor took it.
    public let recordedAt: Instant
    /// Whether the heart rate is 0 bpm; else no heart can have it.
    public let isZero: Bool
}
