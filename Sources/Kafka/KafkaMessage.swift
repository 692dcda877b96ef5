internal import CLibRdKafka

/// One message as librdkafka lends it: its bytes live as long as this value.
@safe public struct KafkaMessage: ~Copyable {
    /// One header; a header may carry no value.
    public struct Header: Hashable, Sendable {
        /// The header's name.
        public let name: String
        /// The header's bytes.
        public let value: [UInt8]?

        /// A header with its bytes.
        public init(name: String, value: [UInt8]?) {
            self.name = name
            self.value = value
        }
    }

    private let handle: UnsafeMutablePointer<rd_kafka_message_t>

    /// Takes the message over.
    init(consuming handle: UnsafeMutablePointer<rd_kafka_message_t>) { unsafe self.handle = handle }

    deinit { unsafe rd_kafka_message_destroy(handle) }

    /// The number of the partition that it came from.
    public var partition: Int32 { unsafe handle.pointee.partition }

    /// Its place in the partition; there is a place after it, too.
    public var offset: Int64 { unsafe handle.pointee.offset }

    /// The number of the broker that it was fetched from.
    public var broker: Int32 { unsafe rd_kafka_message_broker_id(handle) }

    /// The topic that it came from. Allocates; not for every message.
    public var topic: String {
        guard let name = unsafe rd_kafka_topic_name(handle.pointee.rkt) else { return "" }
        return unsafe String(cString: name)
    }

    /// When it was created or appended, in milliseconds since 1970; nil when the broker does not say.
    public var timestamp: Int64? {
        var kind = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE
        let milliseconds = unsafe rd_kafka_message_timestamp(handle, &kind)
        return kind == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE ? nil : milliseconds
    }

    /// The value's bytes; nil for a tombstone.
    public var payload: RawSpan? {
        @_lifetime(borrow self) get {
            guard let start = unsafe handle.pointee.payload else { return nil }
            let span = unsafe RawSpan(_unsafeStart: start, byteCount: handle.pointee.len)
            return unsafe _overrideLifetime(span, borrowing: self)
        }
    }

    /// A copy of the value's bytes; nil for a tombstone.
    public var payloadBytes: [UInt8]? {
        guard let start = unsafe handle.pointee.payload else { return nil }
        return unsafe [UInt8](UnsafeRawBufferPointer(start: start, count: handle.pointee.len))
    }

    /// The key's bytes; nil when it has none.
    public var key: RawSpan? {
        @_lifetime(borrow self) get {
            guard let start = unsafe handle.pointee.key else { return nil }
            let span = unsafe RawSpan(_unsafeStart: start, byteCount: handle.pointee.key_len)
            return unsafe _overrideLifetime(span, borrowing: self)
        }
    }

    /// The headers in their order. Allocates; not for every message.
    public var headers: [Header] {
        var list: OpaquePointer?
        guard unsafe rd_kafka_message_headers(handle, &list) == RD_KAFKA_RESP_ERR_NO_ERROR else { return [] }
        var headers: [Header] = []
        var name: UnsafePointer<CChar>?
        var value: UnsafeRawPointer?
        var size = 0
        // The names and values belong to the message: they are copied out.
        while unsafe rd_kafka_header_get_all(list, headers.count, &name, &value, &size)
            == RD_KAFKA_RESP_ERR_NO_ERROR, let found = unsafe name
        {
            let bytes = unsafe value.map { unsafe [UInt8](UnsafeRawBufferPointer(start: $0, count: size)) }
            unsafe headers.append(Header(name: String(cString: found), value: bytes))
        }
        return headers
    }

    /// Whether it has a header of this name. Allocates nothing when it has no headers at all.
    public func hasHeader(_ name: StaticString) -> Bool {
        var list: OpaquePointer?
        guard unsafe rd_kafka_message_headers(handle, &list) == RD_KAFKA_RESP_ERR_NO_ERROR else { return false }
        var value: UnsafeRawPointer?
        var size = 0
        return unsafe rd_kafka_header_get_last(list, name.utf8Start, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR
    }
}
