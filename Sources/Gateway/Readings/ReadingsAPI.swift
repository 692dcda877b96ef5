internal import FHIR
internal import Daemon
internal import HTTPService
internal import HTTPTypes
internal import HeartRate
internal import Hummingbird
internal import NIOCore

/// Readings as the contract has them: `POST /api/v1/readings`.
struct ReadingsAPI: Sendable {
    let bodies: Bodies
    let judge: ReadingJudge
    let intake: ReadingIntake

    /// What a sender is told.
    private struct Reply: Encodable {
        let accepted: Int
        let rejected: [ReadingJudge.Rejected]
        /// The gateway's time, and by how many seconds the sender's clock is ahead of it; nil when nothing tells.
        let time: String
        let clockOffsetSeconds: Double?
    }

    @Sendable func post(_ request: Request, _ caller: Caller) async throws -> Response {
        let token = try caller.requireToken()
        let split = try Self.splitter(request)
        if let key = HTTPField.Name("Idempotency-Key").flatMap({ request.headers[$0] }), !(1...255).contains(key.count)
        {
            throw Refusal(.badRequest, as: .value, "Idempotency-Key: expected 1 to 255 characters")
        }
        return try await bodies.read(request, caller) { body in
            guard let payloads = split(body) else {
                throw Refusal(.badRequest, as: .structure, "the array has no end, or something stands behind it")
            }
            let now = Instant(microsecondsSince1970: wallClockMicroseconds())
            let verdict = try await intake.take(payloads.count, of: token) {
                judge.judge(body, payloads, of: token, at: now)
            }
            let reply = Reply(
                accepted: verdict.messages.count, rejected: verdict.rejected, time: now.iso8601,
                clockOffsetSeconds: try Self.clockOffset(request, verdict, at: now))
            var response = Response.json(try json(reply), to: request)
            if verdict.messages.isEmpty, !verdict.rejected.isEmpty { response.status = .unprocessableContent }
            return response
        }
    }

    /// How the body is divided, by its type.
    private static func splitter(_ request: Request) throws(Refusal) -> ([UInt8]) -> [Range<Int>]? {
        let type = (request.headers[.contentType] ?? "").prefix { $0 != ";" }.filter { $0 != " " }.lowercased()
        switch type {
        case "application/json": return PayloadSplitter.json
        case "application/x-ndjson", "application/ndjson", "application/jsonl": return PayloadSplitter.lines
        default:
            throw .last(
                .unsupportedMediaType, as: .notSupported,
                "expected Content-Type: application/json, or application/x-ndjson with a reading on each line")
        }
    }

    /// By how much the sender's clock is ahead: what its header Device-Time says, or a reading that is of the future.
    private static func clockOffset(
        _ request: Request, _ verdict: ReadingJudge.Verdict, at now: Instant
    ) throws(Refusal) -> Double? {
        if let text = HTTPField.Name("Device-Time").flatMap({ request.headers[$0] }) {
            guard let time = Instant(iso8601: Array(text.utf8).span) else {
                throw Refusal(.badRequest, as: .value, "Device-Time: expected a time like 2026-02-19T15:53:03.123Z")
            }
            return Double(time.microsecondsSince1970 - now.microsecondsSince1970) / 1e6
        }
        guard let latest = verdict.latest, latest > now else { return nil }
        return Double(latest.microsecondsSince1970 - now.microsecondsSince1970) / 1e6
    }
}
