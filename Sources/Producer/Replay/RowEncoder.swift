/// Writes recorded rows as messages, in the form of `ReadingEncoder`. Unlike there, nobody has judged the fields: to
/// refuse them is the consumer's work. Keeps one buffer and lends it.
struct RowEncoder: ~Copyable {
    private var bytes: [UInt8] = []

    /// The message for a row with this timestamp, lent until the next call.
    @_lifetime(&self)
    mutating func encode(_ row: borrowing RecordedRow, recordedAt: Span<UInt8>) -> Span<UInt8> {
        bytes.removeAll(keepingCapacity: true)
        bytes.append(contentsOf: "{\"schema_version\": \"1.0\", \"customer_id\": \"".utf8)
        append(escaping: row.customerID)
        bytes.append(contentsOf: "\", \"timestamp\": \"".utf8)
        append(escaping: recordedAt)
        bytes.append(contentsOf: "\", \"heart_rate\": ".utf8)
        if row.isNegative { bytes.append(UInt8(ascii: "-")) }
        append(escaping: row.digits)
        bytes.append(UInt8(ascii: "}"))
        return bytes.span
    }

    /// RFC 8259, section 7: quotation mark, backslash and U+0000 to U+001F have to be escaped.
    private mutating func append(escaping text: Span<UInt8>) {
        for index in text.indices {
            let byte = text[index]
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                bytes.append(UInt8(ascii: "\\"))
                bytes.append(byte)
            case 0..<0x20:
                bytes.append(contentsOf: "\\u00\(byte < 16 ? "0" : "")\(String(byte, radix: 16))".utf8)
            default: bytes.append(byte)
            }
        }
    }
}
