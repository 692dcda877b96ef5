/// Where to go on reading one partition.
struct Position: Sendable {
    /// The row in `kafka_offsets`.
    let sourceID: Int32
    /// The partition's number.
    let partition: Int32
    /// The offset of the next message.
    var offset: Int64
}
