internal import FHIR
import HTTPService
import Hummingbird
internal import HTTPTypes
internal import NIOCore

extension Problem {
    /// The answer: FHIR's resource for it, JSON, or a page for who follows a link.
    func response(to request: Request) -> Response {
        if request.uri.path == "/fhir" || request.uri.path.hasPrefix("/fhir/") {
            let outcome = OperationOutcome([OperationOutcome.Issue(kind, detail)])
            if let body = try? fhirJSON(outcome) { return response(fhirMediaType, body) }
        }
        let isPage = !request.uri.path.hasPrefix("/api/") && (request.headers[.accept] ?? "").contains("text/html")
        guard isPage else { return response }
        return response("text/html; charset=utf-8", ByteBuffer(string: page(for: request.uri.path)))
    }

    private var kind: IssueKind {
        switch status {
        case .badRequest, .misdirectedRequest: .value
        case .unauthorized: .login
        case .forbidden: .forbidden
        case .notFound: .notFound
        case .methodNotAllowed, .notAcceptable: .notSupported
        case .contentTooLarge: .tooLong
        case .tooManyRequests: .throttled
        case .serviceUnavailable: .transient
        default: .exception
        }
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
}
