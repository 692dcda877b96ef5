public import HeartRate
public import PostgreSQL

/// The statements with which a transaction ends, after its rows: calls of functions in `db/`.
struct BatchStatements {
    /// As a literal of SQL.
    let consumerName: String

    /// - Parameter states: where detection goes on with those who were silent; nil when episodes are not detected.
    func text(of transaction: Transaction, _ states: CustomerStates?) -> String {
        let valid = transaction.readings - transaction.anomalies
        let findings = transaction.findings ?? Findings()
        return fence(transaction.moved) + holes(transaction.holes)
            + (transaction.customers.changes.isEmpty ? "" : "SELECT record_customers();")
            + silent(findings.silent.sorted(), states) + episodes(findings) + minutes(transaction.minutes.changes)
            + "SELECT log_messages(\(consumerName), \(valid), \(transaction.anomalies), \(transaction.rejected));"
    }

    private func fence(_ moved: [Batch.Progress]) -> String {
        """
        SELECT advance_offsets(\(array(moved) { $0.sourceID }), \(array(moved) { $0.expected }), \
        \(array(moved) { $0.next }), \(array(moved) { $0.readings }), \(array(moved) { $0.anomalies }), \
        \(array(moved) { $0.rejected }), \(array(moved) { $0.last?.offset }), \
        \(array(moved) { $0.last?.fingerprint }));
        """
    }

    /// A row for each source, however many holes it has.
    private func holes(_ holes: [Batch.Hole]) -> String {
        guard !holes.isEmpty else { return "" }
        let rows = Dictionary(grouping: holes, by: \.sourceID).sorted { $0.key < $1.key }.map { sourceID, holes in
            let ranges = holes.map { "[\($0.offsets.lowerBound),\($0.offsets.upperBound))" }
            return "(\(sourceID), '{\(ranges.joined(separator: ","))}')"
        }
        return "INSERT INTO offset_holes (source_id, offsets) VALUES \(rows.joined(separator: ", "));"
    }

    private func silent(_ ids: [String], _ states: CustomerStates?) -> String {
        guard let states, !ids.isEmpty else { return "" }
        var checkpoints = ArrayText(capacity: ids.count * 500)
        for id in ids { checkpoints.append(bytea: states.checkpoint(of: id.utf8.span)[...]) }
        return "SELECT record_detectors(\(ArrayText(ids).literal), \(checkpoints.literal));"
    }

    private func episodes(_ findings: Findings) -> String {
        var text = ""
        if !findings.forgotten.isEmpty {
            text += """
                UPDATE episodes SET closed_at = greatest(opened_at, last_seen_at) \
                WHERE closed_at IS NULL AND customer_id = ANY (\(ArrayText(findings.forgotten).literal)::text[]);
                """
        }
        let found = findings.episodes
        if !found.isEmpty {
            text += """
                SELECT record_episodes(\(array(found) { $0.customerID }), \(array(found) { $0.episode.kind.name }), \
                \(array(found) { $0.episode.severity.name }), \(array(found) { $0.episode.worstSeverity.name }), \
                \(array(found) { $0.episode.openedAt }), \(array(found) { $0.episode.raisedAt }), \
                \(array(found) { $0.episode.lastSeenAt }), \(array(found) { $0.episode.closedAt }), \
                \(array(found) { $0.episode.extremeHeartRate }), \(array(found) { $0.episode.readings }), \
                \(array(found) { $0.episode.reason }));
                """
        }
        let changes = findings.changes
        if !changes.isEmpty {
            text += """
                SELECT record_episode_changes(\(array(changes) { $0.customerID }), \
                \(array(changes) { $0.episode.kind.name }), \(array(changes) { $0.episode.openedAt }), \
                \(array(changes) { $0.happenedAt }), \(array(changes) { $0.change.name }), \
                \(array(changes) { $0.episode.severity.name }));
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

    private func array<Element>(_ elements: [Element], _ value: (Element) -> some PostgreSQLParameter) -> String {
        ArrayText(elements, value).literal
    }
}

extension Instant: PostgreSQLParameter {
    /// Digits and signs need no quotes.
    public static var needsQuotes: Bool { false }

    /// Appends a `timestamptz` in UTC.
    public func appendText(to text: inout [UInt8]) -> Bool {
        let iso8601 = ISO8601Text(self)
        let bytes = iso8601.utf8
        for index in bytes.indices { text.append(bytes[index]) }
        return true
    }
}
