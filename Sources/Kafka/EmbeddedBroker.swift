internal import CLibRdKafka

/// librdkafka's mock cluster: brokers that speak the real protocol on 127.0.0.1 and keep everything in memory.
///
/// For the demo and for tests, in a process of its own: it can abort the process that it runs in. It keeps at most
/// 5 MiB a partition (the oldest messages go, silently) and has no topic administration.
///
/// `@unchecked Sendable` because librdkafka hands every call over to the cluster's own thread.
@safe public final class EmbeddedBroker: @unchecked Sendable {
    private let client: OpaquePointer
    private let cluster: OpaquePointer
    private let context: ClientContext
    private let brokers: Int32

    /// Starts brokers on free ports.
    ///
    /// - Throws: `KafkaError` when the configuration or the brokers cannot be made.
    public init(
        brokers: Int, configuration: KafkaConfiguration = KafkaConfiguration(), events: KafkaEvents = .ignored
    ) throws(KafkaError) {
        context = ClientContext(events: events)
        let settings = unsafe try configuration.makeHandle()
        unsafe context.attach(to: settings)
        let (client, cause) = unsafe withReasonBuffer { unsafe rd_kafka_new(RD_KAFKA_PRODUCER, settings, $0, $1) }
        guard let client = unsafe client else {
            unsafe rd_kafka_conf_destroy(settings)
            throw KafkaError(RD_KAFKA_RESP_ERR__INVALID_ARG, unableTo: "start an embedded broker", cause: cause)
        }
        guard let cluster = unsafe rd_kafka_mock_cluster_new(client, Int32(brokers)) else {
            unsafe rd_kafka_destroy(client)
            throw KafkaError(rd_kafka_last_error(), unableTo: "start an embedded broker")
        }
        unsafe self.client = client
        unsafe self.cluster = cluster
        self.brokers = Int32(brokers)
    }

    deinit {
        unsafe rd_kafka_mock_cluster_destroy(cluster)
        unsafe rd_kafka_destroy(client)
        withExtendedLifetime(context) {}
    }

    /// The brokers' addresses, as `bootstrap.servers` takes them.
    public var bootstrapServers: String { unsafe String(cString: rd_kafka_mock_cluster_bootstraps(cluster)) }

    /// Makes a topic.
    public func createTopic(_ name: String, partitions: Int, replicationFactor: Int = 1) throws(KafkaError) {
        try KafkaError.check(
            unsafe rd_kafka_mock_topic_create(cluster, name, Int32(partitions), Int32(replicationFactor)),
            unableTo: "create topic \"\(name)\"")
    }

    /// Answers the next requests of a kind with an error, as a broker does that refuses them.
    ///
    /// - Parameters:
    ///   - requests: the kind's number in Kafka's protocol: 0 for produce, 10 for the group's coordinator.
    ///   - code: the error's number in the protocol.
    public func refuse(_ requests: Int16, with code: KafkaError.Code, times: Int) {
        let errors = [rd_kafka_resp_err_t](repeating: rd_kafka_resp_err_t(code.rawValue), count: times)
        unsafe rd_kafka_mock_push_request_errors_array(cluster, requests, times, errors)
    }

    /// Answers requests of a kind as usual again.
    public func serve(_ requests: Int16) { unsafe rd_kafka_mock_clear_request_errors(cluster, requests) }

    /// Answers questions for the topic with an error; code 0 ends that.
    public func setError(_ code: KafkaError.Code, of topic: String) {
        unsafe rd_kafka_mock_topic_set_error(cluster, topic, rd_kafka_resp_err_t(code.rawValue))
    }

    /// Takes all brokers down, or up again: connections are closed and refused while they are down.
    public func setDown(_ isDown: Bool) throws(KafkaError) {
        for broker in 1...brokers {
            let code =
                unsafe isDown
                ? rd_kafka_mock_broker_set_down(cluster, broker) : rd_kafka_mock_broker_set_up(cluster, broker)
            try KafkaError.check(code, unableTo: "take broker \(broker) \(isDown ? "down" : "up")")
        }
    }
}
