internal import CLibRdKafka

/// Questions to the cluster, asked through a producer's or a consumer's client.
@safe public struct KafkaCluster {
    /// What the cluster says of one topic.
    public struct Topic: Sendable, Equatable {
        /// How many partitions it has.
        public let partitions: Int
        /// How many copies the first partition has.
        public let replicationFactor: Int

        /// A topic with these numbers of partitions and copies.
        public init(partitions: Int, replicationFactor: Int) {
            self.partitions = partitions
            self.replicationFactor = replicationFactor
        }
    }

    private let client: OpaquePointer
    private let owner: AnyObject  // keeps the client alive

    init(client: OpaquePointer, owner: AnyObject) {
        unsafe self.client = client
        self.owner = owner
    }

    /// The cluster's id; nil when no broker answers in time.
    public func id(withinMilliseconds timeout: Int32) -> String? {
        defer { withExtendedLifetime(owner) {} }
        guard let id = unsafe rd_kafka_clusterid(client, timeout) else { return nil }
        defer { unsafe rd_kafka_mem_free(client, id) }
        return unsafe String(cString: id)
    }

    /// The topic as the cluster knows it; nil when there is none. A broker that creates topics on demand may make it.
    public func topic(_ name: String, withinMilliseconds timeout: Int32) throws(KafkaError) -> Topic? {
        defer { withExtendedLifetime(owner) {} }
        let handle = unsafe rd_kafka_topic_new(client, name, nil)
        defer { unsafe rd_kafka_topic_destroy(handle) }
        var metadata: UnsafePointer<rd_kafka_metadata>?
        let code = unsafe rd_kafka_metadata(client, 0, handle, &metadata, timeout)
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR else {
            // "Broker transport failure" stands for "no broker was connected in time", too.
            let isWithoutAnswer = code == RD_KAFKA_RESP_ERR__TRANSPORT || code == RD_KAFKA_RESP_ERR__TIMED_OUT
            throw KafkaError(
                code, unableTo: "look topic \"\(name)\" up",
                cause: isWithoutAnswer ? "no answer within \(timeout) ms" : nil)
        }
        defer { unsafe rd_kafka_metadata_destroy(metadata) }
        guard let metadata = unsafe metadata, unsafe metadata.pointee.topic_cnt == 1 else { return nil }
        let topic = unsafe metadata.pointee.topics[0]
        let isMissing =
            unsafe topic.err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART
            || topic.err == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC
            || (topic.err == RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE && topic.partition_cnt == 0)
        if isMissing { return nil }
        try KafkaError.check(unsafe topic.err, unableTo: "look topic \"\(name)\" up")
        guard unsafe topic.partition_cnt > 0 else { return nil }
        return unsafe Topic(
            partitions: Int(topic.partition_cnt), replicationFactor: Int(topic.partitions[0].replica_cnt))
    }

    /// Makes a topic by the admin interface.
    ///
    /// - Throws: `KafkaError` with `.topicAlreadyExists` when somebody was faster, `.timedOut` or
    ///   `.unsupportedFeature` when the broker has no admin interface.
    public func createTopic(_ name: String, as topic: Topic, withinMilliseconds timeout: Int32) throws(KafkaError) {
        defer { withExtendedLifetime(owner) {} }
        let action = "create topic \"\(name)\""
        let (request, cause) = unsafe withReasonBuffer {
            unsafe rd_kafka_NewTopic_new(name, Int32(topic.partitions), Int32(topic.replicationFactor), $0, $1)
        }
        guard var request = unsafe request else {
            throw KafkaError(RD_KAFKA_RESP_ERR__INVALID_ARG, unableTo: action, cause: cause)
        }
        defer { unsafe rd_kafka_NewTopic_destroy(request) }
        let answer = unsafe administer(RD_KAFKA_ADMIN_OP_CREATETOPICS, withinMilliseconds: timeout) { options, queue in
            unsafe withUnsafeMutablePointer(to: &request) { topics in
                // rd_kafka_CreateTopics takes an array of optional pointers and copies what it needs.
                unsafe topics.withMemoryRebound(to: OpaquePointer?.self, capacity: 1) {
                    unsafe rd_kafka_CreateTopics(client, $0, 1, options, queue)
                }
            }
        }
        guard let event = unsafe answer else { throw KafkaError(RD_KAFKA_RESP_ERR__TIMED_OUT, unableTo: action) }
        defer { unsafe rd_kafka_event_destroy(event) }
        try unsafe Self.check(creation: event, unableTo: action)
    }

