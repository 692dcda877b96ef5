internal import Bytes
public import Daemon
internal import Digest

/// A token that nobody has yet, and the line of the file that knows its hash.
public struct MintedToken: Sendable {
    /// For its holder, and shown only once: `NAME.SECRET`.
    public let token: String
    /// For the file.
    public let line: String
    private let name: String

    /// Makes a token with 256 random bits.
    ///
    /// - Parameters:
    ///   - name: whose it is.
    ///   - grant: what it is for, as the file has it.
    /// - Throws: `CommandFailure` when the name is none.
    public init(_ name: String, grant: String) throws(CommandFailure) {
        guard TokenFile.isName(name) else {
            throw CommandFailure(
                .software, "\"\(name)\": expected a name of 1 to 50 letters, digits, \"-\" and \"_\"")
        }
        var random = SystemRandomNumberGenerator()
        let secret = (0..<32).map { _ in UInt8.random(in: 0...255, using: &random) }
        self.name = name
        token = name + "." + String(hexadecimal: secret)
        line = "\(name) \(String(hexadecimal: sha256(Array(token.utf8)))) \(grant)"
    }

    /// Adds the line to a file.
    ///
    /// - Parameter known: the tokens that the file has.
    /// - Throws: `CommandFailure` when the name is taken or the file cannot be written.
    public func add<Grant>(to path: String, known: [String: AccessToken<Grant>]) throws(CommandFailure) {
        guard known[name] == nil else {
            throw CommandFailure(
                .software, "there is a token \"\(name)\" already", hint: "delete its line from \(path) to replace it")
        }
        do throws(SystemError) {
            try appendToFile(path, line + "\n")
        } catch {
            throw CommandFailure(.ioError, "unable to write to \"\(path)\": \(error)", hint: "run it as root")
        }
    }
}
