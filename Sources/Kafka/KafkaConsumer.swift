internal import CLibRdKafka

/// A member of a consumer group. Used from one thread; it closes when it is released, within 3 s.
///
/// Rebalances are handed out by `poll` instead of being answered in a callback: the owner has to call `assign`
/// after `.assigned` and `unassign` after `.revoked`, and the group waits until it did.
@safe public final class KafkaConsumer {
    /// What one poll found.
    public enum Event: ~Copyable {
        /// Nothing within the time.
        case nothing
        /// A message, to be dropped before the consumer is closed.
        case message(KafkaMessage)
        /// The group gave these partitions; call `assign` to start reading.
        case assigned([TopicPartition])
        /// The group takes these partitions back; finish what is under way, then call `unassign`.
        case revoked([TopicPartition])
        /// A partition was read to its end; with `enable.partition.eof` only.
        case end(KafkaPlace)
        /// A partition cannot be read from where it should be.
        case partitionFailed(KafkaPlace, KafkaError)
        /// The group or the topic cannot be used; librdkafka goes on trying.
        case troubled(KafkaError)
        /// Figures of this moment; with `statistics.interval.ms` only.
        case statistics(KafkaStatistics)
        /// A fatal error: the consumer cannot go on. Errors of single connections go to `KafkaEvents.error`.
        case failed(KafkaError)
    }

    private final class ConsumerContext: ClientContext {
        var rebalance: (isAssignment: Bool, partitions: [TopicPartition])?
        var isClosing = false
        /// librdkafka's JSON, until the next poll hands it out.
        var statistics: [UInt8]?
        let connections = Connections()
    }

    private let handle: OpaquePointer
    private let context: ConsumerContext
    private var assigned: [TopicPartition] = []
    private var queue = FetchQueue()
    /// How many messages came since the queue was looked at.
    private var sinceLook = 0

    /// Makes a member of the group that the configuration names; does not wait for a broker.
    ///
    /// - Throws: `KafkaError` when librdkafka refuses the configuration.
    public init(_ configuration: KafkaConfiguration, events: KafkaEvents = .ignored) throws(KafkaError) {
        context = ConsumerContext(events: events)
        let settings = unsafe try configuration.makeHandle()
        unsafe context.attach(to: settings)
        unsafe rd_kafka_conf_set_rebalance_cb(settings) { client, code, partitions, _ in
            guard let context = unsafe ClientContext.of(client) as? ConsumerContext else { return }
            let isAssignment = code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS
            guard !context.isClosing else {
                // Nobody polls any more: rd_kafka_consumer_close waits for this answer.
                unsafe rd_kafka_assign(client, nil)
                return
            }
            unsafe context.rebalance = (isAssignment, PartitionList.partitions(of: partitions))
            // Ends the poll that this callback runs in, so that it is answered at once.
            unsafe rd_kafka_yield(client)
        }
        unsafe Self.watch(settings, counting: context.connections)
        let (client, cause) = unsafe withReasonBuffer { unsafe rd_kafka_new(RD_KAFKA_CONSUMER, settings, $0, $1) }
        guard let client = unsafe client else {
            // It is ours again, but not to be freed: librdkafka 2.0.2 has freed what the interceptor's `on_new` added to it.
            throw KafkaError(RD_KAFKA_RESP_ERR__INVALID_ARG, unableTo: "create a consumer", cause: cause)
        }
        unsafe handle = client
        unsafe rd_kafka_poll_set_consumer(client)
    }

    /// Leaves the group and ends the client, but waits for that only a few seconds: after the deletion of a topic librdkafka
    /// 2.0.2 never ends.
    deinit {
        context.isClosing = true
        let client = unsafe handle
        closeWithinLimit(keeping: context) {
            unsafe rd_kafka_consumer_close(client)
            unsafe rd_kafka_destroy(client)
        }
    }

