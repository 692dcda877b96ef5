import Bytes

/// What a decoder takes at most.
public struct DecodingLimits: Hashable, Sendable {
    /// Longer payloads are rejected without being parsed, so that the parser's memory stays bounded (it takes some 15
    /// times the longest payload). In bytes. The default is 65,536: the contract's message has about 130.
    public var maximumPayloadBytes: Int
    /// How far a timestamp may be ahead of the consumer's clock. The default is 5 minutes, which is also what Kerberos
    /// takes for the clocks of machines that belong together (RFC 4120, 8.2).
    public var maximumClockSkew: Microseconds

    /// Limits; see the properties for the defaults.
    public init(maximumPayloadBytes: Int = 65_536, maximumClockSkew: Microseconds = .minutes(5)) {
        self.maximumPayloadBytes = maximumPayloadBytes
        self.maximumClockSkew = maximumClockSkew
    }
}

/// Makes readings of messages: `{"customer_id": "cust_0001", "timestamp": "2026-02-19T15:53:03Z", "heart_rate": 72}`.
///
/// Allocates nothing for a message that is accepted, once it has seen one of that length. For use by one thread.
///
/// Of several things that are wrong with a message the first in this order is reported: tombstone, too large,
/// malformed JSON, not an object, schema version, customer id (missing, type, empty, too long, NUL), timestamp
/// (missing, type, format), heart rate (missing, type, range), unit, future timestamp. The last is the only one that
/// depends on the clock, so that a message that is wrong in itself gets the same reason whenever it is replayed.
///
/// `activity` is no reason to reject: what is not one of its words, or no string at all, is taken as not told. Only how
/// unusual a heart rate is depends on it, and the reading is worth more than the word.
public struct ReadingDecoder: ~Copyable {
    private var parser = MessageParser()
    /// What the last message said, when nothing is wrong with it but its heart rate: no reading, and yet the sensor is there.
    public private(set) var unstorable: UnstorableReading?

    /// A decoder that has parsed nothing yet.
    public init() {}

    /// The reading in a Kafka message's payload; nil is a payload that is null.
    ///
    /// - Parameters:
    ///   - payload: The bytes of one message; nothing refers to them afterwards.
    ///   - now: The consumer's clock, to tell timestamps from the future.
    ///   - limits: What is accepted at most.
    /// - Throws: Why the message has to be rejected.
    public mutating func decode(
        _ payload: RawSpan?, receivedAt now: Instant, limits: DecodingLimits = DecodingLimits()
    ) throws(RejectionReason) -> Reading {
        if unstorable != nil { unstorable = nil }
        guard let payload else { throw RejectionReason(.tombstone, "there is no payload (a tombstone)") }
        if payload.byteCount > limits.maximumPayloadBytes {
            throw RejectionReason(
                .tooLarge, "payload is \(payload.byteCount) bytes, expected at most \(limits.maximumPayloadBytes)")
        }
        let oversized = try parse(payload)
        guard parser.foundObject else { throw RejectionReason(.notAnObject, "payload is JSON, but not an object") }
        try checkSchemaVersion()
        let customerID = try customerID()
        let recordedAt = try recordedAt()
        let heartRate: Int16
        do throws(RejectionReason) {
            heartRate = try self.heartRate(oversized)
        } catch {
            if error.code == .outOfRange, (try? checkUnit()) != nil,
                (try? Self.check(recordedAt, receivedAt: now, limits)) != nil
            {
                unstorable = UnstorableReading(customerID: customerID, recordedAt: recordedAt, isZero: isZero)
            }
            throw error
        }
        try checkUnit()
        try Self.check(recordedAt, receivedAt: now, limits)
        return Reading(customerID: customerID, recordedAt: recordedAt, storable: heartRate, activity: activity())
    }

    /// Numbers that simdjson could not take, if there are any.
    private mutating func parse(_ payload: RawSpan) throws(RejectionReason) -> OversizedNumbers? {
        var json = payload
        // RFC 8259, section 8.1: "implementations that parse JSON texts MAY ignore the presence of a byte order mark".
        if payload.byteCount >= 3, payload[0] == 0xEF, payload[1] == 0xBB, payload[2] == 0xBF {
            json = payload.extracting(droppingFirst: 3)
        }
        guard var malformed = parser.parse(json) else { return nil }
        if malformed == .number, let oversized = OversizedNumbers(in: json) {
            guard let stillMalformed = parser.parse(oversized.payload.span.raw) else { return oversized }
            malformed = stillMalformed
        }
        throw RejectionReason(.malformedJSON, "payload is not JSON: \(malformed.rawValue)")
    }

    private func checkSchemaVersion() throws(RejectionReason) {
        let value = parser.schemaVersion
        guard let version = try Self.optionalString(value, of: "schema_version") else { return }
        guard Self.isKnown(version: version) else {
            throw RejectionReason(.unknownSchemaVersion, "schema_version is \(value.description), expected \"1.0\"")
        }
    }