    /// Deletes a topic by the admin interface. The cluster does so in its own time.
    ///
    /// - Throws: `KafkaError`, also when there is no such topic or this client may not.
    public func deleteTopic(_ name: String, withinMilliseconds timeout: Int32) throws(KafkaError) {
        defer { withExtendedLifetime(owner) {} }
        let action = "delete topic \"\(name)\""
        var request = unsafe rd_kafka_DeleteTopic_new(name)
        defer { unsafe rd_kafka_DeleteTopic_destroy(request) }
        let answer = unsafe administer(RD_KAFKA_ADMIN_OP_DELETETOPICS, withinMilliseconds: timeout) {
            unsafe rd_kafka_DeleteTopics(client, &request, 1, $0, $1)
        }
        guard let event = unsafe answer else { throw KafkaError(RD_KAFKA_RESP_ERR__TIMED_OUT, unableTo: action) }
        defer { unsafe rd_kafka_event_destroy(event) }
        try KafkaError.check(unsafe rd_kafka_event_error(event), unableTo: action)
        var count = 0
        guard let result = unsafe rd_kafka_event_DeleteTopics_result(event),
            let topics = unsafe rd_kafka_DeleteTopics_result_topics(result, &count), count == 1
        else { throw KafkaError(RD_KAFKA_RESP_ERR__BAD_MSG, unableTo: action) }
        try KafkaError.check(unsafe rd_kafka_topic_result_error(topics[0]), unableTo: action)
    }

    /// Deletes what the cluster keeps of a consumer group that has no members any more.
    ///
    /// - Throws: `KafkaError`, also when there is no such group or this client may not.
    public func deleteGroup(_ name: String, withinMilliseconds timeout: Int32) throws(KafkaError) {
        defer { withExtendedLifetime(owner) {} }
        let action = "delete group \"\(name)\""
        var request = unsafe rd_kafka_DeleteGroup_new(name)
        defer { unsafe rd_kafka_DeleteGroup_destroy(request) }
        let answer = unsafe administer(RD_KAFKA_ADMIN_OP_DELETEGROUPS, withinMilliseconds: timeout) {
            unsafe rd_kafka_DeleteGroups(client, &request, 1, $0, $1)
        }
        guard let event = unsafe answer else { throw KafkaError(RD_KAFKA_RESP_ERR__TIMED_OUT, unableTo: action) }
        defer { unsafe rd_kafka_event_destroy(event) }
        try KafkaError.check(unsafe rd_kafka_event_error(event), unableTo: action)
        var count = 0
        guard let result = unsafe rd_kafka_event_DeleteGroups_result(event),
            let groups = unsafe rd_kafka_DeleteGroups_result_groups(result, &count), count == 1
        else { throw KafkaError(RD_KAFKA_RESP_ERR__BAD_MSG, unableTo: action) }
        // NULL for no error.
        guard let error = unsafe rd_kafka_group_result_error(groups[0]) else { return }
        try KafkaError.check(unsafe rd_kafka_error_code(error), unableTo: action)
    }

    /// How many brokers the cluster has now.
    public func brokerCount(withinMilliseconds timeout: Int32) throws(KafkaError) -> Int {
        defer { withExtendedLifetime(owner) {} }
        var metadata: UnsafePointer<rd_kafka_metadata>?
        try KafkaError.check(
            unsafe rd_kafka_metadata(client, 0, nil, &metadata, timeout), unableTo: "ask for the brokers")
        defer { unsafe rd_kafka_metadata_destroy(metadata) }
        return unsafe metadata.map { unsafe Int($0.pointee.broker_cnt) } ?? 0
    }

