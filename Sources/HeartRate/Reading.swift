/// One heart rate of one customer at one moment.
public struct Reading: Hashable, Sendable {
    /// Whose heart it is.
    public let customerID: CustomerID
    /// When the sensor took it.
    public let recordedAt: Instant
    /// Beats per minute, within `storableHeartRates`.
    public let heartRate: Int16

    /// The heart rates that are stored, in bpm; a message with any other is rejected.
    public static let storableHeartRates: ClosedRange<Int16> = 1...299

    /// A reading of `heartRate` bpm; nil outside of `storableHeartRates`.
    public init?(customerID: CustomerID, recordedAt: Instant, heartRate: Int16) {
        guard Self.storableHeartRates.contains(heartRate) else { return nil }
        self.customerID = customerID
        self.recordedAt = recordedAt
        self.heartRate = heartRate
    }

    /// Takes a heart rate that has been checked.
    @inline(__always)
    init(customerID: CustomerID, recordedAt: Instant, storable heartRate: Int16) {
        self.customerID = customerID
        self.recordedAt = recordedAt
        self.heartRate = heartRate
    }
}
