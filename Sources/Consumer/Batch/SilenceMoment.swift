/// A moment at which the silence of customers can be judged, in milliseconds of the monotonic clock.
struct SilenceMoment: Sendable, Equatable {
    /// Everything that Kafka had of the assigned partitions at this moment is in the batch or in an earlier one.
    let at: Int64
    /// Silence before this moment does not count: Kafka itself was away.
    var since: Int64 = 0
}
