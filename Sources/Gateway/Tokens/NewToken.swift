internal import AccessTokens
public import Daemon

/// A token for a sender, which nobody has yet.
public struct NewToken: Sendable {
    private let minted: MintedToken
    /// For the sender, and shown only once: `NAME.SECRET`.
    public var token: String { minted.token }
    /// For the file.
    public var line: String { minted.line }

    /// Makes a token with 256 random bits.
    ///
    /// - Parameters:
    ///   - name: whose it is.
    ///   - customers: ids separated by commas; one that ends in `*` is a prefix.
    ///   - readingsPerSecond: how many readings a second its holder may send; nil for what the settings say.
    /// - Throws: `CommandFailure` when the name or the customers are none.
    public init(_ name: String, customers: String, readingsPerSecond: Int?) throws(CommandFailure) {
        guard SendingGrant.patterns(customers) != nil,
            !customers.contains(where: { " \t#".contains($0) || $0.isNewline })
        else {
            throw CommandFailure(
                .software,
                "\"\(customers)\": expected customers' ids separated by commas, or prefixes that end in \"*\"",
                hint: "write a blank in an id as %20")
        }
        minted = try MintedToken(name, grant: customers + (readingsPerSecond.map { " \($0)" } ?? ""))
    }

    /// Adds the line to the file that the settings name.
    ///
    /// - Throws: `SettingsError` when the file has a mistake; `CommandFailure` when the name is taken or the file cannot be
    ///   written.
    public func add(to settings: Settings) throws {
        try minted.add(to: settings[.gatewayTokensFile], known: try SendingGrant.tokens(settings))
    }
}
