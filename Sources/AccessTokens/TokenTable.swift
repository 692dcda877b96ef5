internal import Digest
internal import Synchronization

/// The tokens that are valid now.
public final class TokenTable<Grant: Sendable & Equatable>: Sendable {
    private let tokens: Mutex<[String: AccessToken<Grant>]>
    private let lastWrong = Mutex<ContinuousClock.Instant?>(nil)

    /// A table of these tokens, by their names.
    public init(_ tokens: [String: AccessToken<Grant>]) { self.tokens = Mutex(tokens) }

    /// Takes other tokens over: one that is not among them is refused from now on, on every connection.
    public func replace(_ tokens: [String: AccessToken<Grant>]) { self.tokens.withLock { $0 = tokens } }

    /// The token of an Authorization header; nil when it is not valid.
    ///
    /// A wrong secret takes as long as the right one, and an unknown name as long as a known one.
    public func token(_ authorization: String?) -> AccessToken<Grant>? {
        guard let authorization, isBearer(authorization) else { return nil }
        let words = authorization.split(separator: " ")
        guard words.count == 2, words[1].utf8.count <= 200 else { return nil }
        let name = String(words[1].prefix { $0 != "." })
        let digest = sha256(Array(words[1].utf8))
        let found = tokens.withLock { $0[name] }
        let isRight = isSame(digest, found?.digest ?? nobody)
        return isRight ? found : nil
    }

    /// Whether a token that was valid still is, for the same.
    public func holds(_ token: AccessToken<Grant>) -> Bool { tokens.withLock { $0[token.name] == token } }

    /// Whether it is time to tell the journal of a token that is not valid: once a minute.
    public func isRefusalTold() -> Bool {
        lastWrong.withLock { last in
            if let last, last.duration(to: .now) < .seconds(60) { return false }
            last = .now
            return true
        }
    }
}

/// What the token of an unknown name is compared with.
private let nobody = [UInt8](repeating: 0, count: 32)

/// Whether an Authorization header has a token (RFC 6750).
public func isBearer(_ authorization: String) -> Bool {
    authorization.split(separator: " ", maxSplits: 1).first?.lowercased() == "bearer"
}
