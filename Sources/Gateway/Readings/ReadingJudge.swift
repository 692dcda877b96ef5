internal import AccessTokens
internal import Bytes
internal import Daemon
internal import HeartRate
internal import SharedSettings

/// Says of payloads which are readings that the holder of a token may send, by the consumer's own rules.
struct ReadingJudge: Sendable {
    /// Payloads that are not taken, and why.
    struct Rejected: Encodable, Sendable, Equatable {
        /// The payload's place in the request, counted from 0.
        let position: Int
        /// As in `rejected_messages`, or `customer_not_allowed`.
        let code: String
        let detail: String
    }

    /// What became of the payloads of a request.
    struct Verdict: Sendable {
        var messages: [OutgoingMessage] = []
        var rejected: [Rejected] = []
        /// The latest time of all readings that could be read.
        var latest: Instant?
    }

    private let limits: DecodingLimits

    init(_ settings: Settings) {
        limits = DecodingLimits(
            maximumPayloadBytes: settings[.maxMessageBytes],
            maximumClockSkew: Microseconds(settings[.maxClockSkewSeconds]))
    }

    /// Judges the payloads at some places of a body.
    func judge(_ body: [UInt8], _ payloads: [Range<Int>], of token: Token, at now: Instant) -> Verdict {
        var decoder = ReadingDecoder()
        var writer = MessageWriter()
        var verdict = Verdict()
        verdict.messages.reserveCapacity(payloads.count)
        for (position, range) in payloads.enumerated() {
            do throws(RejectionReason) {
                let payload = body.span.extracting(range).raw
                let reading = try decoder.decode(payload, receivedAt: now, limits: limits)
                verdict.latest = max(verdict.latest ?? .earliest, reading.recordedAt)
                guard token.grant.allows(reading.customerID) else {
                    verdict.rejected.append(Self.foreign(reading, token, at: position))
                    continue
                }
                verdict.messages.append(Self.message(reading, &writer))
            } catch {
                if let ahead = error.ahead { verdict.latest = now.advanced(byMicroseconds: ahead.count) }
                verdict.rejected.append(
                    Rejected(position: position, code: error.code.rawValue, detail: error.sentence))
            }
        }
        return verdict
    }

    private static func foreign(_ reading: Reading, _ token: Token, at position: Int) -> Rejected {
        let id = escapingControls(reading.customerID.description, limit: 50)
        return Rejected(
            position: position, code: "customer_not_allowed",
            detail: "the token \"\(token.name)\" is not for the customer \"\(id)\"")
    }

    /// The contract's message, whatever form the sender has chosen.
    private static func message(_ reading: Reading, _ writer: inout MessageWriter) -> OutgoingMessage {
        OutgoingMessage(key: bytes(reading.customerID.utf8.raw), value: bytes(writer.write(reading)))
    }

    private static func bytes(_ span: RawSpan) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(span.byteCount)
        for offset in span.byteOffsets { bytes.append(span[offset]) }
        return bytes
    }
}
