import HeartRate
import PostgreSQL

extension CustomerChanges {
    /// Puts a transaction's customers where `record_customers` takes them from.
    static let copy = """
        COPY customer_changes (customer_id, recorded_at, heart_rate, anomaly_reason, readings, anomalies, source_id, detector) \
        FROM STDIN (FORMAT binary);
        """

    /// Appends some of the customers as its rows.
    ///
    /// - Parameters:
    ///   - first: the number of the customer with whom to begin; the one with whom to go on when it returns.
    ///   - states: where detection goes on with each; nil when episodes are not detected.
    /// - Returns: whether there are more.
    func appendRows(from first: inout Int, _ states: CustomerStates?, to rows: inout CopyBuffer) -> Bool {
        while first < changes.count, rows.byteCount < 60_000 {
            append(first, states, to: &rows)
            first += 1
        }
        return first < changes.count
    }

    private func append(_ number: Int, _ states: CustomerStates?, to rows: inout CopyBuffer) {
        let (id, change) = (customers.id(number), changes[number])
        rows.beginRow(fields: 8)
        rows.append(id.span)
        rows.append(change.latest.recordedAt.microsecondsSince2000)
        rows.append(change.latest.heartRate)
        if let anomaly = change.latest.anomaly {
            anomaly.withReason { rows.append($0) }
        } else {
            rows.appendNull()
        }
        rows.append(change.readings)
        rows.append(change.anomalies)
        rows.append(change.sourceID)
        if let checkpoint = states?.checkpoint(of: id.span), !checkpoint.isEmpty {
            rows.append(checkpoint.span)
        } else {
            rows.appendNull()
        }
    }
}
