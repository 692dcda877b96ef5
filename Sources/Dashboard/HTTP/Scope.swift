internal import AccessTokens
internal import Bytes
public import Daemon

/// What a token is for: each is independent of the others.
public enum Scope: String, Sendable, CaseIterable {
    /// Everything that can be read.
    case read
    /// Acknowledgements, and to take one back.
    case acknowledge
    /// A customer's limits, pause, groups and notes.
    case manage

    /// The tokens of the file that the settings name, by their names.
    ///
    /// - Throws: what is wrong with the file, with the number of the line.
    static func tokens(_ settings: Settings) throws(SettingsError) -> [String: DashboardToken] {
        try TokenFile.read(settings[.dashboardTokensFile], called: settings.describe(.dashboardTokensFile)) {
            words throws(TokenMistake) in
            guard words.count == 1, let scopes = scopes(words[0]) else {
                throw TokenMistake("expected NAME SHA256 SCOPES: \(rule)")
            }
            return scopes
        }
    }

    /// What a list stands for; nil when it is none.
    static func scopes(_ list: String) -> Set<Scope>? {
        let scopes = list.split(separator: ",", omittingEmptySubsequences: false).map { Scope(rawValue: String($0)) }
        guard !scopes.contains(nil), Set(scopes).count == scopes.count else { return nil }
        return Set(scopes.compactMap(\.self))
    }

    /// How a list has to be.
    static let rule = "some of \(allCases.map(\.rawValue).joined(separator: ", ")), separated by commas without blanks"
}

/// A token of the dashboard.
typealias DashboardToken = AccessToken<Set<Scope>>

/// A token for a program that reads or acts, which nobody has yet.
public struct NewToken: Sendable {
    private let minted: MintedToken
    /// For its holder, and shown only once: `NAME.SECRET`.
    public var token: String { minted.token }

    /// Makes a token with 256 random bits.
    ///
    /// - Parameters:
    ///   - name: whose it is, and what is noted of what is done with it.
    ///   - scopes: separated by commas.
    /// - Throws: `CommandFailure` when the name or the scopes are none.
    public init(_ name: String, scopes: String) throws(CommandFailure) {
        guard Scope.scopes(scopes) != nil else {
            throw CommandFailure(.software, "\"\(escapingControls(scopes, limit: 50))\": expected \(Scope.rule)")
        }
        minted = try MintedToken(name, grant: scopes)
    }

    /// Adds its hash to the file that the settings name.
    ///
    /// - Throws: `SettingsError` when the file has a mistake; `CommandFailure` when the name is taken or the file cannot be
    ///   written.
    public func add(to settings: Settings) throws {
        try minted.add(to: settings[.dashboardTokensFile], known: try Scope.tokens(settings))
    }
}
