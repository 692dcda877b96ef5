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
        /// The topic or partition is not known to the broker.
        public static let unknownTopicOrPartition = Code(RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART)
        /// The offset that was asked for is not in the log, and `auto.offset.reset` is `error`.
        public static let autoOffsetReset = Code(RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET)
        /// The offset that was asked for is not in the log.
        public static let offsetOutOfRange = Code(RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE)
        /// The topic is there already.
        public static let topicAlreadyExists = Code(RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS)
        /// The message is larger than the producer or the broker takes.
        public static let messageTooLarge = Code(RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE)
        /// A message was refused, and the ones after it wait, as `enable.gapless.guarantee` has it.
        public static let gap = Code(RD_KAFKA_RESP_ERR__GAPLESS_GUARANTEE)
        /// A broker does not accept this client's name or password, or asks for none.
        public static let authentication = Code(RD_KAFKA_RESP_ERR__AUTHENTICATION)
        /// The TLS connection to a broker fails, as with a certificate that is not trusted.
        public static let tls = Code(RD_KAFKA_RESP_ERR__SSL)
        /// A right to the topic is missing.
        public static let topicAuthorizationFailed = Code(RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED)
        /// The broker does not offer this request.
        public static let unsupportedFeature = Code(RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE)

        /// Whether it is a broker's answer, rather than the client's own finding.
        public var isAnswer: Bool { rawValue > 0 }

        /// Whether a broker refuses the client, rather than being unable to do something.
        public var isRefusal: Bool { Self.refusals.contains(self) }

        /// What a broker or TLS refuses to this client, rather than being unable to do.
        static let refusals: Set<Code> = [
            authentication, tls, topicAuthorizationFailed, Code(RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED),
            Code(RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED),
            Code(RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED),
            Code(RD_KAFKA_RESP_ERR_DELEGATION_TOKEN_AUTHORIZATION_FAILED),
            Code(RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED), Code(RD_KAFKA_RESP_ERR_UNSUPPORTED_SASL_MECHANISM),
            Code(RD_KAFKA_RESP_ERR_ILLEGAL_SASL_STATE), Code(RD_KAFKA_RESP_ERR_POLICY_VIOLATION),
        ]

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

    /// Whether it only says that no broker has answered.
    public var isWithoutAnswer: Bool {
        [Code(RD_KAFKA_RESP_ERR__TRANSPORT), .timedOut, .allBrokersDown].contains(code)
    }

    /// Whether the topic, or the partition, is not there.
    public var isTopicMissing: Bool {
        [
            .unknownTopicOrPartition, Code(RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC),
            Code(RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION),
        ].contains(code)
    }

    /// Whether a broker refuses this client: a password, a certificate or a right has to be changed by a person.
    public var isRefusal: Bool { code.isRefusal }

    init(_ code: rd_kafka_resp_err_t, unableTo action: String, cause: String? = nil, isRetriable: Bool = true) {
        let cause = unsafe cause ?? String(cString: rd_kafka_err2str(code))
        self.code = Code(code)
        self.description = "unable to \(action): \(cause)"
        self.isRetriable =
            isRetriable && code != RD_KAFKA_RESP_ERR__FATAL && code != RD_KAFKA_RESP_ERR__INVALID_ARG
            && !Code.refusals.contains(self.code)
    }

    /// The error of whoever has waited long enough.
    public static func timedOut(unableTo action: String) -> KafkaError {
        KafkaError(RD_KAFKA_RESP_ERR__TIMED_OUT, unableTo: action)
    }

    /// Throws when librdkafka's answer is an error.
    static func check(_ code: rd_kafka_resp_err_t, unableTo action: @autoclosure () -> String) throws(KafkaError) {
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR else { throw KafkaError(code, unableTo: action()) }
    }
}
