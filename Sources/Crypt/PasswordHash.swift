internal import CLibCrypt
internal import Glibc

/// A password's hash as crypt(5) describes it, such as `$6$salt$...` (SHA-512-crypt) or `$y$...` (yescrypt).
public struct PasswordHash: Sendable {
    private let text: String

    /// Takes a hash over.
    ///
    /// - Returns: nil when the system does not know its method, or when the method is too weak for new passwords.
    public init?(_ text: String) {
        let isKnown = unsafe crypt_checksalt(text) == CRYPT_SALT_OK
        guard isKnown, text.hasPrefix("$"), text.split(separator: "$").count >= 3 else { return nil }
        self.text = text
    }

    /// Whether a password has this hash. It takes long by design: some milliseconds up to a second.
    public func matches(_ password: [UInt8]) -> Bool {
        // crypt(3) reads to the NUL, and takes no more than CRYPT_MAX_PASSPHRASE_SIZE bytes.
        guard !password.contains(0), password.count < Int(CRYPT_MAX_PASSPHRASE_SIZE) else { return false }
        let phrase = password.map(CChar.init(bitPattern:)) + [0]
        var data: UnsafeMutableRawPointer?
        var size: Int32 = 0
        defer { unsafe free(data) }
        guard let found = unsafe crypt_ra(phrase, text, &data, &size) else { return false }
        let computed = Array(unsafe String(cString: found).utf8)
        let expected = Array(text.utf8)
        guard computed.count == expected.count else { return false }
        // Without telling by the time where the first difference is.
        return zip(computed, expected).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }
}