    /// Has the statistics kept and the connections counted.
    @unsafe private static func watch(_ settings: OpaquePointer?, counting connections: Connections) {
        unsafe rd_kafka_conf_set_stats_cb(settings) { client, json, length, _ in
            guard let json = unsafe json, let context = unsafe ClientContext.of(client) as? ConsumerContext else {
                return 0
            }
            let bytes = unsafe UnsafeRawBufferPointer(start: json, count: length)
            context.statistics = unsafe [UInt8](bytes)
            // Ends the poll that this callback runs in.
            unsafe rd_kafka_yield(client)
            return 0
        }
        // The context lives as long as the client: see `closeWithinLimit`.
        unsafe rd_kafka_conf_interceptor_add_on_new(
            settings, "connections",
            { client, _, context, _, _ in
                unsafe rd_kafka_interceptor_add_on_request_sent(
                    client, "connections",
                    { _, _, _, broker, request, _, _, _, context in
                        if let context = unsafe context {
                            let connections = unsafe Unmanaged<Connections>.fromOpaque(context).takeUnretainedValue()
                            connections.sent(request, to: broker)
                        }
                        return RD_KAFKA_RESP_ERR_NO_ERROR
                    }, context)
            }, Unmanaged.passUnretained(connections).toOpaque())
    }

    /// The client that administrative calls go through; it has to stay alive while they run.
    public var cluster: KafkaCluster { unsafe KafkaCluster(client: handle, owner: self) }

    /// Joins the group for one topic.
    public func subscribe(to topic: String) throws(KafkaError) {
        let list = PartitionList(topic: topic)
        try KafkaError.check(unsafe rd_kafka_subscribe(handle, list.handle), unableTo: "subscribe to \"\(topic)\"")
    }

    /// Waits for the next message or event for a limited time, in milliseconds.
    ///
    /// One message at a time: the batch calls of librdkafka 2.0.2 can lose messages around a pause or a rebalance.
    public func poll(milliseconds: Int32) -> Event {
        // Whoever waits asks for the time, twice: a twentieth of all the work while there is a backlog.
        var message = unsafe rd_kafka_consumer_poll(handle, 0)
        sinceLook += 1
        let isIdle = unsafe message == nil && context.rebalance == nil && context.statistics == nil
        if isIdle || sinceLook >= FetchQueue.interval { lookAtQueue() }
        if isIdle {
            let limit = queue.isShrinking ? min(milliseconds, FetchQueue.mostMilliseconds) : milliseconds
            unsafe message = rd_kafka_consumer_poll(handle, limit)
        }
        guard let message = unsafe message else {
            guard let rebalance = context.rebalance else {
                guard let json = context.statistics else { return .nothing }
                context.statistics = nil
                return KafkaStatistics(json: json).map { .statistics($0) } ?? .nothing
            }
            context.rebalance = nil
            return rebalance.isAssignment ? .assigned(rebalance.partitions) : .revoked(rebalance.partitions)
        }
        let code = unsafe message.pointee.err
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR else {
            defer { unsafe rd_kafka_message_destroy(message) }
            return unsafe Self.event(of: message, code)
        }
        guard unsafe (0..<Int64.max).contains(message.pointee.offset) else {
            defer { unsafe rd_kafka_message_destroy(message) }
            return unsafe Self.event(of: message, RD_KAFKA_RESP_ERR__BAD_MSG)
        }
        return .message(unsafe KafkaMessage(consuming: message))
    }

    private func lookAtQueue() {
        sinceLook = 0
        switch unsafe queue.look(Int(rd_kafka_outq_len(handle)), at: .now) {
        case .more: if Self.isWokenByRequests { wakeBrokers() }
        // glibc keeps it otherwise, since what is still in use lies between.
        case .lessMemory: malloc_trim(0)
        case nil: break
        }
    }

    /// Later ones are told by `fetch.queue.backoff.ms`, and only by that.
    private static let isWokenByRequests = !KafkaConfiguration.knows("fetch.queue.backoff.ms")

    /// Has the brokers' threads look at the queue: a request wakes them. This one is short, and nobody waits for its answer.
    private func wakeBrokers() {
        guard !assigned.isEmpty else { return }
        let ends = PartitionList(assigned.map { PartitionOffset(partition: $0, offset: Int64(RD_KAFKA_OFFSET_END)) })
        unsafe rd_kafka_offsets_for_times(handle, ends.handle, 0)
    }

