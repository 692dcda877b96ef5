internal import FHIR
internal import Hummingbird
internal import NIOCore

/// What handlers know of a request beside the request itself.
struct Caller: RequestContext {
    var coreContext: CoreRequestContextStorage
    /// The connection.
    let channel: any Channel
    /// Whose token the request has; only on addresses that need one.
    var token: Token?

    init(source: ApplicationRequestContextSource) {
        coreContext = .init(source: source)
        channel = source.channel
    }

    /// The token, which `Gatekeeper` has checked.
    func requireToken() throws(Refusal) -> Token {
        guard let token else { throw Refusal(.unauthorized, as: .login, "a token is needed") }
        return token
    }
}
