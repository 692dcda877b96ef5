import HeartRate

/// A customer's detector as the database has it.
struct StoredDetector {
    let id: String
    let detector: Detector
    let limits: CustomerLimits
    /// Whether there is a state that this program does not understand, such as one of a later version: detection relearns the customer.
    let isUnreadable: Bool
}
