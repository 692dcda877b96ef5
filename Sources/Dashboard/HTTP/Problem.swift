import Hummingbird
internal import HTTPTypes
internal import NIOCore

/// An answer that says what is wrong, as RFC 9457 wants it.
struct Problem: Error, HTTPResponseError {
    let status: HTTPResponse.Status
    let detail: String
    var headers = HTTPFields()
    /// Whether the connection is closed afterwards.
    var isLast = false

    init(_ status: HTTPResponse.Status, _ detail: String) {
        self.status = status
        self.detail = detail
    }

    /// Asks to come again after some seconds.
    static func busy(_ status: HTTPResponse.Status, _ detail: String, seconds: Int = 2) -> Problem {
        var problem = Problem(status, detail)
        problem.headers[.retryAfter] = String(seconds)
        return problem
    }

    private struct Body: Encodable {
        let type = "about:blank"
        let title: String
        let status: Int
        let detail: String
    }

    /// The answer: JSON, or a page for who follows a link.
    func response(to request: Request) -> Response {
        var headers = headers
        headers[.cacheControl] = "no-store"
        if isLast { headers[.connection] = "close" }
        let isPage = !request.uri.path.hasPrefix("/api/") && (request.headers[.accept] ?? "").contains("text/html")
        headers[.contentType] = isPage ? "text/html; charset=utf-8" : "application/problem+json"
        let body =
            isPage
            ? ByteBuffer(string: page(for: request.uri.path))
            : try? json(Body(title: status.reasonPhrase, status: status.code, detail: detail))
        return Response(status: status, headers: headers, body: ResponseBody(byteBuffer: body ?? ByteBuffer()))
    }

    /// - Parameter path: where it stands, so that its links are relative: behind a proxy the path can have a prefix.
    private func page(for path: String) -> String {
        let depth = path.utf8.count { $0 == UInt8(ascii: "/") } - 1
        let root = depth > 0 ? String(repeating: "../", count: depth) : "./"
        return """
            <!doctype html>
            <html lang="en">
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width">
            <title>\(status.code) \(status.reasonPhrase)</title>
            <link rel="stylesheet" href="\(root)static/style/base.css">
            <main><h1>\(status.reasonPhrase)</h1><p>\(Self.escaped(detail)).</p>
            <p><a href="\(root)">All customers</a></p></main>
            </html>

            """
    }

    private static func escaped(_ text: String) -> String {
        text.unicodeScalars.reduce(into: "") { html, scalar in
            switch scalar {
            case "&": html += "&amp;"
            case "<": html += "&lt;"
            default: html.unicodeScalars.append(scalar)
            }
        }
    }

    func response(from request: Request, context: some RequestContext) throws -> Response { response(to: request) }
}