    /// Has the events' handlers called for what has happened. For a client that reads nothing; others poll.
    public func handleEvents() {
        // One call ends at the first statistics, which overtake everything else.
        while unsafe rd_kafka_poll(handle, 0) > 0 {}
    }

    @unsafe private static func event(
        of message: UnsafeMutablePointer<rd_kafka_message_t>, _ code: rd_kafka_resp_err_t
    ) -> Event {
        let place = unsafe KafkaPlace(
            partition: message.pointee.partition, offset: message.pointee.offset,
            broker: rd_kafka_message_broker_id(message))
        if code == RD_KAFKA_RESP_ERR__PARTITION_EOF { return .end(place) }
        let cause = unsafe rd_kafka_message_errstr(message).map { unsafe String(cString: $0) }
        let error = KafkaError(code, unableTo: "read from Kafka", cause: cause)
        if error.isFatal { return .failed(error) }
        return unsafe message.pointee.rkt != nil && place.partition >= 0
            ? .partitionFailed(place, error) : .troubled(error)
    }

    /// How often it has connected to any broker or asked where the topics are.
    public var connectionCount: Int { context.connections.total }

    /// How often it has connected to each broker or asked where the topics are.
    public var connectionCounts: ConnectionCounts { context.connections.now }

    /// Reads these partitions from these offsets, and no others.
    ///
    /// This is also how reading is interrupted, by none, and taken up again. librdkafka's pause and resume are not offered: in
    /// 2.0.2 a resume that meets an assignment that is not complete yet can be dropped, and the partition is never read again.
    public func assign(_ offsets: [PartitionOffset]) throws(KafkaError) {
        let list = PartitionList(offsets)
        try KafkaError.check(unsafe rd_kafka_assign(handle, list.handle), unableTo: "assign partitions")
        assigned = offsets.map(\.partition)
        waitUntilStopped()
    }

    /// Reads no partition any more.
    public func unassign() throws(KafkaError) {
        try KafkaError.check(unsafe rd_kafka_assign(handle, nil), unableTo: "give partitions back")
        assigned = []
        waitUntilStopped()
    }

    /// Waits for librdkafka's own thread: an assignment that comes before the last one has stopped its partitions stops them
    /// twice, and an assertion ends the process (librdkafka #5573, up to 2.15.0).
    private func waitUntilStopped() {
        var assignment: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>?
        // Its answer stands behind the stops in the thread's queue.
        guard unsafe rd_kafka_assignment(handle, &assignment) == RD_KAFKA_RESP_ERR_NO_ERROR else { return }
        unsafe rd_kafka_topic_partition_list_destroy(assignment)
    }

    /// Tells the group how far it is, without waiting. Only lag tools read it: what counts is in the database.
    public func commitWithoutWaiting(_ offsets: [PartitionOffset]) throws(KafkaError) {
        let list = PartitionList(offsets)
        try KafkaError.check(unsafe rd_kafka_commit(handle, list.handle, 1), unableTo: "commit offsets")
    }

    /// The watermarks that librdkafka saw with its last fetch; nil before the first.
    public func cachedWatermarks(of partition: TopicPartition) -> Watermarks? {
        var low: Int64 = 0
        var high: Int64 = 0
        let code = unsafe rd_kafka_get_watermark_offsets(handle, partition.topic, partition.partition, &low, &high)
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR, low >= 0, high >= 0 else { return nil }
        return Watermarks(low: low, high: high)
    }
}

/// A place in a partition, and who told it.
public struct KafkaPlace: Hashable, Sendable {
    /// The partition's number.
    public let partition: Int32
    /// The offset there; negative when there is none.
    public let offset: Int64
    /// The number of the broker that said so; -1 when it was the client itself.
    public let broker: Int32

    /// A place in a partition.
    public init(partition: Int32, offset: Int64, broker: Int32) {
        self.partition = partition
        self.offset = offset
        self.broker = broker
    }
}
