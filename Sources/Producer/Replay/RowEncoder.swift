import HeartRate

/// Writes recorded rows as messages. Unlike a `Reading`, nobody has judged the fields: to refuse them is the consumer's
/// work.
struct RowEncoder: ~Copyable {
    private var writer = MessageWriter()

    /// The message for a row with this timestamp, lent until the next call.
    @_lifetime(&self)
    mutating func encode(_ row: borrowing RecordedRow, recordedAt: Span<UInt8>) -> RawSpan {
        let (id, digits, isNegative) = (row.customerID, row.digits, row.isNegative)
        return writer.write { field, json in
            switch field {
            case .schemaVersion: json.append(string: "1.0".utf8.span)
            case .customerID: json.append(string: id)
            case .timestamp: json.append(string: recordedAt)
            case .heartRate:
                if isNegative { json.append(json: "-".utf8.span) }
                json.append(json: digits)
            case .activity: break
            }
        }
    }
}
