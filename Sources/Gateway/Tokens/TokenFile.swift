internal import Bytes
internal import Daemon
internal import Digest

/// The file of tokens, a line each: `NAME SHA256 CUSTOMERS [READINGS_PER_SECOND]`.
///
/// CUSTOMERS are ids separated by commas; one that ends in `*` is a prefix. A blank, `,`, `*`, `#` and `%` in an id are written as in a
/// URL: `%20`. What comes after `#` is a comment.
enum TokenFile {
    /// The tokens of the file that the settings name, by their names; none when there is no such file.
    ///
    /// - Throws: what is wrong with the file, with the number of the line.
    static func read(_ settings: Settings) throws(SettingsError) -> [String: Token] {
        let name = settings.describe(.gatewayTokensFile)
        let bytes: [UInt8]
        do throws(SystemError) {
            bytes = try readWholeFile(settings[.gatewayTokensFile])
        } catch {
            guard error.isNoSuchFile else { throw SettingsError(["\(name): unable to read the file: \(error)"]) }
            return [:]
        }
        var tokens: [String: Token] = [:]
        var problems: [String] = []
        let lines = String(decoding: bytes, as: UTF8.self).split(omittingEmptySubsequences: false) { $0.isNewline }
        for (index, line) in lines.enumerated() {
            do throws(Malformed) {
                guard let token = try token(line) else { continue }
                guard tokens.updateValue(token, forKey: token.name) == nil else {
                    throw Malformed("\"\(token.name)\" is there twice")
                }
            } catch {
                problems.append("\(name), line \(index + 1): \(error.words)")
            }
        }
        guard problems.isEmpty else { throw SettingsError(problems) }
        return tokens
    }

    private struct Malformed: Error {
        let words: String
        init(_ words: String) { self.words = words }
    }

    private static func token(_ line: Substring) throws(Malformed) -> Token? {
        let words = line.prefix { $0 != "#" }.split { $0 == " " || $0 == "\t" }.map(String.init)
        guard !words.isEmpty else { return nil }
        guard (3...4).contains(words.count) else {
            throw Malformed("expected NAME SHA256 CUSTOMERS, and READINGS_PER_SECOND if the token has its own rate")
        }
        guard isName(words[0]) else { throw Malformed("expected a name of 1 to 50 letters, digits, \"-\" and \"_\"") }
        guard let digest = hexadecimal(words[1]), digest.count == 32 else {
            throw Malformed("expected the SHA-256 of the token as 64 hexadecimal digits")
        }
        let rate = words.count > 3 ? Int(words[3]) : nil
        guard words.count < 4 || (1...1_000_000).contains(rate ?? 0) else {
            throw Malformed("\(escapingControls(words[3])): expected 1 to 1000000 readings a second")
        }
        guard let customers = patterns(words[2]) else {
            throw Malformed(
                "expected customers' ids separated by commas, each 1 to 50 characters, or prefixes that end in \"*\"")
        }
        return Token(name: words[0], digest: digest, customers: customers, readingsPerSecond: rate)
    }

    /// Whether a token can be called so.
    static func isName(_ text: String) -> Bool {
        (1...50).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                (97...122).contains(byte) || (65...90).contains(byte) || (48...57).contains(byte)
                    || "-_".utf8.contains(byte)
            }
    }

    /// What a list of customers stands for; nil when it is none.
    static func patterns(_ list: String) -> [Token.Pattern]? {
        var patterns: [Token.Pattern] = []
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

    private static func hexadecimal(_ text: String) -> [UInt8]? {
        let digits = text.compactMap(\.hexDigitValue)
        guard digits.count == text.utf8.count, digits.count.isMultiple(of: 2) else { return nil }
        return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
    }
}
