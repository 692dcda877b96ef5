internal import CLibRdKafka
import Synchronization

/// Publishes messages. Used from one thread; the counters can be read from any.
@safe public final class KafkaProducer {
    /// How many messages ended how, since the start.
    public struct Counts: Sendable, Equatable {
        /// Acknowledged as the configuration's `acks` asks.
        public var delivered = 0
        /// Given up by librdkafka.
        public var failed = 0

        /// Numbers of messages.
        public init(delivered: Int = 0, failed: Int = 0) {
            self.delivered = delivered
            self.failed = failed
        }
    }

    /// A message that Kafka did not take, and that librdkafka gives back.
    public struct Returned: Sendable {
        /// Its key and value; nil for null.
        public let key, value: [UInt8]?
        /// Why it was not taken.
        public let error: KafkaError
        /// Its place among all that were queued.
        public let place: Int

        /// Its key and value, in bytes.
        public var size: Int { (key?.count ?? 0) + (value?.count ?? 0) }

        /// A batch of it alone without compression, in bytes: the batch's header has 61, the record's is five numbers
        /// of variable length and a byte of attributes.
        public var batchSize: Int {
            func length(_ number: Int) -> Int { (70 - (2 * number + 1).leadingZeroBitCount) / 7 }
            let record = 4 + length(key?.count ?? 0) + length(value?.count ?? 0) + size
            return 61 + length(record) + record
        }
    }

    /// What became of one message.
    public struct Report: Sendable {
        /// As it was given to `produce`.
        public let number: Int
        /// Why it is not acknowledged; nil when it is.
        public let error: KafkaError?
    }

    private final class ProducerContext: ClientContext {
        /// Filled by the thread that polls; nil when nobody takes them.
        var reports: [Report]?
        /// Filled by the thread that polls; nil when nobody takes them.
        var returned: [Returned]?
        /// librdkafka's JSON, until somebody takes it.
        var statistics: [UInt8]?
        let delivered = Atomic<Int>(0)
        let failed = Atomic<Int>(0)
    }

    private let handle: OpaquePointer
    private let topic: OpaquePointer
    private let context: ProducerContext
    private var queued = 0

    /// Makes a producer for one topic; does not wait for a broker.
    ///
    /// - Parameters:
    ///   - keepsReturned: whether messages that certainly are not in the log wait for `takeReturned` instead of being
    ///     counted as failed. Their headers are lost.
    ///   - keepsReports: whether what became of each message waits for `takeReports`.
    /// - Throws: `KafkaError` when librdkafka refuses the configuration.
    public init(
        _ configuration: KafkaConfiguration, topic name: String, events: KafkaEvents = .ignored,
        keepsReturned: Bool = false, keepsReports: Bool = false
    ) throws(KafkaError) {
        context = ProducerContext(events: events)
        if keepsReports { context.reports = [] }
        if keepsReturned { context.returned = [] }
        let settings = unsafe try configuration.makeHandle()
        unsafe context.attach(to: settings)
        unsafe rd_kafka_conf_set_dr_msg_cb(settings) { _, message, opaque in
            guard let message = unsafe message, let opaque = unsafe opaque else { return }
            let context = unsafe Unmanaged<ProducerContext>.fromOpaque(opaque).takeUnretainedValue()
            if context.reports != nil { unsafe context.reports?.append(Report(message.pointee)) }
            if unsafe message.pointee.err == RD_KAFKA_RESP_ERR_NO_ERROR {
                context.delivered.add(1, ordering: .relaxed)
                return
            }
            let error = unsafe KafkaError(message.pointee.err, unableTo: "deliver a message")
            if context.returned != nil,
                unsafe rd_kafka_message_status(message) == RD_KAFKA_MSG_STATUS_NOT_PERSISTED
            {
                unsafe context.returned?.append(Returned(copying: message.pointee, error))
                return
            }
            context.failed.add(1, ordering: .relaxed)
            context.events.error(error)
        }
        unsafe rd_kafka_conf_set_stats_cb(settings) { client, json, length, _ in
            guard let json = unsafe json, let context = unsafe ClientContext.of(client) as? ProducerContext else {
                return 0
            }
            context.statistics = unsafe [UInt8](UnsafeRawBufferPointer(start: json, count: length))
            return 0
        }
        let (client, cause) = unsafe withReasonBuffer { unsafe rd_kafka_new(RD_KAFKA_PRODUCER, settings, $0, $1) }
        guard let client = unsafe client else {
            unsafe rd_kafka_conf_destroy(settings)  // rd_kafka_new takes it over only when it succeeds
            throw KafkaError(RD_KAFKA_RESP_ERR__INVALID_ARG, unableTo: "create a producer", cause: cause)
        }
        guard let topic = unsafe rd_kafka_topic_new(client, name, nil) else {
            let code = rd_kafka_last_error()
            unsafe rd_kafka_destroy(client)
            throw KafkaError(code, unableTo: "use topic \"\(name)\"")
        }
        unsafe handle = client
        unsafe self.topic = topic
    }

