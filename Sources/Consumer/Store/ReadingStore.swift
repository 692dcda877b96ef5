import PostgreSQL
import Schema

/// The consumer's session with the database and its statements.
struct ReadingStore: ~Copyable {
    /// Where the sources of a batch stand, compared with what the batch expects.
    enum Standing: Equatable {
        /// All where the batch starts: it was not written.
        case before
        /// All where the batch ends: it was written.
        case after
        /// Others have moved these partitions on.
        case elsewhere(partitions: [Int32])
        /// These partitions are before where the batch starts, although somebody had stored what is between.
        case behind(partitions: [Int32])
    }

    /// SQLSTATE of `advance_offsets` when another consumer has moved a source on.
    static let fenced = SQLState(rawValue: "HB001")

    let connection: PostgreSQLConnection
    private let consumerName: String

    /// Opens a session.
    ///
    /// - Throws: `PostgreSQLError`, also when the schema is not the one that the program knows.
    init(_ parameters: [String: String], consumerName: String) throws(PostgreSQLError) {
        var parameters = parameters
        // A server that does not answer, or a network that drops packets, is noticed within half a minute.
        parameters["connect_timeout"] = "10"
        parameters["tcp_user_timeout"] = "30000"
        let connection = try PostgreSQLConnection(parameters, .consumer)
        try connection.requireSchema()
        let quotedName = try connection.literal(consumerName)
        self.connection = connection
        self.consumerName = quotedName
    }

    /// Makes the partition of a UTC day, in a transaction of its own.
    func createPartition(day: Int32) throws(PostgreSQLError) {
        try connection.query(
            "SELECT create_readings_partition(date '1970-01-01' + $1::integer)", [day],
            unableTo: "create a partition of \"heart_rate_readings\"")
    }

    // MARK: - Batches

    /// Begins to copy a batch's rows into the open transaction, or begins one, and does not wait for the server: while that
    /// takes them the next batch is made ready. It takes no lock that another consumer waits for.
    func copy(_ batch: borrowing Batch) throws(PostgreSQLError) {
        try start(batch, "")
        try send(batch, waits: false)
    }

    /// Waits until the server has taken what is being copied, if anything is.
    func finishCopy() throws(PostgreSQLError) {
        guard connection.isBusy else { return }
        try connection.finish(unableTo: "copy messages")
    }

    /// Copies a batch's rows and ends the transaction with what it changes besides, or does nothing.
    ///
    /// All of it is one simple query. First come the rows, which take no lock that another consumer waits for. Then
    /// everything that does, and COMMIT: the server starts that only when it has the last row and needs nothing more
    /// from here, so a consumer that is stopped at any moment leaves no lock behind.
    ///
    /// - Parameters:
    ///   - batch: the last one of the transaction; an empty one when all were copied.
    ///   - transaction: with this batch.
    ///   - detection: where it goes on with customers.
    func write(
        _ batch: borrowing Batch, endOf transaction: Transaction, _ detection: Detection?
    ) throws(PostgreSQLError) {
        let customers = transaction.customers
        let hasCustomers = !customers.changes.isEmpty
        let statements = BatchStatements(consumerName: consumerName).text(of: transaction, detection?.states)
        try start(batch, (hasCustomers ? CustomerChanges.copy : "") + statements + "COMMIT")
        try send(batch)
        if hasCustomers {
            var next = 0
            try connection.copy(
                inParts: { customers.appendRows(from: &next, detection?.states, to: &$0) },
                unableTo: "copy \(customers.changes.count) customers")
        }
        try connection.finish(unableTo: "commit \(transaction.count) messages")
    }

    /// Sends the statements with a batch's rows and those behind it.
    private func start(_ batch: borrowing Batch, _ end: String) throws(PostgreSQLError) {
        try finishCopy()
        var script = connection.isInTransaction ? "" : "BEGIN;"
        if !batch.readings.isEmpty {
            script += """
                COPY heart_rate_readings (customer_id, recorded_at, heart_rate, is_anomaly, anomaly_reason, source_id, \
                kafka_offset, activity, is_suspect) FROM STDIN (FORMAT binary);
                """
        }
        if !batch.rejected.isEmpty {
            script += """
                COPY rejected_messages (source_id, topic, partition, kafka_offset, produced_at, key, payload, headers, \
                reason_code, reason) FROM STDIN (FORMAT binary);
                """
        }
        try connection.start(script + end, unableTo: "send \(batch.count) messages")
    }

