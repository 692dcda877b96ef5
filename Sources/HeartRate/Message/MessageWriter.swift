import Bytes

/// Writes the contract's message:
/// `{"schema_version": "1.0", "customer_id": "cust_0001", "timestamp": "2026-02-19T15:53:03.123456+00:00", "heart_rate": 72}`,
/// with `, "activity": "rest"` before the brace when there is one.
///
/// Keeps one buffer and lends it: allocates nothing for a message, unless it is the longest so far.
public struct MessageWriter: ~Copyable {
    /// The fields of a message, in their order.
    public enum Field: String, CaseIterable, Sendable {
        /// The version of the message's form.
        case schemaVersion = "schema_version"
        /// Whose heart it is.
        case customerID = "customer_id"
        /// When the sensor took the reading.
        case timestamp
        /// In bpm.
        case heartRate = "heart_rate"
        /// What the customer was doing.
        case activity
    }

    private var json = JSONWriter()

    /// A writer that has written nothing yet.
    public init() {}

    /// The message for `reading`, UTF-8 without a final newline; lent until the next call.
    @_lifetime(&self)
    public mutating func write(_ reading: Reading) -> RawSpan {
        json.removeAll()
        // Neither a closure nor an array's iterator, which are allocated in debug.
        for index in Self.fields.indices {
            json.startField(Self.fields[index].rawValue)
            json.append(Self.fields[index], of: reading)
            json.endField()
        }
        return json.finish()
    }

    /// The message with the values that `value` appends, each a JSON text; lent until the next call.
    ///
    /// A field for which nothing is appended is left out.
    @_lifetime(&self)
    public mutating func write(_ value: (Field, inout JSONWriter) -> Void) -> RawSpan {
        json.removeAll()
        for field in Self.fields {
            json.startField(field.rawValue)
            value(field, &json)
            json.endField()
        }
        return json.finish()
    }

    /// Made once: `allCases` is a new array each time.
    private static let fields = Field.allCases
}

/// Writes the fields of one JSON object.
public struct JSONWriter {
    /// The first `count` are written. At first room for the longest message of a reading, which has 434 bytes.
    private var bytes = [UInt8](repeating: 0, count: 512)
    private var count = 0
    /// Where the last field starts, and its value.
    private var fieldStart = 0
    private var valueStart = 0

    init() {}

    /// Appends JSON as it is.
    public mutating func append(json: Span<UInt8>) {
        let start = makeRoom(for: json.count)
        var room = bytes.mutableSpan
        for index in json.indices { room[start + index] = json[index] }
        count = start + json.count
    }

    /// Appends a string.
    ///
    /// RFC 8259, section 7: quotation mark, backslash and U+0000 to U+001F have to be escaped.
    public mutating func append(string: Span<UInt8>) {
        var end = makeRoom(for: 6 * string.count + 2)
        var room = bytes.mutableSpan
        room[end] = UInt8(ascii: "\"")
        end += 1
        for index in string.indices {
            let byte = string[index]
            if byte < 0x20 {
                for character in "\\u00\(String(hexadecimal: CollectionOfOne(byte)))".utf8 {
                    room[end] = character
                    end += 1
                }
                continue
            }
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") {
                room[end] = UInt8(ascii: "\\")
                end += 1
            }
            room[end] = byte
            end += 1
        }
        room[end] = UInt8(ascii: "\"")
        count = end + 1
    }

    /// Appends what a reading has in one field of its message.
    public mutating func append(_ field: MessageWriter.Field, of reading: Reading) {
        switch field {
        case .schemaVersion: append(string: "1.0".utf8.span)
        case .customerID: append(string: reading.customerID.utf8)
        case .timestamp: append(string: ISO8601Text(reading.recordedAt).utf8)
        case .heartRate: append(number: Int(reading.heartRate))
        case .activity: if let activity = reading.activity { append(string: activity.name.utf8.span) }
        }
    }

    private mutating func append(number: Int) {
        var digits = InlineArray<20, UInt8>(repeating: 0)
        var writer = ByteWriter(digits.mutableSpan)
        writer.append(number)
        let length = writer.count
        append(json: digits.span.extracting(first: length))
    }

    /// - Returns: where the room for so many bytes starts.
    private mutating func makeRoom(for more: Int) -> Int {
        let missing = count + more - bytes.count
        if missing > 0 { bytes.append(contentsOf: repeatElement(0, count: max(missing, bytes.count))) }
        return count
    }

    mutating func removeAll() { count = 0 }

    /// Appends the name of the next field.
    mutating func startField(_ name: String) {
        fieldStart = count
        append(json: (count == 0 ? "{\"" : ", \"").utf8.span)
        append(json: name.utf8.span)
        append(json: "\": ".utf8.span)
        valueStart = count
    }

    /// Takes the name back when the value turns out to be empty.
    mutating func endField() {
        if count == valueStart { count = fieldStart }
    }

    /// The object, which has a field; lent until the next call.
    @_lifetime(&self)
    mutating func finish() -> RawSpan {
        append(json: "}".utf8.span)
        return bytes.span.extracting(first: count).raw
    }
}
