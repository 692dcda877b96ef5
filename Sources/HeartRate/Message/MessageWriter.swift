/// Writes readings as messages:
/// `{"schema_version": "1.0", "customer_id": "cust_0001", "timestamp": "2026-02-19T15:53:03.123456+00:00", "heart_rate": 72}`,
/// with `, "activity": "rest"` before the brace when the reading has one.
///
/// Keeps one buffer and lends it: allocates nothing for a message.
public struct ReadingEncoder: ~Copyable {
    /// Room for the longest message of 434 bytes: 41 up to the id, 50 characters of 6 bytes each (`\u0001`),
    /// 16 + 32 + 17 with the timestamp, 3 digits, 24 with the activity and a brace.
    private var buffer = InlineArray<512, UInt8>(repeating: 0)
    private var count = 0

    /// An encoder that has written nothing yet.
    public init() {}

    /// The message for `reading`, UTF-8 without a final newline; lent until the next call.
    @_lifetime(&self)
    public mutating func encode(_ reading: Reading) -> RawSpan {
        var writer = ByteWriter(buffer.mutableSpan)
        writer.append("{\"schema_version\": \"1.0\", \"customer_id\": \"")
        Self.write(reading.customerID, to: &writer)
        writer.append("\", \"timestamp\": \"")
        reading.recordedAt.write(to: &writer)
        writer.append("\", \"heart_rate\": ")
        writer.append(Int(reading.heartRate))
        if let activity = reading.activity {
            writer.append(", \"activity\": \"")
            writer.append(activity.name)
            writer.append(.init(ascii: "\""))
        }
        writer.append(.init(ascii: "}"))
        count = writer.count
        return buffer.span.extracting(first: count).raw
    }

    /// RFC 8259, section 7: quotation mark, backslash and U+0000 to U+001F have to be escaped.
    static func write(_ id: CustomerID, to writer: inout ByteWriter) {
        let utf8 = id.utf8
        for index in utf8.indices {
            let byte = utf8[index]
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                writer.append(.init(ascii: "\\"))
                writer.append(byte)
            case 0..<0x20:
                writer.append("\\u00")
                writer.append(hexadecimal(byte >> 4))
                writer.append(hexadecimal(byte & 15))
            default: writer.append(byte)
            }
        }
    }

    private static func hexadecimal(_ nibble: UInt8) -> UInt8 {
        nibble < 10 ? .init(ascii: "0") + nibble : .init(ascii: "a") + nibble - 10
    }
}
