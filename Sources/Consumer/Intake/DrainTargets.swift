import Kafka

/// How far each partition of the topic reached at the start.
struct DrainTargets {
    private let watermarks: [Int32: Watermarks]

    init(_ watermarks: [Int32: Watermarks]) { self.watermarks = watermarks }

    /// Whether these partitions, those that this consumer has now, are all stored up to their ends.
    func areReached(by committed: [Int32: Int64]) -> Bool {
        committed.allSatisfy { partition, next in next >= watermarks[partition]?.high ?? 0 }
    }

    /// Whether the whole topic is stored up to its end, by whichever consumer of the group.
    ///
    /// - Parameter stored: the next offset of every partition that the database knows.
    func isTopicReached(by stored: [Int32: Int64]) -> Bool {
        watermarks.allSatisfy { partition, found in stored[partition] ?? found.low >= found.high }
    }
}
