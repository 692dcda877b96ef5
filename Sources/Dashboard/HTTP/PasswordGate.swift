import HTTPService
import Hummingbird
internal import Bytes
internal import Crypt
internal import Daemon
internal import FoundationEssentials
internal import HTTPTypes
internal import Logging
internal import NIOCore
internal import Synchronization

/// Lets in who knows the password (HTTP Basic, RFC 7617; any user name), and makes guessing slow.
///
/// A hash is made to be slow, so it is computed on a thread of its own, for one guess at a time, and a password that was
/// right is kept in memory. After some wrong guesses everybody who is not known yet waits: behind a proxy all viewers
/// have the same address, so there is nobody else to hold up.
final class PasswordGate: Sendable {
    /// How many wrong guesses in a row are checked at once; after them one a second.
    private static let mostGuesses = 10.0

    private struct Attempts {
        var right: [UInt8]?
        var guesses = PasswordGate.mostGuesses
        var lastGuess = ContinuousClock.now
        /// Wrong ones since there was silence for a minute.
        var wrong = 0
    }

    private let hash: PasswordHash
    private let state = Mutex(Attempts())
    private let worker: Workers<Void>
    private let proxies: Set<String>
    private let logger = Logger(label: "dashboard")

    /// A gate for the password whose hash is in the file that a setting names; nil when it names none.
    ///
    /// - Throws: `SettingsError` when the file cannot be read or has no hash that this system knows.
    init?(_ setting: Setting<String?>, _ settings: Settings) throws {
        guard let file = settings[setting] else { return nil }
        let name = settings.describe(setting)
        guard let text = try? String(contentsOfFile: file, encoding: .utf8) else {
            throw SettingsError(["\(name): unable to read the file"])
        }
        guard let hash = PasswordHash(String(text.prefix { !$0.isNewline })) else {
            throw SettingsError([
                """
                \(name): expected one line with a hash such as "$y$..." or "$6$...": make one by "mkpasswd" or \
                "openssl passwd -6"
                """
            ])
        }
        self.hash = hash
        proxies = settings.proxies
        worker = try Workers("passwords", threads: 1, mostWaiting: 16) {}
    }

    /// - Throws: `Problem` when the request has not the password.
    func check(_ request: Request, from address: SocketAddress?) async throws {
        guard let password = request.headers[.authorization].flatMap(Self.password) else {
            throw Self.unauthorized("a password is needed")
        }
        guard try await isRight(password, request, from: address) else {
            throw Self.unauthorized("the password is wrong")
        }
    }

    /// Whether it is the password.
    ///
    /// - Throws: `Problem` when too many wrong ones came.
    func isRight(_ password: [UInt8], _ request: Request, from address: SocketAddress?) async throws -> Bool {
        if let right = state.withLock({ $0.right }), isSame(right, password) { return true }
        guard mayGuess() else {
            throw Problem.busy(.tooManyRequests, "too many wrong passwords came: try again in some seconds", seconds: 5)
        }
        let isRight: Bool
        do {
            isRight = try await worker.run { [hash] _ in hash.matches(password) }
        } catch {
            throw Problem.busy(.tooManyRequests, "too many passwords are waiting to be checked")
        }
        if isRight {
            state.withLock { $0.right = password }
        } else {
            countWrong(from: client(request, address?.ipAddress ?? "somewhere"))
        }
        return isRight
    }

    private func mayGuess() -> Bool {
        state.withLock { state in
            let now = ContinuousClock.now
            let seconds = (now - state.lastGuess) / .seconds(1)
            state.guesses = min(Self.mostGuesses, state.guesses + seconds)
            state.lastGuess = now
            if seconds > 60 { state.wrong = 0 }
            guard state.guesses >= 1 else { return false }
            state.guesses -= 1
            return true
        }
    }

    /// Where a request comes from: what a proxy that is known says of it, or else its own address.
    private func client(_ request: Request, _ address: String) -> String {
        guard proxies.contains(address), let name = HTTPField.Name("X-Forwarded-For") else { return address }
        // Each proxy adds at the end whom it was asked by; what is before the last unknown one can be made up.
        let chain = request.headers[values: name].joined(separator: ",").split(separator: ",").map { part in
            part.filter { $0 != " " && $0 != "\t" }
        }
        return chain.last { !proxies.contains($0) }.map { escapingControls(String($0.prefix(50))) } ?? address
    }

    private func countWrong(from address: String) {
        let isFirst = state.withLock { state in
            state.wrong += 1
            return state.wrong == 1
        }
        guard isFirst else { return }
        logger.warning(
            "a wrong password came from \(address); more are not logged until none came for a minute"
        )
    }

    private static func unauthorized(_ detail: String) -> Problem {
        var problem = Problem(.unauthorized, detail)
        problem.headers[.wwwAuthenticate] = "Basic realm=\"heartbeat\", charset=\"UTF-8\""
        return problem
    }

    /// What is after the colon of `Basic BASE64`.
    private static func password(_ header: String) -> [UInt8]? {
        let parts = header.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == "basic", let data = Data(base64Encoded: String(parts[1])),
            let colon = data.firstIndex(of: UInt8(ascii: ":"))
        else { return nil }
        return Array(data[data.index(after: colon)...])
    }
}

extension Settings {
    /// The addresses of the proxies whose word is taken.
    var proxies: Set<String> { Set(self[.dashboardProxies]?.split(separator: ",").map(String.init) ?? []) }
}

/// Compares without telling by the time where the first difference is.
private func isSame(_ one: [UInt8], _ other: [UInt8]) -> Bool {
    guard one.count == other.count else { return false }
    return zip(one, other).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
}
