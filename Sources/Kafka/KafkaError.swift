internal import CLibRdKafka

/// What librdkafka reports when it refuses, fails or gives up.
public struct KafkaError: Error, Sendable, CustomStringConvertible {
    /// librdkafka's error code; negative codes come from the client itself, the others from a broker.
    public struct Code: RawRepresentable, Hashable, Sendable {
        /// The value of `rd_kafka_resp_err_t`.
        public let rawValue: Int32

        /// A code by its number in `rd_kafka_resp_err_t`.
        public init(rawValue: Int32) { self.rawValue = rawValue }

        /// The producer's queue is full: poll, then try again.
        public static let queueFull = Code(RD_KAFKA_RESP_ERR__QUEUE_FULL)
        /// The call did not end in time.
        public static let timedOut = Code(RD_KAFKA_RESP_ERR__TIMED_OUT)
        /// No broker can be reached.
        public static let allBrokersDown = Code(RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN)
        /// A setting was refused.
        public static let invalidArgument = Code(RD_KAFKA_RESP_ERR__INVALID_ARG)
        /// The client cannot go on and has to be recreated.
        public static let fatal = Code(RD_KAFKA_RESP_ERR__FATAL)
        /// The topic is there already.
        public static let topicAlreadyExists = Code(RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS)
        /// The message is larger than the producer or the broker takes.
        public static let messageTooLarge = Code(RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE)
        /// The broker does not offer this request.
        public static let unsupportedFeature = Code(RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE)

        init(_ code: rd_kafka_resp_err_t) { rawValue = code.rawValue }
    }

    /// librdkafka's error code.
    public let code: Code
    /// What was tried, and why it failed: `unable to ACTION: CAUSE`.
    public let description: String
    /// Whether the same call can succeed later without anybody's hand.
    public let isRetriable: Bool

    /// Whether the client cannot go on and has to be recreated.
    public var isFatal: Bool { code == .fatal }

    init(_ code: rd_kafka_resp_err_t, unableTo action: String, cause: String? = nil, isRetriable: Bool = true) {
        let cause = unsafe cause ?? String(cString: rd_kafka_err2str(code))
        self.code = Code(code)
        self.description = "unable to \(action): \(cause)"
        self.isRetriable = isRetriable && code != RD_KAFKA_RESP_ERR__FATAL && code != RD_KAFKA_RESP_ERR__INVALID_ARG
    }

    /// Throws when librdkafka's answer is an error.
    static func check(_ code: rd_kafka_resp_err_t, unableTo action: @autoclosure () -> String) throws(KafkaError) {
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR else { throw KafkaError(code, unableTo: action()) }
    }
}
