internal import AccessTokens
internal import Bytes
import HTTPService
import Hummingbird
internal import HTTPTypes
internal import NIOCore
internal import Daemon
internal import Logging

/// What handlers know of a request beside the request itself.
struct Viewer: RequestContext {
    var coreContext: CoreRequestContextStorage
    /// The connection.
    let channel: any Channel
    /// The token of the request, if it has one; `RequestGuard` has seen that it is for this.
    var token: DashboardToken?

    init(source: ApplicationRequestContextSource) {
        coreContext = .init(source: source)
        channel = source.channel
    }
}

/// What every request has to pass: the right host, a password or a token, a method that there is. Every answer gets the headers that keep a
/// browser from doing anything else with it.
struct RequestGuard: RouterMiddleware {
    typealias Context = Viewer

    let hosts: Set<String>
    let gate: EntryGate
    let metrics: DashboardMetrics

    func handle(
        _ request: Request, context: Viewer, next: (Request, Viewer) async throws -> Response
    ) async throws -> Response {
        metrics.countRequest()
        var response: Response
        do {
            try check(request)
            var viewer = context
            if request.uri.path != "/healthz" {
                viewer.token = try await gate.admit(
                    request, for: Self.scope(request.uri.path), from: context.channel.remoteAddress)
            }
            response = try await next(request, viewer)
        } catch {
            response = answer(to: error, request, context)
        }
        for (name, value) in Self.headers { response.headers[name] = value }
        return response
    }

    /// What /healthz says.
    static let healthy = "ok\n"

    /// The header of the answer to a request for /healthz; nil when it is another request, or one to be refused.
    func health(_ head: HTTPRequest) -> HTTPResponse? {
        let request = Request(head: head, body: RequestBody(buffer: ByteBuffer()))
        guard request.uri.path == "/healthz", (try? check(request)) != nil else { return nil }
        metrics.countRequest()
        var response = HTTPResponse(status: .ok)
        response.headerFields[.contentType] = "text/plain; charset=utf-8"
        response.headerFields[.contentLength] = "\(Self.healthy.utf8.count)"
        response.headerFields[.cacheControl] = "no-store"
        for (name, value) in Self.headers { response.headerFields[name] = value }
        return response
    }

    private func check(_ request: Request) throws(Problem) {
        // A page of somebody else whose name now leads here (DNS rebinding) has its own name in the header.
        guard let host = request.head.authority.map(Self.name), hosts.contains(host) else {
            throw Problem(
                .misdirectedRequest, "this dashboard is not known by that name: name it in DASHBOARD_HOSTS")
        }
        let isChange = Self.scope(request.uri.path) != .read
        guard isChange ? request.method == .post : request.method == .get || request.method == .head else {
            var problem = Problem(
                .methodNotAllowed, isChange ? "expected POST" : "expected GET or HEAD: nothing here can be changed")
            problem.headers[.allow] = isChange ? "POST" : "GET, HEAD"
            problem.isLast = true
            throw problem
        }
        let length = request.headers[.contentLength].map { Int($0) ?? .max } ?? 0
        guard (0...(isChange ? Self.mostBytes : 0)).contains(length), request.headers[.transferEncoding] == nil else {
            var problem = Problem(
                .contentTooLarge,
                isChange
                    ? "expected a body of at most \(Self.mostBytes) bytes, with Content-Length" : "expected no body")
            problem.isLast = true
            throw problem
        }
    }

    /// The longest body that is taken, in bytes: a name and a note in any script.
    static let mostBytes = 2000

    /// What a token has to be for: something can be changed at /api/v1/episodes/ID/WHAT, /api/v1/customer/WHAT and
    /// /api/v1/receivers/test alone.
    private static func scope(_ path: String) -> Scope {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        guard (5...6).contains(parts.count), parts[..<3] == ["", "api", "v1"] else { return .read }
        if parts.count == 6 {
            return parts[3] == "episodes" && ["acknowledge", "undo"].contains(parts[5]) ? .acknowledge : .read
        }
        let isManaged =
            parts[3] == "customer" && ["limits", "pause", "groups", "note"].contains(parts[4])
            || parts[3...] == ["receivers", "test"]
        return isManaged ? .manage : .read
    }

    private func answer(to error: any Error, _ request: Request, _ context: Viewer) -> Response {
        let problem: Problem
        switch error {
        case let error as Problem: problem = error
        case let error as HTTPError where error.status == .notFound:
            problem = Problem(.notFound, "there is nothing here")
        default:
            context.logger.error("unable to answer \(escapingControls(request.uri.path)): \(error)")
            problem = Problem(.internalServerError, "unable to answer: see the dashboard's log")
        }
        return problem.response(to: request)
    }

    /// A Host header without its port, in lower case.
    static func name(_ host: String) -> String {
        let host = host.lowercased()
        if host.hasPrefix("["), let end = host.firstIndex(of: "]") {
            return String(host[host.index(after: host.startIndex)..<end])
        }
        return String(host.prefix { $0 != ":" })
    }

    /// The names by which the dashboard is known.
    static func hosts(_ settings: Settings) -> Set<String> {
        let more = settings[.dashboardHosts]?.split(separator: ",").map { name(String($0)) } ?? []
        return Set(["localhost", "127.0.0.1", "::1", settings[.dashboardAddress].lowercased()] + more)
    }

    private static let headers: [(HTTPField.Name, String)] = [
        (
            .contentSecurityPolicy,
            """
            default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
            base-uri 'none'; form-action 'none'; frame-ancestors 'none'
            """
        ),
        (.xContentTypeOptions, "nosniff"), (field("Referrer-Policy"), "no-referrer"),
        (field("Cross-Origin-Opener-Policy"), "same-origin"), (field("Cross-Origin-Resource-Policy"), "same-origin"),
        (field("X-Frame-Options"), "DENY"),
    ].compactMap { name, value in name.map { ($0, value) } }

    private static func field(_ name: String) -> HTTPField.Name? { HTTPField.Name(name) }
}
