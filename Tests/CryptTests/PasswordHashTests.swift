import Crypt
import Testing

struct PasswordHashTests {
    /// Of "correct horse": openssl passwd -6 and mkpasswd --method=yescrypt.
    private static let hashes = [
        "$6$heartbeat$Hx2k87YwnasG/boL38RTmyLfJX4vt5uYs8GERzm6gwj5a7DWzqybPkSr1M3GqTzcOVQxmQvAduuefnkWb0IUh0",
        "$y$j9T$heartbeatsalt.....$eiwxGVE.74EiBWSgtvnXPngT9ZxPKIOftu6R/cxdya6",
    ]

    @Test("only the password matches", arguments: hashes)
    func matches(_ text: String) throws {
        let hash = try #require(PasswordHash(text))
        #expect(hash.matches(Array("correct horse".utf8)))
        for wrong in ["", "correct horse ", "correct hors", "Correct horse", "correct horse\0", text] {
            #expect(!hash.matches(Array(wrong.utf8)), "\(wrong)")
        }
        #expect(!hash.matches([UInt8](repeating: 97, count: 100_000)))
    }

    @Test(
        "what is no hash of today",
        arguments: [
            "", "x", "secret", "$6$", "$6$salt", "$1$salt$hash", "ab01FAX.bQRSU", "$none$salt$hash", "*0",
            // SHA-256-crypt, which the system calls a thing of the past.
            "$5$heartbeat$KRx8bCDcgoJsEIDoEkOnvZe29xAJbI.uNVAuyyqpca2",
        ])
    func today(_ text: String) { #expect(PasswordHash(text) == nil) }
}
