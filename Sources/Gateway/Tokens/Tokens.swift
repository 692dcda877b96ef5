internal import AccessTokens
internal import HTTPService
internal import HTTPTypes
internal import Synchronization

/// The tokens that are valid now, and how much the holder of each may still send.
final class Tokens: Sendable {
    private struct State {
        var allowances: [String: Allowance] = [:]
        var readingsPerSecond: Int
    }

    let table: TokenTable<SendingGrant>
    private let state: Mutex<State>

    init(_ tokens: [String: Token], readingsPerSecond: Int) {
        table = TokenTable(tokens)
        state = Mutex(State(readingsPerSecond: readingsPerSecond))
    }

    /// Takes other tokens over: one that is not among them is refused from now on, on every connection.
    func replace(_ tokens: [String: Token], readingsPerSecond: Int) {
        table.replace(tokens)
        state.withLock { state in
            state.readingsPerSecond = readingsPerSecond
            state.allowances = state.allowances.filter { tokens[$0.key] != nil }
        }
    }

    /// Counts readings that the holder of a token wants to send.
    ///
    /// - Throws: `Problem` when it has sent too many.
    func count(_ readings: Int, of token: Token, at now: ContinuousClock.Instant = .now) throws(Problem) {
        let pause = state.withLock { state in
            let rate = Double(token.grant.readingsPerSecond ?? state.readingsPerSecond)
            return state.allowances[token.name, default: Allowance(rate, at: now)].take(readings, rate: rate, at: now)
        }
        guard pause > 0 else { return }
        throw .busy(
            .tooManyRequests, "the token \"\(token.name)\" has sent more readings than it may: try again later",
            seconds: pause)
    }
}
