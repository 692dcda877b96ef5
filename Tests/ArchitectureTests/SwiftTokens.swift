/// The words of a Swift file: names and signs, each with its line. Comments, and what strings and patterns say, are left out;
/// the code inside a string's `\(...)` is not.
struct SwiftTokens {
    struct Token: Equatable {
        let text: String
        let line: Int
    }

    private(set) var tokens: [Token] = []
    private let bytes: [UInt8]
    private var place = 0
    private var line = 1

    /// Splits a text into its words.
    static func of(_ text: String) -> [Token] {
        var scanner = Self(bytes: Array(text.utf8))
        scanner.scanCode(untilParenthesis: false)
        return scanner.tokens
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    private func byte(_ distance: Int = 0) -> UInt8? {
        bytes.indices.contains(place + distance) ? bytes[place + distance] : nil
    }

    private func isAt(_ text: StaticString, _ distance: Int = 0) -> Bool {
        let count = text.utf8CodeUnitCount
        guard place + distance + count <= bytes.count else { return false }
        return bytes[(place + distance)..<(place + distance + count)].elementsEqual("\(text)".utf8)
    }

    private mutating func advance(_ count: Int = 1) {
        for _ in 0..<count where place < bytes.count {
            if bytes[place] == UInt8(ascii: "\n") { line += 1 }
            place += 1
        }
    }

    private static func isNamePart(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "$"), 0x80...:
            true
        default: false
        }
    }

    /// Reads code to the end of the file, or to the parenthesis that ends an interpolation.
    private mutating func scanCode(untilParenthesis: Bool) {
        var depth = 0
        while let current = byte() {
            if current == UInt8(ascii: " ") || current == UInt8(ascii: "\n") {
                advance()
            } else if isAt("//") {
                while let next = byte(), next != UInt8(ascii: "\n") { advance() }
            } else if isAt("/*") {
                skipComment()
            } else if let pounds = poundsBeforeQuote() {
                scanString(pounds)
            } else if isAt("#/") || startsPattern() {
                skipPattern()
            } else if Self.isNamePart(current) || current == UInt8(ascii: "`") {
                scanName()
            } else {
                if current == UInt8(ascii: "(") { depth += 1 }
                if current == UInt8(ascii: ")") { depth -= 1 }
                if untilParenthesis && depth < 0 { return advance() }
                let text = isAt("->") ? "->" : String(UnicodeScalar(current))
                tokens.append(Token(text: text, line: line))
                advance(text.utf8.count)
            }
        }
    }

    private mutating func scanName() {
        let start = place
        advance()
        while let next = byte(), Self.isNamePart(next) || next == UInt8(ascii: "`") { advance() }
        let text = String(decoding: bytes[start..<place], as: UTF8.self)
        tokens.append(Token(text: text.filter { $0 != "`" }, line: line))
    }

    private mutating func skipComment() {
        var depth = 0
        repeat {
            if isAt("/*") {
                depth += 1
                advance(2)
            } else if isAt("*/") {
                depth -= 1
                advance(2)
            } else {
                advance()
            }
        } while depth > 0 && place < bytes.count
    }

    /// How many `#` stand before a quotation mark here, or nil when no string begins.
    private func poundsBeforeQuote() -> Int? {
        var count = 0
        while byte(count) == UInt8(ascii: "#") { count += 1 }
        return byte(count) == UInt8(ascii: "\"") ? count : nil
    }

    private mutating func scanString(_ pounds: Int) {
        advance(pounds)
        let quotes = isAt("\"\"\"") ? 3 : 1
        advance(quotes)
        tokens.append(Token(text: "\"", line: line))
        let end =
            Array(repeating: UInt8(ascii: "\""), count: quotes) + Array(repeating: UInt8(ascii: "#"), count: pounds)
        let escape = [UInt8(ascii: "\\")] + Array(repeating: UInt8(ascii: "#"), count: pounds)
        while place < bytes.count {
            let rest = bytes[place...]
            if rest.starts(with: end) { return advance(end.count) }
            guard rest.starts(with: escape) else {
                advance()
                continue
            }
            advance(escape.count)
            let isInterpolation = byte() == UInt8(ascii: "(")
            advance()
            if isInterpolation { scanCode(untilParenthesis: true) }
        }
    }

    /// Whether a `/` begins a pattern: nothing stands before it that could be divided, and another one ends it on this line.
    private func startsPattern() -> Bool {
        guard byte() == UInt8(ascii: "/"), let next = byte(1), next != UInt8(ascii: " ") else { return false }
        if let last = tokens.last?.text, !["(", ",", "=", ":", "[", "{", "return", "try", "in"].contains(last) {
            return false
        }
        return bytes[(place + 1)...].prefix { $0 != UInt8(ascii: "\n") }.contains(UInt8(ascii: "/"))
    }

    private mutating func skipPattern() {
        let isExtended = isAt("#/")
        advance(isExtended ? 2 : 1)
        while place < bytes.count, !(isExtended ? isAt("/#") : isAt("/")) { advance(isAt("\\") ? 2 : 1) }
        advance(isExtended ? 2 : 1)
    }
}
