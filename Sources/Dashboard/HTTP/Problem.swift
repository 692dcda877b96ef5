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

    var response: Response {
        var headers = headers
        headers[.contentType] = "application/problem+json"
        headers[.cacheControl] = "no-store"
        let body = try? json(Body(title: status.reasonPhrase, status: status.code, detail: detail))
        return Response(status: status, headers: headers, body: ResponseBody(byteBuffer: body ?? ByteBuffer()))
    }

    func response(from request: Request, context: some RequestContext) throws -> Response { response }
}
