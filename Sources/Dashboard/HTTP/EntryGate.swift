internal import AccessTokens
internal import Daemon
import HTTPService
import Hummingbird
internal import HTTPTypes
internal import Logging
internal import NIOCore

/// Who gets in: who has a token for what is asked for, or else who knows the password, if there is one.
struct EntryGate: Sendable {
    let password: PasswordGate?
    let tokens: TokenTable<Set<Scope>>
    private let logger = Logger(label: "dashboard")

    init(password: PasswordGate?, tokens: TokenTable<Set<Scope>>) {
        self.password = password
        self.tokens = tokens
    }

    /// - Returns: the token, if the request has one.
    /// - Throws: `Problem` when the request is not let in.
    func admit(
        _ request: Request, for scope: Scope, from address: SocketAddress?
    ) async throws -> DashboardToken? {
        let authorization = request.headers[.authorization]
        guard let authorization, isBearer(authorization) else {
            try await password?.check(request, from: address)
            return nil
        }
        guard let token = tokens.token(authorization) else {
            if tokens.isRefusalTold() {
                logger.warning("a request with a token that is not valid came; more are not logged for a minute")
            }
            var problem = Problem(.unauthorized, "the token is not valid: expected Authorization: Bearer NAME.SECRET")
            problem.headers[.wwwAuthenticate] = "Bearer realm=\"heartbeat\", error=\"invalid_token\""
            throw problem
        }
        guard token.grant.contains(scope) else {
            var problem = Problem(
                .forbidden, "the token \"\(token.name)\" is not for this: it needs the scope \(scope.rawValue)")
            problem.headers[.wwwAuthenticate] =
                "Bearer realm=\"heartbeat\", error=\"insufficient_scope\", scope=\"\(scope.rawValue)\""
            throw problem
        }
        return token
    }
}
