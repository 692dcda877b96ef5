import Foundation

extension FaultyBroker {
    // MARK: - The topic

    /// Deletes the topic.
    package func deleteTopic() async throws { try await ask("delete", ["topic": topic]) }

    /// Creates the topic, as another one than before.
    package func createTopic(partitions: Int? = nil) async throws {
        try await ask("create", ["topic": topic, "partitions": partitions ?? self.partitions])
    }

    /// Has the next leader of a group, who asks for the topic to assign it, hear that it is unknown: the group then gives its
    /// partitions to nobody.
    ///
    /// - Parameter deleting: whether it is deleted at that moment.
    package func hideFromNextAssignment(deleting: Bool = false) async throws {
        try await ask("hide", ["topic": topic, "delete": deleting])
    }

    /// Gives the topic more partitions.
    package func addPartitions(upTo count: Int) async throws {
        try await ask("grow", ["topic": topic, "partitions": count])
    }

    /// Changes a setting of the topic, such as `max.message.bytes`.
    package func set(_ name: String, to value: String) async throws {
        try await ask("set", ["topic": topic, "name": name, "value": value])
    }

    /// Creates the topic with messages in it before any client sees it.
    package func createTopic(writing batches: [(partition: Int, messages: [Message])]) async throws {
        try await ask(
            [("create", ["topic": topic, "partitions": partitions])]
                + batches.map { ("write", batch($0.messages, to: $0.partition)) })
    }

    // MARK: - Logs

    /// Has an empty log begin at an offset.
    package func begin(_ partition: Int = 0, at offset: Int64) async throws {
        try await ask("begin", place(partition).merging(["offset": offset]) { $1 })
    }

    /// How a transaction ends.
    package enum End: String, Sendable { case commit, abort, open }

    /// What was written in one batch.
    package struct Written: Sendable {
        package let offsets: ClosedRange<Int64>
        /// The producer of a transaction.
        package let producer: Int64?
    }

    /// Cuts a partition's log off, as a power cut does: before the batch with an offset. The leader comes back at once.
    ///
    /// - Returns: the new end of the log.
    @discardableResult
    package func truncate(_ partition: Int = 0, at offset: Int64) async throws -> Int64 {
        try await ask("truncate", place(partition).merging(["offset": offset]) { $1 }).high ?? 0
    }

    /// The same, and the log grows again before any client is back.
    package func truncate(_ partition: Int = 0, at offset: Int64, thenWriting batches: [[Message]]) async throws {
        try await ask(
            [("truncate", place(partition).merging(["offset": offset]) { $1 })]
                + batches.map { ("write", batch($0, to: partition)) })
    }

    /// Writes messages, and deletes those before an offset, as retention does, before anybody has fetched them.
    package func write(batches: [[Message]], to partition: Int = 0, deletingBefore offset: Int64) async throws {
        try await ask(
            batches.map { ("write", batch($0, to: partition)) }
                + [("delete_records", place(partition).merging(["offset": offset]) { $1 })])
    }

    /// Writes messages as one batch; with an end as a transaction, which takes one offset more when it is not open.
    @discardableResult
    package func write(
        _ messages: [Message], to partition: Int = 0, end: End? = nil, timestamp: Int64? = nil
    ) async throws -> Written {
        let answer = try await ask("write", batch(messages, to: partition, end: end, timestamp: timestamp))
        guard let first = answer.first, let last = answer.last else { throw HarnessError("no offsets") }
        return Written(offsets: first...last, producer: answer.producer)
    }

    /// Writes many batches, one after the other.
    package func write(batches: [[Message]], to partition: Int = 0) async throws {
        try await ask(batches.map { ("write", batch($0, to: partition)) })
    }

    /// Writes many transactions, one after the other.
    package func write(transactions: [(messages: [Message], end: End)], to partition: Int = 0) async throws {
        try await ask(transactions.map { ("write", batch($0.messages, to: partition, end: $0.end)) })
    }

    /// Ends an open transaction.
    package func finish(_ producer: Int64, in partition: Int = 0, _ end: End) async throws {
        try await ask(
            "finish", place(partition).merging(["producer": producer, "end": end.rawValue]) { $1 })
    }

    /// Removes single messages, as compaction does.
    package func compact(_ partition: Int = 0, removing offsets: [Int64]) async throws {
        try await ask("compact", place(partition).merging(["offsets": offsets]) { $1 })
    }

    private func place(_ partition: Int) -> [String: Any] { ["topic": topic, "partition": partition] }

    private func batch(
        _ messages: [Message], to partition: Int, end: End? = nil, timestamp: Int64? = nil
    ) -> [String: Any] {
        func text(_ bytes: [UInt8]?) -> Any { bytes.map { Data($0).base64EncodedString() } ?? NSNull() }
        var arguments = place(partition)
        arguments["messages"] = messages.map { [timestamp ?? NSNull() as Any, text($0.key), text($0.value)] }
        arguments["end"] = end?.rawValue
        return arguments
    }

    // MARK: - Brokers

    /// What a broker does with connections.
    package enum BrokerState: String, Sendable {
        case up
        /// Closes and refuses them.
        case down
        /// Accepts them, reads, and never answers.
        case silent
        /// As if packets to it were dropped: connections are neither made nor refused, and nothing is answered.
        case unreachable
    }

    /// - Parameter moving: whether other brokers take over what it leads, and the groups.
    package func setBroker(_ number: Int, _ state: BrokerState, moving: Bool = false) async throws {
        try await ask("broker", ["number": number, "state": state.rawValue, "move": moving])
    }

    /// Makes a broker the leader of a partition.
    package func moveLeader(of partition: Int, to broker: Int) async throws {
        try await ask("move", place(partition).merging(["leader": broker]) { $1 })
    }

    /// Makes a broker the coordinator of all groups.
    package func moveCoordinator(to broker: Int) async throws { try await ask("coordinator", ["number": broker]) }

    /// The kinds of requests that a broker leaves without an answer, such as `fetch` and `list_offsets`; none ends that.
    package func mute(_ broker: Int, _ requests: [String]) async throws {
        try await ask("mute", ["number": broker, "requests": requests])
    }

    // MARK: - Rights

    /// A right that all clients have.
    package enum Right: String, Sendable {
        case topicRead = "topic read"
        case topicWrite = "topic write"
        case topicDescribe = "topic describe"
        case topicCreate = "topic create"
        case groupRead = "group read"
        case idempotentWrite = "cluster idempotent write"
    }

    package func deny(_ right: Right) async throws { try await ask("deny", ["right": right.rawValue]) }
    package func allow(_ right: Right) async throws { try await ask("allow", ["right": right.rawValue]) }

    /// Changes a user's password; connections that are there stay.
    package func setPassword(of user: User) async throws {
        try await ask("password", ["user": user.name, "password": user.password])
    }
}
