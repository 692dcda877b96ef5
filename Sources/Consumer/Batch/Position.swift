extension FixedWidthInteger {
    /// The sum; the largest or least number when it would be beyond. A log may begin at any offset, also in several partitions.
    func addingWithinBounds(_ other: Self) -> Self {
        let (sum, isBeyond) = addingReportingOverflow(other)
        return isBeyond ? (other < 0 ? .min : .max) : sum
    }
}

/// Where to go on reading one partition.
struct Position: Sendable, Equatable {
    /// The row in `kafka_offsets`.
    let sourceID: Int32
    /// The partition's number.
    let partition: Int32
    /// The offset of the next message.
    var offset: Int64
    /// The offset at which the source starts.
    var first: Int64 = 0
    /// The last message before `offset`, as far as it is known.
    var last: Landmark?
}

/// Where an examined partition goes on.
struct Continuation: Sendable, Equatable {
    let offset: Int64
    /// The last message before it that the log was seen to have as it is stored; nil when there is none to be seen.
    let last: Landmark?
    /// The first message from it on that the log was seen to have, where there is no last one; nil when it had none.
    let next: Landmark?
}

/// A message by which a log is recognized.
struct Landmark: Sendable, Equatable {
    let offset: Int64
    let fingerprint: Int64
}
