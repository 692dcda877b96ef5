import HeartRate

/// A reading as the detectors take it; 16 bytes.
struct Observation {
    let recordedAt: Instant
    /// The customer's number in the batch.
    let customer: Int32
    let heartRate: Int16
    let activity: Activity?

    init(_ reading: Reading, customer: Int) {
        recordedAt = reading.recordedAt
        self.customer = Int32(customer)
        heartRate = reading.heartRate
        activity = reading.activity
    }
}