    private func send(_ batch: borrowing Batch, waits: Bool = true) throws(PostgreSQLError) {
        if !batch.readings.isEmpty {
            try connection.copy(
                batch.readings, order: batch.order, waits: waits,
                unableTo: "copy \(batch.readings.rowCount) rows into \"heart_rate_readings\"")
        }
        if !batch.rejected.isEmpty {
            try connection.copy(
                batch.rejected, waits: waits,
                unableTo: "copy \(batch.rejected.rowCount) rows into \"rejected_messages\"")
        }
    }

    /// Writes this minute's row of `pipeline_log` although nothing came.
    func logIdleMinute() throws(PostgreSQLError) {
        try connection.execute("SELECT log_messages(\(consumerName), 0, 0, 0)", unableTo: "log the minute")
    }

    /// Ends a transaction that failed; nothing when there is none.
    func rollBack() throws(PostgreSQLError) {
        guard connection.isInTransaction else { return }
        try connection.execute("ROLLBACK", unableTo: "roll back")
    }

    /// Whether a transaction was written: asked when the answer to its COMMIT was lost or it was fenced.
    ///
    /// - Parameter progress: how far it moves its sources.
    func standing(of progress: [Batch.Progress]) throws(PostgreSQLError) -> Standing {
        let rows = try connection.query(
            "SELECT source_id, next_offset, closed FROM kafka_offsets WHERE source_id = ANY ($1::integer[])",
            [ArrayText(progress) { $0.sourceID }], unableTo: "read the stored offsets")
        var stored: [Int32: Int64] = [:]
        var closed: Set<Int32> = []
        try rows.forEach { row throws(PostgreSQLError) in
            let id: Int32 = try row["source_id"]
            stored[id] = try row["next_offset"]
            if try row["closed"] { closed.insert(id) }
        }
        var before = 0
        var after = 0
        var elsewhere: [Int32] = []
        var behind: [Int32] = []
        for progress in progress where progress.expected >= 0 {
            switch stored[progress.sourceID] {
            // What the batch does not move says nothing unless somebody else has moved it.
            case progress.expected where closed.contains(progress.sourceID): elsewhere.append(progress.partition)
            case progress.next where progress.next == progress.expected: break
            case progress.expected: before += 1
            case progress.next: after += 1
            case let found where found ?? -1 < progress.expected: behind.append(progress.partition)
            default: elsewhere.append(progress.partition)
            }
        }
        if !behind.isEmpty { return .behind(partitions: behind) }
        if elsewhere.isEmpty, after == 0 { return .before }
        if elsewhere.isEmpty, before == 0 { return .after }
        if elsewhere.isEmpty {
            // One transaction moves all or none: those that moved were moved by others, to the same offset by chance.
            elsewhere = progress.filter { $0.expected < $0.next && stored[$0.sourceID] == $0.next }
                .map(\.partition)
        }
        return .elsewhere(partitions: elsewhere)
    }

    // MARK: - Positions

    /// Where to go on with each partition that the database knows.
    func locate(_ request: LocateRequest) throws(PostgreSQLError) -> [Position] {
        let rows = try connection.query(
            """
            SELECT DISTINCT ON (partition) partition, source_id, first_offset, next_offset, last_offset, last_fingerprint
              FROM kafka_offsets
             WHERE cluster_id = $1 AND topic = $2 AND partition = ANY ($3::integer[])
             ORDER BY partition, incarnation DESC
            """, [request.clusterID, request.topic, ArrayText(request.partitions)],
            unableTo: "read the stored offsets")
        return try rows.map { row throws(PostgreSQLError) in
            Position(
                sourceID: try row["source_id"], partition: try row["partition"], offset: try row["next_offset"],
                first: try row["first_offset"], last: try Self.landmark(&row))
        }
    }

    /// The last stored message of a source; nil when it has none, or when it was stored before fingerprints were kept.
    static func landmark(_ row: inout PostgreSQLRow) throws(PostgreSQLError) -> Landmark? {
        let (offset, fingerprint): (Int64?, Int64?) = (try row["last_offset"], try row["last_fingerprint"])
        guard let offset, let fingerprint else { return nil }
        return Landmark(offset: offset, fingerprint: fingerprint)
    }
}
