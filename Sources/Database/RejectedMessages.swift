import FoundationEssentials
public import PostgreSQL

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
        connection = try PostgreSQLConnection(parameters)
        try connection.execute(
            "SET timezone = 'UTC'; SET bytea_output = 'hex'; SET lock_timeout = '10s'", unableTo: "prepare a session")
    }

    // MARK: - Looking

    /// The newest messages, newest first.
    ///
    /// - Parameters:
    ///   - limit: at most so many.
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
            """, [code, since, String(limit)])
    }

    /// The message of one row; nil when there is none.
    ///
    /// - Throws: `PostgreSQLError`.
    public func message(_ id: Int64) throws(PostgreSQLError) -> RejectedMessage? {
        try messages("WHERE id = $1", [String(id)]).first
    }

    // MARK: - Publishing again

    /// How many messages of a selection are due.
    ///
    /// - Throws: `PostgreSQLError`.
    public func census(_ selection: Selection) throws(PostgreSQLError) -> Census {
        let counts = try connection.query(
            """
            SELECT count(*) FILTER (WHERE \(Self.isDue)), count(*) FILTER (WHERE replayed_at IS NOT NULL),
                   count(*) FILTER (WHERE replayed_at IS NULL AND \(Self.isReplay))
              FROM rejected_messages WHERE \(Self.isSelected)
            """, Self.parameters(selection), unableTo: "count the rejected messages")
        let due = Int(counts.integer(0, 0) ?? 0)
        return selection.again
            ? Census(due: due, replayed: 0, refusedAgain: 0)
            : Census(due: due, replayed: Int(counts.integer(0, 1) ?? 0), refusedAgain: Int(counts.integer(0, 2) ?? 0))
    }

    /// The ids of a selection that are not in the database.
    ///
    /// - Throws: `PostgreSQLError`.
    public func unknown(_ ids: [Int64]) throws(PostgreSQLError) -> [Int64] {
        let rows = try connection.query(
            """
            SELECT id FROM unnest($1::bigint[]) AS wanted (id)
             WHERE NOT EXISTS (SELECT FROM rejected_messages r WHERE r.id = wanted.id) ORDER BY id
            """, [Self.array(ids)], unableTo: "look for rejected messages")
        return (0..<rows.count).compactMap { rows.integer($0, 0) }
    }

    /// Hands out the messages of a selection that are due, in chunks, and marks them as published.
    ///
    /// A chunk is one transaction, which holds its rows: two replays at once do not publish the same message. When
    /// `publish` throws, or when the process ends, the chunk is not marked and will be handed out again.
    ///
    /// - Parameters:
    ///   - rows: at most so many in a chunk.
    ///   - publish: returns when the messages are safe.
    /// - Returns: how many were published.
    /// - Throws: `PostgreSQLError`; what `publish` throws.
    public func replay(
        _ selection: Selection, rows: Int = 100, publish: ([RejectedMessage]) throws -> Void
    ) throws -> Int {
        var last: Int64 = 0
        var count = 0
        while true {
            try connection.execute("BEGIN", unableTo: "begin a transaction")
            do {
                let chunk = try messages(
                    "WHERE \(Self.isSelected) AND \(Self.isDue) AND id > $4 ORDER BY id LIMIT $5 FOR UPDATE SKIP LOCKED",
                    Self.parameters(selection) + [String(last), String(rows)])
                guard let end = chunk.last?.id else { break }
                try publish(chunk)
                try connection.query(
                    "UPDATE rejected_messages SET replayed_at = now() WHERE id = ANY ($1::bigint[])",
                    [Self.array(chunk.map(\.id))], unableTo: "mark \(chunk.count) messages as published")
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

    private static func parameters(_ selection: Selection) -> [String?] {
        [array(selection.ids), selection.code, selection.again ? "true" : "false"]
    }

    private static func array(_ ids: [Int64]) -> String {
        "{" + ids.map { String($0) }.joined(separator: ",") + "}"
    }

    private func messages(_ clauses: String, _ parameters: [String?]) throws(PostgreSQLError) -> [RejectedMessage] {
        func time(_ column: String) -> String { "to_char(\(column), 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')" }
        let rows = try connection.query(
            """
            SELECT id, \(time("rejected_at")), \(time("produced_at")), topic, partition, kafka_offset, key, payload,
                   headers, reason_code, reason, \(time("replayed_at"))
              FROM rejected_messages \(clauses)
            """, parameters, unableTo: "read \"rejected_messages\"")
        return (0..<rows.count).map { row in
            RejectedMessage(
                id: rows.integer(row, 0) ?? 0, rejectedAt: rows[row, 1] ?? "", producedAt: rows[row, 2],
                topic: rows[row, 3] ?? "", partition: rows.integer(row, 4) ?? 0, offset: rows.integer(row, 5) ?? 0,
                key: rows[row, 6].map(bytes), payload: rows[row, 7].map(bytes),
                headers: rows[row, 8].map(headers) ?? [], code: rows[row, 9] ?? "", reason: rows[row, 10] ?? "",
                replayedAt: rows[row, 11])
        }
    }
}

/// The bytes of a `bytea` in its form `\x0123...`.
private func bytes(_ text: String) -> [UInt8] {
    let digits = text.utf8.dropFirst(2).map { digit in
        digit < UInt8(ascii: "a") ? digit - UInt8(ascii: "0") : digit - UInt8(ascii: "a") + 10
    }
    return stride(from: 0, to: digits.count - 1, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
}

/// The headers of `[["name", "base64"], ["name", null], ...]`.
private func headers(_ json: String) -> [RejectedMessage.Header] {
    let pairs = (try? JSONDecoder().decode([[String?]].self, from: Data(json.utf8))) ?? []
    return pairs.compactMap { pair in
        guard pair.count == 2, let name = pair[0] else { return nil }
        return RejectedMessage.Header(name: name, value: pair[1].flatMap { Data(base64Encoded: $0) }.map { Array($0) })
    }
}
