import FoundationEssentials
public import PostgreSQL
import Schema

/// A message that was refused, as `rejected_messages` keeps it.
public struct RejectedMessage: Sendable {
    /// A header; its value can be null.
    public struct Header: Sendable, Equatable {
        /// The name.
        public let name: String
        /// The bytes; nil for null.
        public let value: [UInt8]?
    }

    /// The row.
    public let id: Int64
    /// When it was refused, in UTC, as `2026-11-22T10:00:00Z`.
    public let rejectedAt: String
    /// The time stamp that Kafka keeps with it, in the same form; nil when it has none.
    public let producedAt: String?
    /// Where it stands in Kafka: the topic,
    public let topic: String
    /// the partition,
    public let partition: Int64
    /// and the offset.
    public let offset: Int64
    /// The key's bytes; nil for null.
    public let key: [UInt8]?
    /// The payload's bytes; nil for a tombstone.
    public let payload: [UInt8]?
    /// In their order.
    public let headers: [Header]
    /// The kind of reason.
    public let code: String
    /// What is wrong with it.
    public let reason: String
    /// When it was last published again, in the same form; nil when it was not.
    public let replayedAt: String?
}

/// The rejected messages in the database.
public struct RejectedMessages {
    /// Which messages to publish again.
    public struct Selection: Sendable {
        /// These rows; all when there is none.
        public var ids: [Int64]
        /// Those with this reason; nil for any.
        public var code: String?
        /// Also those that were published again before, or are themselves such a message.
        public var again: Bool

        /// A selection.
        public init(ids: [Int64], code: String?, again: Bool) {
            self.ids = ids
            self.code = code
            self.again = again
        }
    }

    /// How many messages of a selection are to be published and how many are not.
    public struct Census: Sendable, Equatable {
        /// To be published.
        public let due: Int
        /// Published again before.
        public let replayed: Int
        /// Themselves a message that was published again, and refused again.
        public let refusedAgain: Int
    }

    /// The header that says which message one was published again from, as `TOPIC/PARTITION/OFFSET`.
    public static let replayHeader = "heartbeat-replay-of"

    private let connection: PostgreSQLConnection

    /// Opens a session.
    ///
    /// - Throws: `PostgreSQLError`.
    public init(_ parameters: [String: String]) throws(PostgreSQLError) {
        connection = try PostgreSQLConnection(parameters, .rejected)
    }

    // MARK: - Looking

    /// The newest messages, newest first.
    ///
    /// - Parameters:
    ///   - limit: the most messages.
    ///   - code: with this reason only.
    ///   - since: refused at this time or later; any text that PostgreSQL reads as a time.
    /// - Throws: `PostgreSQLError`.
    public func newest(
        _ limit: Int, code: String? = nil, since: String? = nil
    ) throws(PostgreSQLError) -> [RejectedMessage] {
        try messages(
            """
            WHERE ($1::text IS NULL OR reason_code = $1) AND ($2::timestamptz IS NULL OR rejected_at >= $2)
            ORDER BY id DESC LIMIT $3
            """, [code, since, limit])
    }

    /// The message of one row; nil when there is none.
    ///
    /// - Throws: `PostgreSQLError`.
    public func message(_ id: Int64) throws(PostgreSQLError) -> RejectedMessage? {
        try messages("WHERE id = $1", [id]).first
    }

    // MARK: - Publishing again

    /// How many messages of a selection are due.
    ///
    /// - Throws: `PostgreSQLError`.
    public func census(_ selection: Selection) throws(PostgreSQLError) -> Census {
        let counts = try connection.query(
            """
            SELECT count(*) FILTER (WHERE \(Self.isDue)) AS due,
                   count(*) FILTER (WHERE replayed_at IS NOT NULL AND NOT $3::boolean) AS replayed,
                   count(*) FILTER (WHERE replayed_at IS NULL AND \(Self.isReplay) AND NOT $3::boolean) AS refused_again
              FROM rejected_messages WHERE \(Self.isSelected)
            """, Self.parameters(selection), unableTo: "count the rejected messages")
        return try counts.map { row throws(PostgreSQLError) in
            Census(due: try row["due"], replayed: try row["replayed"], refusedAgain: try row["refused_again"])
        }[0]
    }

