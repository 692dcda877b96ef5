import Foundation
import Harness
import Testing

/// Words that were once all over the place and that nobody would write.
@Suite("English", .ownFolder) struct EnglishTests {
    @Test("what people read has none of the words that are not used here, also not over the end of a line")
    func words() async throws {
        let tops = ["Sources/", "db/", "etc/", "systemd/", "packaging/", "README.md"]
        let paths = try await Checkout.files().filter { path in tops.contains { path.hasPrefix($0) } }
        #expect(paths.count > 100)
        let found = paths.flatMap { path -> [String] in
            // A picture is no text.
            guard let text = try? Checkout.text(path) else { return [] }
            return Self.words(in: text).map { "\(path):\($0.line): \($0.word)" }
        }
        #expect(found.isEmpty, "\(found.joined(separator: "\n"))")
    }

    @Test("a word is found over the end of a comment's line, and not inside of another word")
    func reader() {
        let found = Self.words(in: "a\n// They can\n// not be amended, sofa\n--  So  long\n--\tas")
        #expect(found.map(\.word) == ["can not", "so long as"])
        #expect(found.map(\.line) == [2, 4])
    }

    /// Each of the words in a text, and the line on which it begins.
    private static func words(in text: String) -> [(line: Int, word: String)] {
        let gap = "\\s+(?:(?:#|//+|--|[*;])\\s*)?"
        let words = ["can not", "for ever", "anew", "mend", "mends", "mended", "so long as", "so many"]
        let pattern = words.map { $0.replacing(" ", with: gap) }.joined(separator: "|")
        // The pattern is made of the words above.
        guard let expression = try? NSRegularExpression(pattern: #"\b(?:\#(pattern))\b"#, options: .caseInsensitive)
        else { return [] }
        let whole = text as NSString
        return expression.matches(in: text, range: NSRange(location: 0, length: whole.length)).map { match in
            let line = whole.substring(to: match.range.location).count { $0 == "\n" } + 1
            let word = whole.substring(with: match.range).lowercased().split { !$0.isLetter }.joined(separator: " ")
            return (line, word)
        }
    }
}
