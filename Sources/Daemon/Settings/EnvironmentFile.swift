/// A file of `NAME=VALUE` lines in the grammar of systemd's `EnvironmentFile=` (systemd.exec(5), version 252).
///
/// What this accepts has the meaning that systemd gives it. What systemd passes over in silence, this reports: a line
/// without `=`, a quote that is never closed, bytes that are not UTF-8, and a line that vanishes because the comment above
/// it ends in a backslash (version 252 swallows that line, 254 reads it).
struct EnvironmentFile: Equatable {
    struct Assignment: Equatable {
        var name: String
        var value: String
        /// The line of the name, from 1.
        var line: Int
    }

    struct Problem: Equatable {
        /// From 1.
        var line: Int
        var text: String
    }

    /// In the order of the file; a name can be there twice, and then the last one counts.
    private(set) var assignments: [Assignment] = []
    private(set) var problems: [Problem] = []

    /// Reads the bytes of a file.
    init(_ bytes: [UInt8]) {
        var scanner = Scanner(bytes)
        while scanner.skip(while: isSpace), let first = scanner.peek {
            if first == UInt8(ascii: "#") || first == UInt8(ascii: ";") {
                skipComment(&scanner)
            } else {
                readAssignment(&scanner)
            }
        }
    }

    private mutating func readAssignment(_ scanner: inout Scanner) {
        let line = scanner.line
        let name = scanner.take { $0 != UInt8(ascii: "=") && !isLineEnd($0) }
        guard scanner.peek == UInt8(ascii: "="), !name.isEmpty else {
            _ = scanner.take { !isLineEnd($0) }
            // The text itself is not repeated: it may be the rest of a secret.
            problems.append(Problem(line: line, text: "expected NAME=VALUE"))
            return
        }
        scanner.advance()
        guard let value = readValue(&scanner) else {
            problems.append(Problem(line: line, text: "a quote is opened here and never closed"))
            return
        }
        guard let name = String(validating: trimmed(name), as: UTF8.self),
            let value = String(validating: value, as: UTF8.self),
            !name.utf8.contains(0), !value.utf8.contains(0)
        else {
            problems.append(Problem(line: line, text: "not UTF-8 text, or it contains a NUL"))
            return
        }
        assignments.append(Assignment(name: name, value: value, line: line))
    }

    /// Reads up to the end of the value's last line; nil when a quote is left open.
    private func readValue(_ scanner: inout Scanner) -> [UInt8]? {
        var value: [UInt8] = []
        // A quote counts only before the first bare character; `"a" "b"` is ab and a"b" keeps its quotes.
        while scanner.skip(while: isBlank), let byte = scanner.peek, !isLineEnd(byte) {
            if byte == UInt8(ascii: "'") {
                guard readSingleQuoted(&scanner, into: &value) else { return nil }
            } else if byte == UInt8(ascii: "\"") {
                guard readDoubleQuoted(&scanner, into: &value) else { return nil }
            } else {
                readBare(&scanner, into: &value)
                break
            }
        }
        return value
    }

    private func readSingleQuoted(_ scanner: inout Scanner, into value: inout [UInt8]) -> Bool {
        scanner.advance()
        value += scanner.take { $0 != UInt8(ascii: "'") }
        return scanner.next() != nil
    }

    private func readDoubleQuoted(_ scanner: inout Scanner, into value: inout [UInt8]) -> Bool {
        scanner.advance()
        while let byte = scanner.next() {
            if byte == UInt8(ascii: "\"") { return true }
            guard byte == UInt8(ascii: "\\") else {
                value.append(byte)
                continue
            }
            guard let escaped = scanner.next() else { return false }
            if escaped == UInt8(ascii: "\n") { continue }
            // Like the shell: before any other character the backslash stays.
            if !"\"\\`$".utf8.contains(escaped) { value.append(byte) }
            value.append(escaped)
        }
        return false
    }

    private func readBare(_ scanner: inout Scanner, into value: inout [UInt8]) {
        // Blanks are kept only when something follows them; escaped ones always.
        var kept = value.count
        while let byte = scanner.peek, !isLineEnd(byte) {
            scanner.advance()
            if byte == UInt8(ascii: "\\") {
                if let escaped = scanner.next(), !isLineEnd(escaped) { value.append(escaped) }
                kept = value.count
            } else {
                value.append(byte)
                if !isBlank(byte) { kept = value.count }
            }
        }
        value.removeLast(value.count - kept)
    }

    private mutating func skipComment(_ scanner: inout Scanner) {
        while let byte = scanner.next(), !isLineEnd(byte) {
            guard byte == UInt8(ascii: "\\"), let escaped = scanner.next(), isLineEnd(escaped) else { continue }
            scanner.skip(while: isBlank)
            guard let first = scanner.peek, !isLineEnd(first), !"#;".utf8.contains(first) else { continue }
            problems.append(
                Problem(line: scanner.line, text: "this line is lost, because the comment above it ends in a backslash")
            )
        }
    }
}

extension EnvironmentFile {
    /// A value as the file must have it to be read back the same: quoted when it has to be.
    static func quoted(_ value: String) -> String {
        let isPlain = value.utf8.allSatisfy { byte in
            !isSpace(byte) && !"\"'\\`$#;".utf8.contains(byte)
        }
        guard !isPlain else { return value }
        var quoted = "\""
        for scalar in value.unicodeScalars {
            if "\"\\`$".unicodeScalars.contains(scalar) { quoted.unicodeScalars.append("\\") }
            quoted.unicodeScalars.append(scalar)
        }
        return quoted + "\""
    }
}

/// A place in the bytes, and its line.
private struct Scanner {
    private let bytes: [UInt8]
    private var index = 0
    /// From 1.
    private(set) var line = 1

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    var peek: UInt8? {
        index < bytes.count ? bytes[index] : nil
    }

    mutating func advance() {
        if bytes[index] == UInt8(ascii: "\n") { line += 1 }
        index += 1
    }

    mutating func next() -> UInt8? {
        guard let byte = peek else { return nil }
        advance()
        return byte
    }

    mutating func take(while condition: (UInt8) -> Bool) -> ArraySlice<UInt8> {
        let start = index
        while let byte = peek, condition(byte) { advance() }
        return bytes[start..<index]
    }

    /// Always true, so that it can stand first in a loop's condition.
    @discardableResult
    mutating func skip(while condition: (UInt8) -> Bool) -> Bool {
        _ = take(while: condition)
        return true
    }
}

// systemd takes a lone carriage return for the end of a line, too.
private func isLineEnd(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r")
}

private func isBlank(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t")
}

private func isSpace(_ byte: UInt8) -> Bool {
    isBlank(byte) || isLineEnd(byte)
}

private func trimmed(_ name: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    guard let last = name.lastIndex(where: { !isBlank($0) }) else { return [] }
    return name[...last]
}
