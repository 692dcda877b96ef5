import HTTPService
import Hummingbird
internal import HTTPTypes
internal import NIOCore

/// The page's files, and what machines ask for.
struct Pages: Sendable {
    let poller: Poller
    let assets: Assets

    func addRoutes(to router: Router<Viewer>) {
        router.get("") { request, _ in try file("index.html", request) }
        router.get("customer") { request, _ in try page("customer", request) }
        router.get("customers") { request, _ in try page("customers", request) }
        router.get("operations") { request, _ in try page("operations", request) }
        router.get("report") { request, _ in try page("report", request) }
        router.get("wall") { request, _ in try page("wall", request) }
        router.get("static/:first") { request, viewer in try asset(["first"], of: viewer, for: request) }
        router.get("static/:first/:second") { request, viewer in
            try asset(["first", "second"], of: viewer, for: request)
        }
        router.get("static/:first/:second/:third") { request, viewer in
            try asset(["first", "second", "third"], of: viewer, for: request)
        }
        router.get("healthz") { _, _ in Self.text(RequestGuard.healthy) }
        router.get("readyz") { _, _ in
            if let reason = poller.unreadiness { throw Problem.busy(.serviceUnavailable, reason) }
            return Self.text("ok\n")
        }
        router.get("metrics") { _, _ in
            Self.text(poller.metricsText, type: "text/plain; version=0.0.4; charset=utf-8")
        }
    }

    private func page(_ name: String, _ request: Request) throws(Problem) -> Response {
        // The page's addresses are relative, so that they hold behind a proxy with a prefix.
        guard !request.uri.path.hasSuffix("/") else {
            let query = request.uri.query.map { "?" + $0 } ?? ""
            return Response(status: .permanentRedirect, headers: [.location: "../\(name)\(query)"])
        }
        return try file(name + ".html", request)
    }

    private func file(_ name: String, _ request: Request) throws(Problem) -> Response {
        guard let asset = assets.asset([name]) else { throw Self.nothing }
        return asset.response(to: request)
    }

    /// A file below "static", in the folder of the version or not.
    private func asset(_ names: [String], of viewer: Viewer, for request: Request) throws -> Response {
        var parts = try names.map { try viewer.parameters.require($0) }
        let isForGood = parts.first == assets.version && parts.count > 1
        if isForGood { parts.removeFirst() }
        guard let asset = assets.asset(parts) else { throw Self.nothing }
        return asset.response(to: request, isForGood: isForGood)
    }

    private static let nothing = Problem(.notFound, "there is nothing here")

    private static func text(_ text: String, type: String = "text/plain; charset=utf-8") -> Response {
        Response(
            status: .ok, headers: [.contentType: type, .cacheControl: "no-store"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }
}