    /// The number of a broker that answers.
    private func anyBroker(withinMilliseconds timeout: Int32) throws(KafkaError) -> Int32 {
        var metadata: UnsafePointer<rd_kafka_metadata>?
        try KafkaError.check(
            unsafe rd_kafka_metadata(client, 0, nil, &metadata, timeout), unableTo: "ask for the brokers")
        defer { unsafe rd_kafka_metadata_destroy(metadata) }
        guard let metadata = unsafe metadata?.pointee, unsafe metadata.broker_cnt > 0 else { return -1 }
        return unsafe metadata.orig_broker_id >= 0 ? metadata.orig_broker_id : metadata.brokers[0].id
    }

    /// Sends a request by the admin interface; the answer belongs to the caller, nil when there is none in time.
    @unsafe private func administer(
        _ operation: rd_kafka_admin_op_t, withinMilliseconds timeout: Int32,
        _ send: (_ options: OpaquePointer?, _ queue: OpaquePointer?) -> Void
    ) -> OpaquePointer? {
        let options = unsafe rd_kafka_AdminOptions_new(client, operation)
        defer { unsafe rd_kafka_AdminOptions_destroy(options) }
        _ = unsafe withReasonBuffer { unsafe rd_kafka_AdminOptions_set_request_timeout(options, timeout, $0, $1) }
        let queue = unsafe rd_kafka_queue_new(client)
        defer { unsafe rd_kafka_queue_destroy(queue) }
        unsafe send(options, queue)
        return unsafe rd_kafka_queue_poll(queue, timeout + 1000)
    }

    @unsafe private static func check(creation event: OpaquePointer, unableTo action: String) throws(KafkaError) {
        try KafkaError.check(unsafe rd_kafka_event_error(event), unableTo: action)
        var count = 0
        guard let result = unsafe rd_kafka_event_CreateTopics_result(event),
            let topics = unsafe rd_kafka_CreateTopics_result_topics(result, &count), count == 1
        else { throw KafkaError(RD_KAFKA_RESP_ERR__BAD_MSG, unableTo: action) }
        let code = unsafe rd_kafka_topic_result_error(topics[0])
        guard code != RD_KAFKA_RESP_ERR_NO_ERROR else { return }
        let cause = unsafe rd_kafka_topic_result_error_string(topics[0]).map { unsafe String(cString: $0) }
        throw KafkaError(code, unableTo: action, cause: cause)
    }

    /// The largest batch that a topic takes, in bytes: its `max.message.bytes`. Asked by the admin interface.
    ///
    /// - Throws: `KafkaError` when this client may not ask, or when the broker has no admin interface.
    public func largestBatch(of topic: String, withinMilliseconds timeout: Int32) throws(KafkaError) -> Int {
        let name = "max.message.bytes"
        let settings = try settings(of: topic, withinMilliseconds: timeout)
        guard let bytes = settings[name].flatMap({ Int($0) }) else {
            throw KafkaError(RD_KAFKA_RESP_ERR__BAD_MSG, unableTo: "ask for \(name) of topic \"\(topic)\"")
        }
        return bytes
    }

