internal import Digest
internal import FoundationEssentials
internal import HeartRate

/// What is sent by POST.
struct Message: Sendable, Equatable {
    let body: [UInt8]
    var headers: [String] = ["Content-Type: application/json"]

    /// JSON with names in snake_case, or as they are.
    init(_ value: some Encodable, inSnakeCase: Bool) throws {
        let encoder = JSONEncoder()
        if inSnakeCase { encoder.keyEncodingStrategy = .convertToSnakeCase }
        encoder.outputFormatting = [.withoutEscapingSlashes, .sortedKeys]
        body = Array(try encoder.encode(value))
    }

    /// Adds the id, and the signature if there is a key, as the specification "Standard Webhooks" has them: the HMAC-SHA256 of
    /// `ID.SECONDS.BODY` as base64.
    ///
    /// - Parameter seconds: when it is sent, since 1970: an old message that somebody sends again is recognized by it.
    mutating func sign(_ id: String, key: [UInt8]?, at seconds: Int64) {
        headers += ["webhook-id: \(id)", "webhook-timestamp: \(seconds)"]
        guard let key else { return }
        let code = hmacSHA256(Array("\(id).\(seconds).".utf8) + body, key: key)
        headers.append("webhook-signature: v1,\(Data(code).base64EncodedString())")
    }
}

/// A moment in microseconds since 1970 as RFC 3339 has it.
func moment(_ microseconds: Int64) -> String { Instant(microsecondsSince1970: microseconds).iso8601 }
