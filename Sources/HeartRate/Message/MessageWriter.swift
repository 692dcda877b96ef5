import Bytes

/// Writes the contract's message:
/// `{"schema_version": "1.0", "customer_id": "cust_0001", "timestamp": "2026-02-19T15:53:03.123456+00:00", "heart_rate": 72}`,
/// with `, "activity": "rest"` before the brace when there is one.
///
/// Keeps one buffer and lends it: allocates nothing for a message, unless it is the longest so far.
public struct MessageWriter: ~Copyable {
    private var bytes: [UInt8] = []

    /// A writer that has written nothing yet.
    public init() {
        // The longest message of a reading has 434 bytes.
        bytes.reserveCapacity(512)
    }

    /// The message for `reading`, UTF-8 without a final newline; lent until the next call.
    @_lifetime(&self)
    public mutating func write(_ reading: Reading) -> RawSpan {
        let timestamp = ISO8601Text(reading.recordedAt)
        var digits = InlineArray<20, UInt8>(repeating: 0)
        var writer = ByteWriter(digits.mutableSpan)
        writer.append(Int(reading.heartRate))
        let count = writer.count
        return write(
            customerID: reading.customerID.utf8, timestamp: timestamp.utf8,
            heartRate: digits.span.extracting(first: count), activity: reading.activity?.name)
    }

    /// The message of these values, which nobody has judged; lent until the next call.
    ///
    /// - Parameters:
    ///   - customerID: as UTF-8, escaped here.
    ///   - timestamp: as UTF-8, escaped here.
    ///   - heartRate: the digits of a number.
    ///   - isNegative: whether a minus sign stands before them.
    ///   - activity: a word that needs no escaping.
    @_lifetime(&self)
    public mutating func write(
        customerID: Span<UInt8>, timestamp: Span<UInt8>, heartRate: Span<UInt8>, isNegative: Bool = false,
        activity: String? = nil
    ) -> RawSpan {
        bytes.removeAll(keepingCapacity: true)
        bytes.append(contentsOf: "{\"schema_version\": \"1.0\", \"customer_id\": \"".utf8)
        append(escaping: customerID)
        bytes.append(contentsOf: "\", \"timestamp\": \"".utf8)
        append(escaping: timestamp)
        bytes.append(contentsOf: "\", \"heart_rate\": ".utf8)
        if isNegative { bytes.append(UInt8(ascii: "-")) }
        for index in heartRate.indices { bytes.append(heartRate[index]) }
        if let activity {
            bytes.append(contentsOf: ", \"activity\": \"".utf8)
            bytes.append(contentsOf: activity.utf8)
            bytes.append(UInt8(ascii: "\""))
        }
        bytes.append(UInt8(ascii: "}"))
        return bytes.span.raw
    }

    /// RFC 8259, section 7: quotation mark, backslash and U+0000 to U+001F have to be escaped.
    private mutating func append(escaping text: Span<UInt8>) {
        for index in text.indices {
            let byte = text[index]
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                bytes.append(UInt8(ascii: "\\"))
                bytes.append(byte)
            case 0..<0x20: bytes.append(contentsOf: "\\u00\(String(hexadecimal: CollectionOfOne(byte)))".utf8)
            default: bytes.append(byte)
            }
        }
    }
}
