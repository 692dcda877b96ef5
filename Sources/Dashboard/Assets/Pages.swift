import Hummingbird
internal import HTTPTypes
internal import NIOCore

/// The page's files, and what machines ask for.
struct Pages: Sendable {
    let poller: Poller
    let assets: Assets

    func addRoutes(to router: Router<Viewer>) {
        router.get("") { request, _ in try file("index.html", request) }
        router.get("customer") { request, _ in try file("customer.html", request) }
        router.get("customers") { request, _ in try file("customers.html", request) }
        router.get("operations") { request, _ in try file("operations.html", request) }
        router.get("report") { request, _ in try file("report.html", request) }
        router.get("wall") { request, _ in try file("wall.html", request) }
        router.get("static/:first") { request, viewer in try file(viewer.parameters.require("first"), request) }
        router.get("static/:first/:second") { request, viewer in
            try file(viewer.parameters.require("second"), in: viewer.parameters.require("first"), request)
        }
        router.get("healthz") { _, _ in Self.text("ok\n") }
        router.get("readyz") { _, _ in
            if let reason = poller.unreadiness { throw Problem.busy(.serviceUnavailable, reason) }
            return Self.text("ok\n")
        }
        router.get("metrics") { _, _ in
            Self.text(poller.metricsText, type: "text/plain; version=0.0.4; charset=utf-8")
        }
    }

    private func file(_ name: String, in folder: String? = nil, _ request: Request) throws(Problem) -> Response {
        guard let asset = assets.asset(name, in: folder) else { throw Problem(.notFound, "there is nothing here") }
        return asset.response(to: request)
    }

    private static func text(_ text: String, type: String = "text/plain; charset=utf-8") -> Response {
        Response(
            status: .ok, headers: [.contentType: type, .cacheControl: "no-store"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }
}
