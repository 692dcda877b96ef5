import HTTPService
import Hummingbird
internal import Daemon
internal import FoundationEssentials
internal import HTTPTypes
internal import NIOCore

/// Who may change something, and under which name: everybody who can look, who knows a second password, or whom a proxy
/// has let in.
struct ActingRule: Sendable {
    private let password: PasswordGate?
    private let header: HTTPField.Name?
    private let proxies: Set<String>

    /// - Throws: `SettingsError` when the password's file cannot be used.
    init(_ settings: Settings) throws {
        password = try PasswordGate(.dashboardActingPasswordFile, settings)
        header = settings[.dashboardUserHeader].flatMap { HTTPField.Name($0) }
        proxies = settings.proxies
    }

    /// Whether the page has to ask for a password.
    func needsPassword(_ request: Request, from address: SocketAddress?) -> Bool {
        password != nil && user(request, from: address) == nil
    }

    /// Whom the proxy has let in, if it says so.
    func user(_ request: Request, from address: SocketAddress?) -> String? {
        guard let header, let address = address?.ipAddress, proxies.contains(address),
            // A proxy that only adds one would let the first one through, which can be made up.
            request.headers[values: header].count == 1, let name = request.headers[header]
        else { return nil }
        return ChangeBody.isPlain(name, of: 1...50) ? name : nil
    }

    /// The name to act under.
    ///
    /// - Parameter said: the name that the request gives.
    /// - Throws: `Problem` when this viewer may only look.
    func person(_ said: String, _ request: Request, from address: SocketAddress?) async throws -> String {
        if let user = user(request, from: address) { return user }
        guard let password else {
            guard header == nil else {
                throw Problem(.forbidden, "only who is named by the proxy may change something")
            }
            return said
        }
        guard let given = HTTPField.Name("Acting-Password").flatMap({ request.headers[$0] }),
            let text = Data(base64Encoded: given)
        else { throw Problem(.forbidden, "the password for acting is needed") }
        guard try await password.isRight(Array(text), request, from: address) else {
            throw Problem(.forbidden, "the password for acting is wrong")
        }
        return said
    }
}
