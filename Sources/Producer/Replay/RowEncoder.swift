import HeartRate

/// Writes recorded rows as messages, whatever their fields say.
struct RowEncoder: ~Copyable {
    private var writer = MessageWriter()

    /// The message for a row with this timestamp, lent until the next call.
    @_lifetime(&self)
    mutating func encode(_ row: borrowing RecordedRow, recordedAt: Span<UInt8>) -> RawSpan {
        writer.write(
            customerID: row.customerID, timestamp: recordedAt, heartRate: row.digits, isNegative: row.isNegative,
            activity: row.activity?.name)
    }
}

extension ReadingDecoder {
    /// Refuses a row of which a consumer with default settings would reject the message when it comes at a moment.
    mutating func judge(
        _ row: borrowing RecordedRow, sentAt: Instant, encoder: inout RowEncoder
    ) throws(RowProblem) {
        do {
            _ = try decode(encoder.encode(row, recordedAt: row.recordedAt), receivedAt: sentAt)
        } catch {
            throw .rejected("\(error)")
        }
    }
}
