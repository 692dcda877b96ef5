internal import Bytes
internal import Daemon
internal import FHIR
internal import FoundationEssentials
internal import HTTPTypes
internal import HeartRate
internal import Hummingbird
internal import NIOCore

/// Readings as FHIR R4 has them: `POST /fhir/Observation`, and `POST /fhir` with a Bundle.
struct FHIRAPI: Sendable {
    let bodies: Bodies
    let judge: ReadingJudge
    let intake: ReadingIntake

    @Sendable func capabilities(_ request: Request, _ caller: Caller) throws -> Response {
        try Self.reply(.ok, CapabilityStatement.gateway(heartbeatVersion))
    }

    @Sendable func create(_ request: Request, _ caller: Caller) async throws -> Response {
        let token = try caller.requireToken()
        try Self.requireJSON(request)
        return try await bodies.read(request, caller) { body in
            let payload = try Self.decoded(Observation.self, body).message(at: "Observation")
            let verdict = try await take([payload], token)
            if let rejected = verdict.rejected.first {
                throw Refusal(.unprocessableContent, [.init(rejected, at: "Observation")])
            }
            // What was sent is what was taken.
            return Response(
                status: .created,
                headers: [
                    .contentType: fhirMediaType, .cacheControl: "no-store",
                    .location: "/fhir/" + Self.location(verdict.messages[0]),
                ], body: ResponseBody(byteBuffer: ByteBuffer(bytes: body)))
        }
    }

    @Sendable func bundle(_ request: Request, _ caller: Caller) async throws -> Response {
        let token = try caller.requireToken()
        try Self.requireJSON(request)
        return try await bodies.read(request, caller) { body in
            let bundle = try Self.decoded(RequestBundle.self, body)
            guard bundle.resourceType == "Bundle", ["transaction", "batch"].contains(bundle.type) else {
                throw Refusal(
                    .unprocessableContent, as: .notSupported, "expected a Bundle of the type transaction or batch")
            }
            return try await bundle.type == "batch" ? batch(bundle, token) : transaction(bundle, token)
        }
    }

    /// All observations or none.
    private func transaction(_ bundle: RequestBundle, _ token: Token) async throws -> Response {
        var payloads: [[UInt8]] = []
        var issues: [OperationOutcome.Issue] = []
        for (index, entry) in (bundle.entry ?? []).enumerated() {
            do {
                payloads.append(try Self.payload(entry, index))
            } catch let refusal as Refusal {
                issues += refusal.issues
            }
        }
        guard issues.isEmpty else { throw Refusal(.unprocessableContent, issues) }
        let verdict = try await take(payloads, token, isAtomic: true)
        guard verdict.rejected.isEmpty else {
            let issues = verdict.rejected.map { OperationOutcome.Issue($0, at: Self.place($0.position)) }
            throw Refusal(.unprocessableContent, issues)
        }
        let entries = verdict.messages.map { message in
            ResponseEntry(response: .init(status: "201 Created", location: Self.location(message)))
        }
        return try Self.reply(.ok, ResponseBundle(type: "transaction-response", entry: entries))
    }

    /// Each observation by itself.
    private func batch(_ bundle: RequestBundle, _ token: Token) async throws -> Response {
        var payloads: [[UInt8]] = []
        var issues: [Int: OperationOutcome.Issue] = [:]
        var places: [Int] = []
        for (index, entry) in (bundle.entry ?? []).enumerated() {
            do {
                payloads.append(try Self.payload(entry, index))
                places.append(index)
            } catch let refusal as Refusal {
                issues[index] = refusal.issues.first
            }
        }
        let verdict = try await take(payloads, token)
        for rejected in verdict.rejected {
            let place = places[rejected.position]
            issues[place] = OperationOutcome.Issue(rejected, at: Self.place(place))
        }
        var messages = verdict.messages[...]
        let entries = (bundle.entry ?? []).indices.map { index -> ResponseEntry in
            if let issue = issues[index] {
                let outcome = OperationOutcome([issue])
                return .init(response: .init(status: "422 Unprocessable Content", outcome: outcome))
            }
            return .init(
                response: .init(status: "201 Created", location: messages.popFirst().map(Self.location)))
        }
        return try Self.reply(.ok, ResponseBundle(type: "batch-response", entry: entries))
    }

    private func take(
        _ payloads: [[UInt8]], _ token: Token, isAtomic: Bool = false
    ) async throws -> ReadingJudge.Verdict {
        var body: [UInt8] = []
        var ranges: [Range<Int>] = []
        for payload in payloads {
            ranges.append(body.count..<(body.count + payload.count))
            body += payload
        }
        let now = Instant(microsecondsSince1970: wallClockMicroseconds())
        let (bytes, places) = (body, ranges)
        return try await intake.take(payloads.count, of: token, isAtomic: isAtomic) {
            judge.judge(bytes, places, of: token, at: now)
        }
    }

    private static func place(_ index: Int) -> String { "Bundle.entry[\(index)].resource" }

    private static func payload(_ entry: RequestEntry, _ index: Int) throws -> [UInt8] {
        guard entry.request?.method == "POST", entry.request?.url == "Observation", let resource = entry.resource else {
            let issue = OperationOutcome.Issue(
                .notSupported, "expected a resource with the request POST Observation", at: "Bundle.entry[\(index)]")
            throw Refusal(.unprocessableContent, [issue])
        }
        return try resource.message(at: place(index))
    }

    /// A name for what was taken; the same for a repeat.
    private static func location(_ message: OutgoingMessage) -> String {
        "Observation/" + observationID(message.value)
    }

    private static func requireJSON(_ request: Request) throws(Refusal) {
        let type = (request.headers[.contentType] ?? "").prefix { $0 != ";" }.filter { $0 != " " }.lowercased()
        guard [fhirMediaType, "application/json"].contains(type) else {
            throw .last(.unsupportedMediaType, as: .notSupported, "expected Content-Type: \(fhirMediaType)")
        }
    }

    private static func decoded<Resource: Decodable>(_: Resource.Type, _ body: [UInt8]) throws(Refusal) -> Resource {
        do {
            return try JSONDecoder().decode(Resource.self, from: Data(body))
        } catch DecodingError.typeMismatch(_, let context), DecodingError.keyNotFound(_, let context),
            DecodingError.valueNotFound(_, let context)
        {
            let path = context.codingPath.map { $0.intValue.map { "[\($0)]" } ?? ".\($0.stringValue)" }.joined()
            let name = path.isEmpty ? "the resource" : String(path.drop { $0 == "." })
            throw Refusal(
                .badRequest, as: .structure, escapingControls("\(name): \(context.debugDescription)", limit: 300))
        } catch {
            throw Refusal(.badRequest, as: .structure, "the body is not JSON in UTF-8")
        }
    }

    private static func reply(_ status: HTTPResponse.Status, _ resource: some Encodable) throws -> Response {
        Response(
            status: status, headers: [.contentType: fhirMediaType, .cacheControl: "no-store"],
            body: ResponseBody(byteBuffer: try fhirJSON(resource)))
    }
}
