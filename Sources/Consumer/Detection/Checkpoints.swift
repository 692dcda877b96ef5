import HeartRate

/// Encoded detectors, one after another.
struct Checkpoints {
    private(set) var bytes: [UInt8] = []
    private(set) var ends: [Int] = []

    mutating func append(_ detector: Detector) {
        detector.writeCheckpoint(to: &bytes)
        ends.append(bytes.count)
    }
}
