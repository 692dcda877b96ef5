internal import Bytes
public import Daemon
internal import Digest

/// A token that nobody has yet, and the line of the file that knows its hash.
public struct NewToken: Sendable {
    /// For the sender, and shown only once: `NAME.SECRET`.
    public let token: String
    /// For the file.
    public let line: String

    /// Makes a token with 256 random bits.
    ///
    /// - Parameters:
    ///   - name: whose it is.
    ///   - customers: ids separated by commas; one that ends in `*` is a prefix.
    ///   - readingsPerSecond: how many readings a second its holder may send; nil for what the settings say.
    /// - Throws: `CommandFailure` when the name or the customers are none.
    public init(_ name: String, customers: String, readingsPerSecond: Int?) throws(CommandFailure) {
        guard TokenFile.isName(name) else {
            throw CommandFailure(
                .software, "\"\(name)\": expected a name of 1 to 50 letters, digits, \"-\" and \"_\"")
        }
        guard TokenFile.patterns(customers) != nil, !customers.contains(where: { " \t#".contains($0) || $0.isNewline })
        else {
            throw CommandFailure(
                .software,
                "\"\(customers)\": expected customers' ids separated by commas, or prefixes that end in \"*\"",
                hint: "write a blank in an id as %20")
        }
        var random = SystemRandomNumberGenerator()
        let secret = (0..<32).map { _ in UInt8.random(in: 0...255, using: &random) }
        token = name + "." + String(hexadecimal: secret)
        let rate = readingsPerSecond.map { " \($0)" } ?? ""
        line = "\(name) \(String(hexadecimal: sha256(Array(token.utf8)))) \(customers)\(rate)"
    }

    /// Adds the line to the file that the settings name.
    ///
    /// - Throws: `SettingsError` when the file has a mistake; `CommandFailure` when the name is taken or the file cannot be
    ///   written.
    public func add(to settings: Settings) throws {
        let path = settings[.gatewayTokensFile]
        let name = String(line.prefix { $0 != " " })
        guard try TokenFile.read(settings)[name] == nil else {
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
