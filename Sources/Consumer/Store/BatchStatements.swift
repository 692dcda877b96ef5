import HeartRate
import PostgreSQL

/// The statements with which a batch ends, after its rows: calls of the functions in `db/0002_functions.sql`.
struct BatchStatements {
    private let connection: PostgreSQLConnection
    private let consumerName: String

    /// - Parameter consumerName: as a literal of SQL.
    init(_ connection: PostgreSQLConnection, consumerName: String) {
        self.connection = connection
        self.consumerName = consumerName
    }

    func text(of batch: borrowing Batch) throws(PostgreSQLError) -> String {
        let valid = batch.readings.rowCount - batch.anomalies
        return fence(batch.progress.filter { $0.expected >= 0 })
            + gaps(batch.gaps)
            + (try customers(batch.customers, batch.findings?.checkpoints ?? Checkpoints()))
            + (try episodes(batch.findings ?? Findings())) + minutes(batch.minutes.changes)
            + "SELECT log_messages(\(consumerName), \(valid), \(batch.anomalies), \(batch.rejected.rowCount));"
    }

    private func fence(_ moved: [Batch.Progress]) -> String {
        """
        SELECT advance_offsets(\(array(moved) { $0.sourceID }), \(array(moved) { $0.expected }), \
        \(array(moved) { $0.next }), \(array(moved) { $0.readings }), \(array(moved) { $0.anomalies }), \
        \(array(moved) { $0.rejected }));
        """
    }

    private func gaps(_ gaps: [Batch.Gap]) -> String {
        gaps.map { gap in
            """
            INSERT INTO offset_gaps (source_id, from_offset, until_offset, reason) VALUES \
            (\(gap.sourceID), \(gap.offsets.lowerBound), \(gap.offsets.upperBound), 'not handed out by Kafka');
            """
        }.joined()
    }

    private func customers(
        _ customers: CustomerChanges, _ checkpoints: Checkpoints
    ) throws(PostgreSQLError) -> String {
        let changes = customers.changes
        guard !changes.isEmpty else { return "" }
        let ids = try connection.literal(customers.customers.arrayText)
        return """
            SELECT record_customers(\(ids), \(array(changes) { $0.latest.recordedAt }), \
            \(array(changes) { $0.latest.heartRate }), \(array(changes) { reason(of: $0.latest.anomaly) }), \
            \(array(changes) { $0.readings }), \(array(changes) { $0.anomalies }), \
            \(array(changes) { $0.sourceID }), \(checkpoints.literal));
            """
    }

    private func episodes(_ findings: Findings) throws(PostgreSQLError) -> String {
        var text = ""
        if !findings.silent.isEmpty {
            let ids = try connection.literal(arrayText(findings.silent))
            text += "SELECT record_detectors(\(ids), \(findings.silentCheckpoints.literal));"
        }
        if !findings.forgotten.isEmpty {
            let ids = try connection.literal(arrayText(findings.forgotten))
            text += """
                UPDATE episodes SET closed_at = greatest(opened_at, last_seen_at) \
                WHERE closed_at IS NULL AND customer_id = ANY (\(ids)::text[]);
                """
        }
        let found = findings.episodes
        if !found.isEmpty {
            let ids = try connection.literal(arrayText(found.map(\.customerID)))
            text += """
                SELECT record_episodes(\(ids), \(array(found) { "\"\($0.episode.kind.name)\"" }), \
                \(array(found) { $0.episode.severity.name }), \(array(found) { $0.episode.worstSeverity.name }), \
                \(array(found) { $0.episode.openedAt }), \(array(found) { $0.episode.raisedAt }), \
                \(array(found) { $0.episode.lastSeenAt }), \
                \(array(found) { $0.episode.closedAt?.description ?? "NULL" }), \
                \(array(found) { $0.episode.extremeHeartRate?.description ?? "NULL" }), \
                \(array(found) { $0.episode.readings }), \(array(found) { "\"\($0.episode.reason)\"" }));
                """
        }
        return text
    }

    private func minutes(_ changes: [MinuteChanges.MinuteChange]) -> String {
        guard !changes.isEmpty else { return "" }
        return """
            SELECT record_minutes(\(consumerName), \(array(changes) { $0.start }), \
            \(array(changes) { $0.readings }), \(array(changes) { $0.anomalies }), \
            \(array(changes) { $0.lowest }), \(array(changes) { $0.highest }), \(array(changes) { $0.sum }));
            """
    }

    /// An anomaly's reason as an element of an array: it has nothing in it that would have to be escaped.
    private func reason(of anomaly: Anomaly?) -> String { anomaly.map { "\"\($0.reason)\"" } ?? "NULL" }

    /// An array literal of elements that need no quotes.
    private func array<Element>(_ elements: [Element], _ value: (Element) -> some CustomStringConvertible) -> String {
        var text = "'{"
        for element in elements {
            if text.utf8.count > 2 { text += "," }
            text += value(element).description
        }
        return text + "}'"
    }

    /// Texts as the text of an array.
    private func arrayText(_ texts: [String]) -> String {
        var bytes: [UInt8] = []
        for text in texts { appendElement(Array(text.utf8)[...], to: &bytes) }
        return close(&bytes)
    }
}

extension CustomerSet {
    /// The ids as the text of an array.
    var arrayText: String {
        var bytes: [UInt8] = []
        for number in 0..<count { appendElement(id(number), to: &bytes) }
        return close(&bytes)
    }
}

/// Appends an element of an array, in double quotes with what is special there escaped.
private func appendElement(_ element: ArraySlice<UInt8>, to text: inout [UInt8]) {
    let quote = UInt8(ascii: "\"")
    let backslash = UInt8(ascii: "\\")
    text += [text.isEmpty ? UInt8(ascii: "{") : UInt8(ascii: ","), quote]
    for byte in element {
        if byte == quote || byte == backslash { text.append(backslash) }
        text.append(byte)
    }
    text.append(quote)
}

private func close(_ text: inout [UInt8]) -> String {
    text += text.isEmpty ? "{}".utf8 : "}".utf8
    return String(decoding: text, as: UTF8.self)
}