    deinit {
        let (client, topic) = unsafe (handle, topic)
        closeWithinLimit(keeping: context) {
            unsafe rd_kafka_topic_destroy(topic)
            unsafe rd_kafka_destroy(client)
        }
    }

    /// The client that administrative calls go through.
    public var cluster: KafkaCluster { unsafe KafkaCluster(client: handle, owner: self) }

    /// How many messages ended how, since the start.
    public var counts: Counts {
        Counts(
            delivered: context.delivered.load(ordering: .relaxed), failed: context.failed.load(ordering: .relaxed))
    }

    /// The error after which this producer cannot go on; nil as long as there was none. Cheap.
    public var fatalError: KafkaError? {
        guard unsafe rd_kafka_fatal_error(handle, nil, 0) != RD_KAFKA_RESP_ERR_NO_ERROR else { return nil }
        let (original, text) = unsafe withReasonBuffer { unsafe rd_kafka_fatal_error(handle, $0, $1) }
        return KafkaError(
            RD_KAFKA_RESP_ERR__FATAL, unableTo: "work with Kafka", cause: "\(text) (code \(original.rawValue))")
    }

    /// The error behind a fatal one.
    public var fatalCode: KafkaError.Code { KafkaError.Code(unsafe rd_kafka_fatal_error(handle, nil, 0)) }

    /// The latest figures since the last call; with `statistics.interval.ms` only.
    public func takeStatistics() -> KafkaStatistics? {
        guard let json = context.statistics else { return nil }
        context.statistics = nil
        return KafkaStatistics(json: json)
    }

    /// The messages that were given back since the last call, in the order in which they came back.
    public func takeReturned() -> [Returned] {
        guard let returned = context.returned, !returned.isEmpty else { return [] }
        context.returned = []
        return returned
    }

    /// What became of messages since the last call.
    public func takeReports() -> [Report] {
        guard let reports = context.reports, !reports.isEmpty else { return [] }
        context.reports = []
        return reports
    }

    /// Gives back all messages that are not on their way yet; poll for them.
    public func giveBack() { unsafe rd_kafka_purge(handle, RD_KAFKA_PURGE_F_QUEUE) }

    /// How many messages wait to be delivered.
    public var waiting: Int { Int(unsafe rd_kafka_outq_len(handle)) }

    /// Queues one message; its bytes are copied.
    ///
    /// - Returns: false when the queue is full: poll, then try again.
    /// - Throws: `KafkaError` when this message or this producer cannot be used.
    public func produce(key: RawSpan, value: RawSpan?) throws(KafkaError) -> Bool {
        queued += 1
        let place = unsafe UnsafeMutableRawPointer(bitPattern: queued)
        let result = unsafe key.withUnsafeBytes { key in
            guard let value else {
                return unsafe rd_kafka_produce(
                    topic, RD_KAFKA_PARTITION_UA, 0, nil, 0, key.baseAddress, key.count, place)
            }
            return unsafe value.withUnsafeBytes { value in
                // With MSG_F_COPY librdkafka only reads the bytes, although its parameter is not const.
                unsafe rd_kafka_produce(
                    topic, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY,
                    UnsafeMutableRawPointer(mutating: value.baseAddress), value.count,
                    key.baseAddress, key.count, place)
            }
        }
        guard result != 0 else { return true }
        let code = rd_kafka_last_error()
        if code == RD_KAFKA_RESP_ERR__QUEUE_FULL { return false }
        let error = KafkaError(code, unableTo: "queue a message", isRetriable: false)
        guard error.code == .messageTooLarge, context.returned != nil else { throw error }
        context.returned?.append(
            Returned(
                key: unsafe key.withUnsafeBytes { unsafe [UInt8]($0) },
                value: unsafe value?.withUnsafeBytes { unsafe [UInt8]($0) }, error: error, place: queued))
        return true
    }

