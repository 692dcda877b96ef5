/// What a file of tokens knows of one: who holds it, the hash of it, and what it is for.
public struct AccessToken<Grant: Sendable & Equatable>: Sendable, Equatable {
    /// 1 to 50 letters, digits, `-` and `_`.
    public let name: String
    /// The SHA-256 of the whole token. It has 256 random bits: nobody can guess one, so the hash need not be slow.
    public let digest: [UInt8]
    /// What its holder may do.
    public let grant: Grant

    /// A token with this hash.
    public init(name: String, digest: [UInt8], grant: Grant) {
        self.name = name
        self.digest = digest
        self.grant = grant
    }
}
