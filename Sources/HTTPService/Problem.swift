public import Hummingbird
public import HTTPTypes
public import NIOCore

/// An answer that says what is wrong, as RFC 9457 wants it.
public struct Problem: Error, HTTPResponseError {
    /// The answer's status.
    public let status: HTTPResponse.Status
    /// What is wrong, in words.
    public let detail: String
    /// More of the answer's headers.
    public var headers = HTTPFields()
    /// Whether the connection is closed afterwards.
    public var isLast = false

    /// A problem without further headers.
    public init(_ status: HTTPResponse.Status, _ detail: String) {
        self.status = status
        self.detail = detail
    }

    /// Asks to come again after some seconds.
    public static func busy(_ status: HTTPResponse.Status, _ detail: String, seconds: Int = 2) -> Problem {
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

    /// The answer with a body of some type.
    public func response(_ contentType: String, _ body: ByteBuffer) -> Response {
        var headers = headers
        headers[.cacheControl] = "no-store"
        if isLast { headers[.connection] = "close" }
        headers[.contentType] = contentType
        return Response(status: status, headers: headers, body: ResponseBody(byteBuffer: body))
    }

    /// The answer as JSON.
    public var response: Response {
        let body = try? json(Body(title: status.reasonPhrase, status: status.code, detail: detail))
        return response("application/problem+json", body ?? ByteBuffer())
    }

    /// For Hummingbird: the answer as JSON.
    public func response(from request: Request, context: some RequestContext) throws -> Response { response }
}
