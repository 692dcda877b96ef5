internal import Digest
internal import HTTPService
internal import HTTPTypes
internal import Synchronization

/// The tokens that are valid now, and how much the holder of each may still send.
final class Tokens: Sendable {
    private struct State {
        var tokens: [String: Token]
        var allowances: [String: Allowance] = [:]
        var readingsPerSecond: Int
    }

    private let state: Mutex<State>

    init(_ tokens: [String: Token], readingsPerSecond: Int) {
        state = Mutex(State(tokens: tokens, readingsPerSecond: readingsPerSecond))
    }

    /// Takes other tokens over: one that is not among them is refused from now on, on every connection.
    func replace(_ tokens: [String: Token], readingsPerSecond: Int) {
        state.withLock { state in
            state.tokens = tokens
            state.readingsPerSecond = readingsPerSecond
            state.allowances = state.allowances.filter { tokens[$0.key] != nil }
        }
    }

    /// The token of an Authorization header; nil when it is not valid.
    ///
    /// A wrong secret takes as long as the right one, and an unknown name as long as a known one.
    func token(_ authorization: String?) -> Token? {
        let words = (authorization ?? "").split(separator: " ")
        guard words.count == 2, words[0].lowercased() == "bearer", words[1].utf8.count <= 200 else { return nil }
        let name = String(words[1].prefix { $0 != "." })
        let found = state.withLock { $0.tokens[name] }
        let isRight = isSame(sha256(Array(words[1].utf8)), found?.digest ?? Self.nobody)
        return isRight ? found : nil
    }

    private static let nobody = [UInt8](repeating: 0, count: 32)

    /// Counts readings that the holder of a token wants to send.
    ///
    /// - Throws: `Problem` when it has sent too many.
    func count(_ readings: Int, of token: Token, at now: ContinuousClock.Instant = .now) throws(Problem) {
        let pause = state.withLock { state in
            let rate = Double(token.readingsPerSecond ?? state.readingsPerSecond)
            return state.allowances[token.name, default: Allowance(rate, at: now)].take(readings, rate: rate, at: now)
        }
        guard pause > 0 else { return }
        throw .busy(
            .tooManyRequests, "the token \"\(token.name)\" has sent more readings than it may: try again later",
            seconds: pause)
    }
}
