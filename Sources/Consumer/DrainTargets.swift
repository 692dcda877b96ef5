import Kafka

/// How far the log reached when each partition was first assigned.
struct DrainTargets {
    private var ends: [Int32: Int64] = [:]
    private var isAssigned = false

    mutating func note(_ watermarks: [Int32: Watermarks]) {
        isAssigned = true
        for (partition, found) in watermarks where ends[partition] == nil { ends[partition] = found.high }
    }

    /// Whether the partitions that are assigned now are all in the database up to their ends.
    func isReached(by committed: [Int32: Int64]) -> Bool {
        isAssigned && committed.allSatisfy { partition, next in next >= ends[partition] ?? 0 }
    }
}