    @inline(__always)
    private func customerID() throws(RejectionReason) -> CustomerID {
        let utf8 = try Self.requiredString(parser.customerID, of: "customer_id")
        do {
            return try CustomerID(valid: utf8)
        } catch {
            let id = String(quoting: utf8)
            switch error {
            case .empty: throw RejectionReason(.idEmpty, "customer_id is empty, expected 1 to 50 characters")
            case .tooLong(let characters):
                throw RejectionReason(.idTooLong, "customer_id \(id) has \(characters) characters, expected 1 to 50")
            case .containsNUL: throw RejectionReason(.idContainsNUL, "customer_id \(id) contains the character NUL")
            case .notUTF8: throw RejectionReason(.malformedJSON, "customer_id \(id) is not UTF-8")
            }
        }
    }

    private func recordedAt() throws(RejectionReason) -> Instant {
        let text = try Self.requiredString(parser.timestamp, of: "timestamp")
        guard let instant = Instant(iso8601: text) else {
            let expected = "a date and time like 2026-02-19T15:53:03+00:00"
            throw RejectionReason(.badTimestamp, "timestamp is \(String(quoting: text)), expected \(expected)")
        }
        return instant
    }

    private func heartRate(_ oversized: OversizedNumbers?) throws(RejectionReason) -> Int16 {
        let value = parser.heartRate
        let number: Int?
        switch value {
        case .absent, .null: throw Self.missing(value, "heart_rate")
        case .integer(let integer): number = Int(integer)
        // Nil also for a whole number beyond 64 bits.
        case .double(let double) where double.rounded() == double: number = Int(exactly: double)
        case .string(let text) where Self.isDecimal(text): number = Int(String(bytes: text))
        default: throw Self.wrongType(value, "heart_rate", expected: "a whole number")
        }
        guard let number, let bpm = Int16(exactly: number), Reading.storableHeartRates.contains(bpm) else {
            var text = value.description
            if case .double(OversizedNumbers.placeholderValue) = value, let oversized { text = oversized.description }
            throw RejectionReason(.outOfRange, "heart_rate is \(text), expected 1 to 299")
        }
        return bpm
    }

    private var isZero: Bool {
        switch parser.heartRate {
        case .integer(let integer): integer == 0
        case .double(let double): double == 0
        case .string(let text): Int(String(bytes: text)) == 0
        default: false
        }
    }

    private static func check(
        _ recordedAt: Instant, receivedAt now: Instant, _ limits: DecodingLimits
    ) throws(RejectionReason) {
        guard recordedAt > now.advanced(byMicroseconds: limits.maximumClockSkew.count) else { return }
        throw RejectionReason(
            .futureTimestamp,
            "timestamp is \(recordedAt), expected at most \(limits.maximumClockSkew.seconds) s after \(now)",
            ahead: Microseconds(recordedAt.microsecondsSince1970 - now.microsecondsSince1970))
    }

    private func checkUnit() throws(RejectionReason) {
        let value = parser.unit
        guard let unit = try Self.optionalString(value, of: "unit") else { return }
        guard unit.equals("bpm") || unit.equals("beats/min") || unit.equals("/min") else {
            throw RejectionReason(.unknownUnit, "unit is \(value.description), expected \"bpm\"")
        }
    }

    @inline(__always)
    private func activity() -> Activity? {
        guard case .string(let name) = parser.activity else { return nil }
        return Activity(name: name)
    }
}

// MARK: - Values

extension ReadingDecoder {
    @_lifetime(copy value)
    private static func requiredString(_ value: JSONValue, of field: String) throws(RejectionReason) -> Span<UInt8> {
        switch value {
        case .string(let text): return text
        case .absent, .null: throw missing(value, field)
        default: throw wrongType(value, field, expected: "a string")
        }
    }

    /// Nil when the field is absent or null.
    @_lifetime(copy value)
    private static func optionalString(_ value: JSONValue, of field: String) throws(RejectionReason) -> Span<UInt8>? {
        switch value {
        case .string(let text): return text
        case .absent, .null: return nil
        default: throw wrongType(value, field, expected: "a string")
        }
    }

    /// Digits, after a sign or not: the reference writer's `"72"`.
    private static func isDecimal(_ text: Span<UInt8>) -> Bool {
        let signed = !text.isEmpty && (text[0] == UInt8(ascii: "+") || text[0] == UInt8(ascii: "-"))
        let digits = text.extracting(droppingFirst: signed ? 1 : 0)
        return !digits.isEmpty && digits.indices.allSatisfy { isDigit(digits[$0]) }
    }

    /// `1`, or `1.` and further numbers: a minor version only adds what may be ignored.
    private static func isKnown(version: Span<UInt8>) -> Bool {
        guard !version.isEmpty, version[0] == UInt8(ascii: "1") else { return false }
        var expectsDigit = false
        for index in 1..<version.count {
            let isDot = version[index] == UInt8(ascii: ".")
            // A dot comes first and never twice in a row; everything else must be a digit.
            guard isDot ? !expectsDigit : isDigit(version[index]) && index > 1 else { return false }
            expectsDigit = isDot
        }
        return !expectsDigit
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")
    }

    private static func missing(_ value: JSONValue, _ field: String) -> RejectionReason {
        RejectionReason(.missingField, "\(field) is \(value.description)")
    }

    private static func wrongType(_ value: JSONValue, _ field: String, expected: String) -> RejectionReason {
        RejectionReason(.wrongType, "\(field) is \(value.description), expected \(expected)")
    }
}
