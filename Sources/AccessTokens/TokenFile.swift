internal import Bytes
public import Daemon

/// What is wrong with a line of a file of tokens.
public struct TokenMistake: Error {
    /// The end of a sentence that names the line.
    public let words: String

    /// A mistake in these words.
    public init(_ words: String) { self.words = words }
}

/// A file of tokens, a line each: `NAME SHA256` and what it is for. What comes after `#` is a comment.
public enum TokenFile {
    /// The tokens of a file by their names; none when there is no such file.
    ///
    /// - Parameters:
    ///   - name: how a sentence names the file.
    ///   - grant: what the words after the hash stand for.
    /// - Throws: what is wrong with the file, with the number of the line.
    public static func read<Grant>(
        _ path: String, called name: String, grant: ([String]) throws(TokenMistake) -> Grant
    ) throws(SettingsError) -> [String: AccessToken<Grant>] {
        let bytes: [UInt8]
        do throws(SystemError) {
            bytes = try readWholeFile(path)
        } catch {
            guard error.isNoSuchFile else { throw SettingsError(["\(name): unable to read the file: \(error)"]) }
            return [:]
        }
        var tokens: [String: AccessToken<Grant>] = [:]
        var problems: [String] = []
        let lines = String(decoding: bytes, as: UTF8.self).split(omittingEmptySubsequences: false) { $0.isNewline }
        for (index, line) in lines.enumerated() {
            do throws(TokenMistake) {
                let words = line.prefix { $0 != "#" }.split { $0 == " " || $0 == "\t" }.map(String.init)
                guard !words.isEmpty else { continue }
                let token = try token(words, grant)
                guard tokens.updateValue(token, forKey: token.name) == nil else {
                    throw TokenMistake("\"\(token.name)\" is there twice")
                }
            } catch {
                problems.append("\(name), line \(index + 1): \(error.words)")
            }
        }
        guard problems.isEmpty else { throw SettingsError(problems) }
        return tokens
    }

    private static func token<Grant>(
        _ words: [String], _ grant: ([String]) throws(TokenMistake) -> Grant
    ) throws(TokenMistake) -> AccessToken<Grant> {
        guard isName(words[0]) else {
            throw TokenMistake("expected a name of 1 to 50 letters, digits, \"-\" and \"_\"")
        }
        guard words.count > 1, let digest = hexadecimal(words[1]), digest.count == 32 else {
            throw TokenMistake("expected the SHA-256 of the token as 64 hexadecimal digits after the name")
        }
        return AccessToken(name: words[0], digest: digest, grant: try grant(Array(words.dropFirst(2))))
    }

    /// Whether a token can be called so.
    static func isName(_ text: String) -> Bool {
        (1...50).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                (97...122).contains(byte) || (65...90).contains(byte) || (48...57).contains(byte)
                    || "-_".utf8.contains(byte)
            }
    }

    private static func hexadecimal(_ text: String) -> [UInt8]? {
        let digits = text.compactMap(\.hexDigitValue)
        guard digits.count == text.utf8.count, digits.count.isMultiple(of: 2) else { return nil }
        return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
    }
}
