import Bytes
public import HeartRate

/// The kinds of messages that a simulated sensor sends instead of a reading; each is rejected for another reason.
public enum MalformedMessage: CaseIterable, Hashable, Sendable {
    /// The message ends in its midst.
    case truncated
    /// Not JSON at all.
    case notJSON
    /// Bytes that are not UTF-8 in the id.
    case notUTF8
    /// No object.
    case notAnObject
    /// The heart rate is missing.
    case missingField
    /// The heart rate is a word.
    case wrongType
    /// The heart rate is one that no heart has.
    case outOfRange
    /// The heart rate does not fit in any number type.
    case oversizedNumber
    /// The timestamp has no offset.
    case badTimestamp
    /// The timestamp is in a distant future.
    case futureTimestamp
    /// The id is empty.
    case emptyID
    /// The id has 51 characters.
    case longID
    /// The id contains U+0000.
    case idWithNUL
    /// The heart rate is in Hz.
    case unknownUnit
    /// The message is of version 2.
    case unknownSchemaVersion

    /// Why a message of this kind is rejected.
    public var code: RejectionReason.Code {
        switch self {
        case .truncated, .notJSON, .notUTF8: .malformedJSON
        case .notAnObject: .notAnObject
        case .missingField: .missingField
        case .wrongType: .wrongType
        case .outOfRange, .oversizedNumber: .outOfRange
        case .badTimestamp: .badTimestamp
        case .futureTimestamp: .futureTimestamp
        case .emptyID: .idEmpty
        case .longID: .idTooLong
        case .idWithNUL: .idContainsNUL
        case .unknownUnit: .unknownUnit
        case .unknownSchemaVersion: .unknownSchemaVersion
        }
    }

    /// The payload that is sent instead of `reading`. Allocates: such messages are rare.
    public func payload(for reading: Reading) -> [UInt8] {
        let bpm = reading.heartRate
        switch self {
        case .truncated:
            let whole = Self.payload(reading)
            // Anywhere but before the first byte and after the last byte, and different each time.
            return Array(whole.prefix(1 + Int(reading.recordedAt.microsecondsSince1970.magnitude) % (whole.count - 1)))
        case .notJSON: return Array("heart rate of \(reading.customerID): \(bpm)".utf8)
        case .notUTF8: return Self.payload(reading, replacing: "customer_id", by: [0x22, 0xC3, 0x28, 0xFF, 0x22])
        case .notAnObject: return Array("[\(bpm), \(bpm)]".utf8)
        case .missingField: return Self.payload(reading, replacing: "heart_rate", by: "null")
        case .wrongType: return Self.payload(reading, replacing: "heart_rate", by: "\"fast\"")
        case .outOfRange: return Self.payload(reading, replacing: "heart_rate", by: "\(Int(bpm) * 1000)")
        case .oversizedNumber: return Self.payload(reading, replacing: "heart_rate", by: "\(bpm)e999")
        case .badTimestamp: return Self.payload(reading, replacing: "timestamp", by: "\"2026-02-30 noon\"")
        case .futureTimestamp: return Self.payload(reading, replacing: "timestamp", by: "\"9999-12-31T00:00:00Z\"")
        case .emptyID: return Self.payload(reading, replacing: "customer_id", by: "\"\"")
        case .longID:
            let id = String(repeating: "x", count: CustomerID.maximumCharacters + 1)
            return Self.payload(reading, replacing: "customer_id", by: "\"\(id)\"")
        case .idWithNUL: return Self.payload(reading, replacing: "customer_id", by: #""cust\u0000""#)
        case .unknownUnit: return Self.payload(reading, replacing: "heart_rate", by: #"\#(bpm), "unit": "Hz""#)
        case .unknownSchemaVersion: return Self.payload(reading, replacing: "schema_version", by: "\"2.0\"")
        }
    }

    private static func payload(_ reading: Reading, replacing name: String, by value: String) -> [UInt8] {
        payload(reading, replacing: name, by: Array(value.utf8))
    }

    /// The reading's message without its activity, with `value` (JSON) in the place of one field's.
    private static func payload(_ reading: Reading, replacing name: String, by value: [UInt8]) -> [UInt8] {
        var whole = payload(reading)
        guard let field = whole.firstRange(of: Array("\"\(name)\": ".utf8)) else { return whole }
        // Neither a simulated id nor a timestamp or a number has a comma.
        let end = whole[field.upperBound...].firstIndex(of: UInt8(ascii: ",")) ?? whole.count - 1
        whole.replaceSubrange(field.upperBound..<end, with: value)
        return whole
    }

    /// The reading's message without its activity.
    private static func payload(_ reading: Reading) -> [UInt8] {
        var writer = MessageWriter()
        let plain = Reading(
            customerID: reading.customerID, recordedAt: reading.recordedAt, heartRate: reading.heartRate)
        let message = writer.write(plain ?? reading)
        return message.byteOffsets.map { message[$0] }
    }
}
