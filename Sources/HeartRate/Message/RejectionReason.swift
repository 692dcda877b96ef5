import Bytes

/// Why a message was not stored as a reading.
public struct RejectionReason: Error, Hashable, Sendable {
    /// The kinds of reasons. Raw values are stored and counted under, so that they never change their meaning.
    public enum Code: String, CaseIterable, Sendable {
        /// The payload is not valid JSON in UTF-8, or is empty.
        case malformedJSON = "malformed_json"
        /// The payload is JSON, but not an object.
        case notAnObject = "not_an_object"
        /// A required field is absent or null.
        case missingField = "missing_field"
        /// A field holds another type of value than it should.
        case wrongType = "wrong_type"
        /// The heart rate is a whole number that no heart has.
        case outOfRange = "out_of_range"
        /// The timestamp is not ISO 8601 with an offset, or no date of the calendar.
        case badTimestamp = "bad_timestamp"
        /// The timestamp is later than the consumer's clock by more than the allowed skew.
        case futureTimestamp = "future_timestamp"
        /// The customer id has no characters.
        case idEmpty = "id_empty"
        /// The customer id has more than 50 characters.
        case idTooLong = "id_too_long"
        /// The customer id contains U+0000, which PostgreSQL cannot store.
        case idContainsNUL = "id_contains_nul"
        /// The message has a key at most, and no payload.
        case tombstone
        /// The message's version is not 1.something.
        case unknownSchemaVersion = "unknown_schema_version"
        /// The heart rate is measured in something that is not beats per minute.
        case unknownUnit = "unknown_unit"
        /// The payload has more bytes than the limit.
        case tooLarge = "too_large"
        /// The database refused the row that was made of the message.
        case refusedByDatabase = "refused_by_database"
        /// The message asks to be stored only once, and a reading of the same customer, time and heart rate is stored.
        case repeated
    }

    /// The kind of reason.
    public let code: Code
    /// What is wrong, in one line without control characters: `heart_rate is 300, expected 1 to 299`.
    public let sentence: String
    /// How far a timestamp from the future is ahead of the consumer's clock; nil for every other reason.
    public let ahead: Microseconds?

    /// A reason with the sentence that explains it to an operator.
    public init(_ code: Code, _ sentence: String, ahead: Microseconds? = nil) {
        self.code = code
        self.sentence = sentence
        self.ahead = ahead
    }

    /// The reason for a row that the database refused, with the server's message.
    public static func refusedByDatabase(_ message: String) -> RejectionReason {
        RejectionReason(.refusedByDatabase, "the database refused it: " + escapingControls(message, limit: 500))
    }

    /// The reason for a message that came again.
    public static let repeated = RejectionReason(
        .repeated, "a reading of this customer with this time and heart rate is stored already")
}

extension RejectionReason: CustomStringConvertible {
    /// `out_of_range: heart_rate is 300, expected 1 to 299`.
    public var description: String { "\(code.rawValue): \(sentence)" }
}

extension String {
    /// `bytes` in quotation marks, at most 40 characters of it.
    init(quoting bytes: Span<UInt8>) {
        // No character has more than 4 bytes: 41 of them are enough to see whether there are more than 40.
        let start = bytes.extracting(first: 41 * 4)
        self = "\"" + escapingControls(String(bytes: start), limit: 40) + "\""
    }
}
