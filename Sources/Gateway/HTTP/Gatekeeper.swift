internal import AccessTokens
internal import Bytes
internal import Daemon
internal import FHIR
internal import HTTPService
internal import HTTPTypes
internal import Hummingbird
internal import Logging

/// What every request has to pass: an address that there is, with its method, and a token where something is taken.
struct Gatekeeper: RouterMiddleware {
    typealias Context = Caller

    let tokens: Tokens
    let metrics: GatewayMetrics
    let logger: Logger

    /// The method of each address.
    static let methods: [String: HTTPRequest.Method] = [
        "/api/v1/readings": .post, "/fhir/Observation": .post, "/fhir": .post, "/fhir/": .post,
        "/fhir/metadata": .get, "/api/v1/openapi.json": .get, "/healthz": .get,
    ]

    func handle(
        _ request: Request, context: Caller, next: (Request, Caller) async throws -> Response
    ) async throws -> Response {
        let start = ContinuousClock.now
        var response: Response
        do {
            var context = context
            context.token = try admit(request)
            response = try await next(request, context)
        } catch {
            response = refusal(of: error, request).response(to: request)
        }
        if let name = HTTPField.Name("X-Content-Type-Options") { response.headers[name] = "nosniff" }
        metrics.answered(response.status.code, within: start.duration(to: .now))
        return response
    }

    private func admit(_ request: Request) throws(Refusal) -> Token? {
        guard let method = Self.methods[request.uri.path] else {
            throw .last(.notFound, as: .notFound, "there is nothing here")
        }
        guard request.method == method || (method == .get && request.method == .head) else {
            var refusal = Refusal.last(.methodNotAllowed, as: .notSupported, "expected \(method.rawValue)")
            refusal.problem.headers[.allow] = method == .get ? "GET, HEAD" : method.rawValue
            throw refusal
        }
        guard method == .post else { return nil }
        if let token = tokens.table.token(request.headers[.authorization]) { return token }
        tell(request)
        var refusal = Refusal.last(
            .unauthorized, as: .login, "expected a valid token: Authorization: Bearer NAME.SECRET")
        refusal.problem.headers[.wwwAuthenticate] = "Bearer realm=\"heartbeat\""
        throw refusal
    }

    private func tell(_ request: Request) {
        guard request.headers[.authorization] != nil, tokens.table.isRefusalTold() else { return }
        logger.warning("a request with a token that is not valid came; more are not logged for a minute")
    }

    private func refusal(of error: any Error, _ request: Request) -> Refusal {
        switch error {
        case let error as Refusal: return error
        case let error as Problem:
            var refusal = Refusal(
                error.status, as: error.status == .tooManyRequests ? .throttled : .exception, error.detail)
            refusal.problem = error
            return refusal
        case is PublishingFailure:
            return .busy(
                .serviceUnavailable, as: .transient,
                "Kafka has not acknowledged the readings: send all of them again, none is stored twice", seconds: 5)
        default:
            logger.error("unable to answer \(escapingControls(request.uri.path)): \(error)")
            return Refusal(.internalServerError, as: .exception, "unable to answer: see the gateway's log")
        }
    }
}
