internal import AccessTokens
internal import Bytes
internal import Daemon
internal import HeartRate

/// What the gateway's file has after the hash of a token: `CUSTOMERS [READINGS_PER_SECOND]`.
///
/// CUSTOMERS are ids separated by commas; one that ends in `*` is a prefix. A blank, `,`, `*`, `#` and `%` in an id are written as in a
/// URL: `%20`.
struct SendingGrant: Sendable, Equatable {
    /// One customer, or all whose ids begin so.
    enum Pattern: Sendable, Equatable {
        case id([UInt8])
        case prefix([UInt8])

        func matches(_ customer: Span<UInt8>) -> Bool {
            switch self {
            case .id(let id): id.count == customer.count && Self.begins(customer, with: id)
            case .prefix(let prefix): prefix.count <= customer.count && Self.begins(customer, with: prefix)
            }
        }

        private static func begins(_ customer: Span<UInt8>, with bytes: [UInt8]) -> Bool {
            bytes.indices.allSatisfy { customer[$0] == bytes[$0] }
        }
    }

    let customers: [Pattern]
    /// nil for what the settings say.
    var readingsPerSecond: Int?

    /// Whether a token's holder may send readings of a customer.
    func allows(_ customer: CustomerID) -> Bool {
        for pattern in customers where pattern.matches(customer.utf8) { return true }
        return false
    }

    /// The tokens of the file that the settings name, by their names.
    ///
    /// - Throws: what is wrong with the file, with the number of the line.
    static func tokens(_ settings: Settings) throws(SettingsError) -> [String: Token] {
        try TokenFile.read(settings[.gatewayTokensFile], called: settings.describe(.gatewayTokensFile)) {
            words throws(TokenMistake) in try SendingGrant(words)
        }
    }

    private init(_ words: [String]) throws(TokenMistake) {
        guard (1...2).contains(words.count) else {
            throw TokenMistake("expected NAME SHA256 CUSTOMERS, and READINGS_PER_SECOND if the token has its own rate")
        }
        let rate = words.count > 1 ? Int(words[1]) : nil
        guard words.count < 2 || (1...1_000_000).contains(rate ?? 0) else {
            throw TokenMistake("\(escapingControls(words[1])): expected 1 to 1000000 readings a second")
        }
        guard let customers = Self.patterns(words[0]) else {
            throw TokenMistake(
                "expected customers' ids separated by commas, each 1 to 50 characters, or prefixes that end in \"*\"")
        }
        self.init(customers: customers, readingsPerSecond: rate)
    }

    init(customers: [Pattern], readingsPerSecond: Int? = nil) {
        self.customers = customers
        self.readingsPerSecond = readingsPerSecond
    }

    /// What a list of customers stands for; nil when it is none.
    static func patterns(_ list: String) -> [Pattern]? {
        var patterns: [Pattern] = []
        for part in list.split(separator: ",", omittingEmptySubsequences: false) {
            let isPrefix = part.hasSuffix("*")
            let text = isPrefix ? part.dropLast() : part
            guard !text.contains("*"), let id = unescapingPercents(text), isPrefix || !id.isEmpty,
                let characters = String(validating: id, as: UTF8.self)?.unicodeScalars.count, characters <= 50
            else { return nil }
            patterns.append(isPrefix ? .prefix(id) : .id(id))
        }
        return patterns
    }
}

/// A sender's token.
typealias Token = AccessToken<SendingGrant>