    /// A topic's settings by Kafka's names, its defaults included. Asked by the admin interface.
    ///
    /// - Throws: `KafkaError` when this client may not ask, or when the broker has no admin interface.
    public func settings(of topic: String, withinMilliseconds timeout: Int32) throws(KafkaError) -> [String: String] {
        defer { withExtendedLifetime(owner) {} }
        let action = "ask for the settings of topic \"\(topic)\""
        // The default is the controller, which the embedded broker does not have: that would wait for the timeout.
        let broker = try anyBroker(withinMilliseconds: timeout)
        var request = unsafe rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic)
        defer { unsafe rd_kafka_ConfigResource_destroy(request) }
        let answer = unsafe administer(RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS, withinMilliseconds: timeout) {
            options, queue in
            _ = unsafe withReasonBuffer { unsafe rd_kafka_AdminOptions_set_broker(options, broker, $0, $1) }
            unsafe rd_kafka_DescribeConfigs(client, &request, 1, options, queue)
        }
        guard let event = unsafe answer else { throw KafkaError(RD_KAFKA_RESP_ERR__TIMED_OUT, unableTo: action) }
        defer { unsafe rd_kafka_event_destroy(event) }
        try KafkaError.check(unsafe rd_kafka_event_error(event), unableTo: action)
        var count = 0
        guard let result = unsafe rd_kafka_event_DescribeConfigs_result(event),
            let resources = unsafe rd_kafka_DescribeConfigs_result_resources(result, &count), count == 1
        else { throw KafkaError(RD_KAFKA_RESP_ERR__BAD_MSG, unableTo: action) }
        try KafkaError.check(unsafe rd_kafka_ConfigResource_error(resources[0]), unableTo: action)
        let entries = unsafe rd_kafka_ConfigResource_configs(resources[0], &count)
        var settings: [String: String] = [:]
        for index in 0..<count {
            guard let entry = unsafe entries?[index], let name = unsafe rd_kafka_ConfigEntry_name(entry),
                let value = unsafe rd_kafka_ConfigEntry_value(entry)
            else { continue }
            unsafe settings[String(cString: name)] = unsafe String(cString: value)
        }
        return settings
    }

    /// Whether any member of a group has partitions; nil while the group is being assigned.
    public func hasReaders(group: String, withinMilliseconds timeout: Int32) throws(KafkaError) -> Bool? {
        defer { withExtendedLifetime(owner) {} }
        let action = "ask who reads in group \"\(group)\""
        var list: UnsafePointer<rd_kafka_group_list>?
        try KafkaError.check(unsafe rd_kafka_list_groups(client, group, &list, timeout), unableTo: action)
        defer { unsafe rd_kafka_group_list_destroy(list) }
        guard let list = unsafe list?.pointee, unsafe list.group_cnt == 1 else { return nil }
        let found = unsafe list.groups[0]
        try KafkaError.check(unsafe found.err, unableTo: action)
        guard unsafe found.state.map({ unsafe String(cString: $0) }) == "Stable" else { return nil }
        return (0..<Int(unsafe found.member_cnt)).contains { unsafe Self.hasPartitions(found.members[$0]) }
    }

    /// An assignment starts with its version, of two bytes, and the number of its topics, of four.
    @unsafe private static func hasPartitions(_ member: rd_kafka_group_member_info) -> Bool {
        guard let start = unsafe member.member_assignment, unsafe member.member_assignment_size >= 6 else {
            return false
        }
        return unsafe UnsafeRawBufferPointer(start: start, count: 6).dropFirst(2).contains { $0 != 0 }
    }

    /// The oldest offset of a partition and the one past its newest, asked from its leader.
    public func watermarks(
        of partition: TopicPartition, withinMilliseconds timeout: Int32
    ) throws(KafkaError) -> Watermarks {
        defer { withExtendedLifetime(owner) {} }
        var low: Int64 = 0
        var high: Int64 = 0
        try KafkaError.check(
            unsafe rd_kafka_query_watermark_offsets(
                client, partition.topic, partition.partition, &low, &high, timeout),
            unableTo: "ask for the watermarks of \(partition)")
        return Watermarks(low: low, high: high)
    }

    /// Where logs start or end, asked from their leaders. Unlike `watermarks` it keeps its timeout in librdkafka 2.0.2.
    public func watermarks(
        of partitions: [TopicPartition], withinMilliseconds timeout: Int32
    ) throws(KafkaError) -> [TopicPartition: Watermarks] {
        let lows = try offsets(of: partitions, at: Int64(RD_KAFKA_OFFSET_BEGINNING), withinMilliseconds: timeout)
        let highs = try offsets(of: partitions, at: Int64(RD_KAFKA_OFFSET_END), withinMilliseconds: timeout)
        var found: [TopicPartition: Watermarks] = [:]
        for partition in partitions {
            if let low = lows[partition], let high = highs[partition] {
                found[partition] = Watermarks(low: low, high: high)
            }
        }
        return found
    }

    private func offsets(
        of partitions: [TopicPartition], at time: Int64, withinMilliseconds timeout: Int32
    ) throws(KafkaError) -> [TopicPartition: Int64] {
        defer { withExtendedLifetime(owner) {} }
        let list = PartitionList(partitions.map { PartitionOffset(partition: $0, offset: time) })
        try KafkaError.check(
            unsafe rd_kafka_offsets_for_times(client, list.handle, timeout),
            unableTo: "ask where the logs start and end")
        var found: [TopicPartition: Int64] = [:]
        for entry in list.offsets { found[entry.partition] = entry.offset }
        return found
    }
}
