import HeartRate

/// Writes recorded rows as messages. Unlike a `Reading`, nobody has judged the fields: to refuse them is the consumer's
/// work.
struct RowEncoder: ~Copyable {
    private var writer = MessageWriter()

    /// The message for a row with this timestamp, lent until the next call.
    @_lifetime(&self)
    mutating func encode(_ row: borrowing RecordedRow, recordedAt: Span<UInt8>) -> RawSpan {
        writer.write(
            customerID: row.customerID, timestamp: recordedAt, heartRate: row.digits, isNegative: row.isNegative)
    }
}
