import HTTPService
import Hummingbird
internal import HTTPTypes

/// Tells a request of the dashboard's own page from one that a page of somebody else makes a browser send, with the
/// password that the browser remembers (cross-site request forgery).
enum SameOrigin {
    /// - Parameter isToken: whether the request has a token, which no browser sends by itself.
    /// - Throws: `Problem` unless the browser says that the request comes from here, and unless it has a type of body
    ///   that a form cannot send.
    static func require(_ request: Request, isToken: Bool) throws(Problem) {
        guard isToken || isOwn(request) else {
            throw Problem(
                .forbidden,
                """
                only the dashboard's own page may change something: expected Sec-Fetch-Site: same-origin, or an Origin \
                that is the Host
                """)
        }
        let type = (request.headers[.contentType] ?? "").prefix { $0 != ";" }
        guard type.filter({ $0 != " " }).lowercased() == "application/json" else {
            throw Problem(.unsupportedMediaType, "expected Content-Type: application/json")
        }
    }

    private static func isOwn(_ request: Request) -> Bool {
        // No script can set this header, so it says more than Origin, whose port a proxy may have hidden from us.
        if let name = HTTPField.Name("Sec-Fetch-Site"), let site = request.headers[name] {
            return site == "same-origin"
        }
        guard let origin = request.headers[.origin]?.lowercased(), let host = request.head.authority?.lowercased()
        else {
            return false
        }
        return origin == "http://" + host || origin == "https://" + host
    }
}