    /// Queues a message that came back, from this producer or another one.
    ///
    /// - Returns: false when the queue is full: poll, then try again.
    /// - Throws: `KafkaError` when this message or this producer cannot be used.
    public func produce(again message: Returned) throws(KafkaError) -> Bool {
        let key = message.key ?? []
        guard let value = message.value else { return try unsafe produce(key: key.span.bytes, value: nil) }
        return try unsafe produce(key: key.span.bytes, value: value.span.bytes)
    }

    /// Queues one message with headers; its bytes are copied. A key or value that is nil is sent as null.
    ///
    /// - Parameter number: comes back in its report.
    /// - Returns: false when the queue is full: poll, then try again.
    /// - Throws: `KafkaError` when this message or this producer cannot be used.
    public func produce(
        key: [UInt8]?, value: [UInt8]?, headers: [KafkaMessage.Header], number: Int = 0
    ) throws(KafkaError) -> Bool {
        let list = unsafe rd_kafka_headers_new(headers.count)
        for header in headers {
            unsafe rd_kafka_header_add(list, header.name, -1, header.value, header.value?.count ?? 0)
        }
        let code = unsafe withBytes(of: key) { key in
            unsafe withBytes(of: value) { value in
                unsafe heartbeat_produce_with_headers(
                    handle, topic, key.baseAddress, key.count, value.baseAddress, value.count, list,
                    UnsafeMutableRawPointer(bitPattern: number))
            }
        }
        guard code != RD_KAFKA_RESP_ERR_NO_ERROR else { return true }
        unsafe rd_kafka_headers_destroy(list)  // taken over only when the message was queued
        if code == RD_KAFKA_RESP_ERR__QUEUE_FULL { return false }
        throw KafkaError(code, unableTo: "queue a message", isRetriable: false)
    }

    /// Counts what was delivered meanwhile; waits for the first for a limited time, in milliseconds.
    @discardableResult
    public func poll(milliseconds: Int32) -> Int { Int(unsafe rd_kafka_poll(handle, milliseconds)) }

    /// Waits until everything queued is delivered or given up, for a limited time, in milliseconds.
    ///
    /// - Returns: how many messages still wait.
    public func flush(milliseconds: Int32) -> Int {
        unsafe rd_kafka_flush(handle, milliseconds)
        return waiting
    }
}

extension KafkaProducer.Report {
    init(_ message: rd_kafka_message_t) {
        let code = unsafe message.err
        unsafe self.init(
            number: Int(bitPattern: message._private),
            error: code == RD_KAFKA_RESP_ERR_NO_ERROR ? nil : KafkaError(code, unableTo: "deliver a message"))
    }
}

extension KafkaProducer.Returned {
    init(copying message: rd_kafka_message_t, _ error: KafkaError) {
        func bytes(_ start: UnsafeMutableRawPointer?, _ count: Int) -> [UInt8]? {
            unsafe start.map { unsafe [UInt8](UnsafeRawBufferPointer(start: $0, count: count)) }
        }
        unsafe self.init(
            key: bytes(message.key, message.key_len), value: bytes(message.payload, message.len), error: error,
            place: Int(bitPattern: message._private))
    }
}

/// Lends the bytes; a null address for nil, another one for an empty array.
private func withBytes<Result>(of bytes: [UInt8]?, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
    guard let bytes else { return unsafe body(UnsafeRawBufferPointer(start: nil, count: 0)) }
    guard !bytes.isEmpty else {
        return unsafe withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 1) {
            unsafe body(UnsafeRawBufferPointer(start: $0.baseAddress, count: 0))
        }
    }
    return unsafe bytes.withUnsafeBytes(body)
}
