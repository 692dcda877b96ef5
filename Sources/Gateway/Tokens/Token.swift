internal import Bytes
internal import Digest
internal import HeartRate

/// What the file knows of a token: who holds it, the hash of it, and for whom its holder may send.
struct Token: Sendable, Equatable {
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

    let name: String
    /// The SHA-256 of the whole token. It has 256 random bits: nobody can guess one, so the hash need not be slow.
    let digest: [UInt8]
    let customers: [Pattern]
    /// nil for what the settings say.
    let readingsPerSecond: Int?

    /// Whether its holder may send readings of a customer.
    func allows(_ customer: CustomerID) -> Bool {
        for pattern in customers where pattern.matches(customer.utf8) { return true }
        return false
    }
}