    /// The ids of a selection that are not in the database.
    ///
    /// - Throws: `PostgreSQLError`.
    public func unknown(_ ids: [Int64]) throws(PostgreSQLError) -> [Int64] {
        try connection.query(
            """
            SELECT id FROM unnest($1::bigint[]) AS wanted (id)
             WHERE NOT EXISTS (SELECT FROM rejected_messages r WHERE r.id = wanted.id) ORDER BY id
            """, [ArrayText(ids)], unableTo: "look for rejected messages"
        ).column()
    }

    /// Hands out the messages of a selection that are due, in chunks, and marks them as published.
    ///
    /// A chunk is one transaction, which holds its rows: two replays at once do not publish the same message. When
    /// `publish` throws, or when the process ends, the chunk is not marked and will be handed out again.
    ///
    /// - Parameters:
    ///   - rows: the most messages in a chunk.
    ///   - publish: returns when the messages are safe.
    /// - Returns: how many were published.
    /// - Throws: `PostgreSQLError`; what `publish` throws.
    public func replay(
        _ selection: Selection, rows: Int = 100, publish: ([RejectedMessage]) throws -> Void
    ) throws -> Int {
        var last: Int64 = 0
        var count = 0
        while true {
            try connection.execute("BEGIN", unableTo: "start a transaction")
            do {
                let chunk = try messages(
                    "WHERE \(Self.isSelected) AND \(Self.isDue) AND id > $4 ORDER BY id LIMIT $5 FOR UPDATE SKIP LOCKED",
                    Self.parameters(selection) + [last, rows])
                guard let end = chunk.last?.id else { break }
                try publish(chunk)
                try connection.query(
                    "UPDATE rejected_messages SET replayed_at = now() WHERE id = ANY ($1::bigint[])",
                    [ArrayText(chunk) { $0.id }], unableTo: "mark \(chunk.count) messages as published")
                try connection.execute("COMMIT", unableTo: "commit \(chunk.count) messages as published")
                last = end
                count += chunk.count
            } catch {
                _ = try? connection.execute("ROLLBACK", unableTo: "roll back")
                throw error
            }
        }
        try connection.execute("COMMIT", unableTo: "end a transaction")
        return count
    }

    // MARK: - Statements

    // $1 are the ids, $2 is the code, $3 says whether to publish again what was published again.
    private static let isSelected = "($1::bigint[] = '{}' OR id = ANY ($1)) AND ($2::text IS NULL OR reason_code = $2)"
    private static let isReplay = "coalesce(headers @> '[[\"\(replayHeader)\"]]', false)"
    private static let isDue = "($3::boolean OR (replayed_at IS NULL AND NOT \(isReplay)))"

    private static func parameters(_ selection: Selection) -> [any PostgreSQLParameter] {
        [ArrayText(selection.ids), selection.code, selection.again]
    }

    private func messages(
        _ clauses: String, _ parameters: [any PostgreSQLParameter]
    ) throws(PostgreSQLError) -> [RejectedMessage] {
        func time(_ column: String) -> String {
            "to_char(\(column), 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') AS \(column)_text"
        }
        return try connection.query(
            """
            SELECT id, \(time("rejected_at")), \(time("produced_at")), topic, partition, kafka_offset, key, payload,
                   headers, reason_code, reason, \(time("replayed_at"))
              FROM rejected_messages \(clauses)
            """, parameters, unableTo: "read \"rejected_messages\""
        ).map { row throws(PostgreSQLError) in
            let headers: String? = try row["headers"]
            return RejectedMessage(
                id: try row["id"], rejectedAt: try row["rejected_at_text"], producedAt: try row["produced_at_text"],
                topic: try row["topic"], partition: try row["partition"], offset: try row["kafka_offset"],
                key: try row["key"], payload: try row["payload"], headers: headers.map(messageHeaders) ?? [],
                code: try row["reason_code"], reason: try row["reason"], replayedAt: try row["replayed_at_text"])
        }
    }
}

/// The headers of `[["name", "base64"], ["name", null], ...]`.
private func messageHeaders(_ json: String) -> [RejectedMessage.Header] {
    let pairs = (try? JSONDecoder().decode([[String?]].self, from: Data(json.utf8))) ?? []
    return pairs.compactMap { pair in
        guard pair.count == 2, let name = pair[0] else { return nil }
        return RejectedMessage.Header(name: name, value: pair[1].flatMap { Data(base64Encoded: $0) }.map { Array($0) })
    }
}
