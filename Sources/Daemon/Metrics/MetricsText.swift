/// Metrics in Prometheus' text format, read from several files and written as one.
///
/// The format wants all samples of a name together, under one HELP and one TYPE.
public struct MetricsText: Sendable {
    /// One line of a file: `name{label="value"} 1`.
    public struct Sample: Sendable {
        /// The sample's own name, such as `x_bucket`.
        public let name: String
        /// Its labels with their values as they were before escaping.
        public let labels: [String: String]
        /// Its value.
        public let value: Double
        let line: Substring
    }

    private struct FoundFamily {
        var head: [Substring] = []
        var samples: [Sample] = []
    }

    /// Nothing.
    public init() {}

    private var names: [String] = []
    private var families: [String: FoundFamily] = [:]

    /// Adds a daemon's file. Lines that are no metrics are left out.
    public mutating func add(_ text: String) {
        var family = ""
        for line in text.split(separator: "\n") {
            if line.hasPrefix("#") {
                let words = line.split(separator: " ", maxSplits: 3)
                guard words.count >= 3, words[1] == "HELP" || words[1] == "TYPE", isName(words[2]) else { continue }
                family = String(words[2])
                declare(family, line, kind: words[1])
            } else if let sample = Self.sample(line) {
                // A histogram's samples have names of their own, which begin with the family's.
                if !sample.name.hasPrefix(family) || family.isEmpty { family = sample.name }
                if families[family] == nil { names.append(family) }
                families[family, default: FoundFamily()].samples.append(sample)
            }
        }
    }

    private mutating func declare(_ name: String, _ line: Substring, kind: Substring) {
        if families[name] == nil { names.append(name) }
        let prefix = "# \(kind) "
        if families[name]?.head.contains(where: { $0.hasPrefix(prefix) }) ?? false { return }
        families[name, default: FoundFamily()].head.append(line)
    }

    /// Everything as text.
    public var text: String {
        var text = ""
        for name in names {
            guard let family = families[name], !family.samples.isEmpty else { continue }
            for line in family.head { text += line + "\n" }
            for sample in family.samples { text += sample.line + "\n" }
        }
        return text
    }

    /// The samples of a name.
    public func samples(_ name: String) -> [Sample] { families[name]?.samples ?? [] }

    private static func sample(_ line: Substring) -> Sample? {
        let name = line.prefix { $0 != "{" && $0 != " " }
        guard isName(name) else { return nil }
        var rest = line[name.endIndex...]
        var labels: [String: String] = [:]
        if rest.first == "{" {
            guard let end = readLabels(rest.dropFirst(), &labels) else { return nil }
            rest = rest[end...]
        }
        let words = rest.split(separator: " ")
        guard let first = words.first, words.count <= 2, let value = number(first) else { return nil }
        return Sample(name: String(name), labels: labels, value: value, line: line)
    }

    /// Reads `a="b",c="d"}`.
    ///
    /// - Returns: the index after the brace; nil when the text is something else.
    private static func readLabels(_ text: Substring, _ labels: inout [String: String]) -> Substring.Index? {
        var rest = text
        while rest.first != "}" {
            let name = rest.prefix { $0 != "=" }
            rest = rest.dropFirst(name.count)
            guard isName(name), rest.hasPrefix("=\"") else { return nil }
            rest = rest.dropFirst(2)
            var value = ""
            while let character = rest.popFirst(), character != "\"" {
                if character == "\\" {
                    guard let escaped = rest.popFirst() else { return nil }
                    value.append(escaped == "n" ? "\n" : escaped)
                } else {
                    value.append(character)
                }
            }
            labels[String(name)] = value
            if rest.first == "," { rest = rest.dropFirst() } else if rest.first != "}" { return nil }
        }
        return rest.index(after: rest.startIndex)
    }

    private static func number(_ text: Substring) -> Double? {
        switch text {
        case "+Inf": .infinity
        case "-Inf": -.infinity
        case "NaN": .nan
        default: Double(text)
        }
    }
}

private func isName(_ text: Substring) -> Bool {
    guard let first = text.utf8.first, !(48...57).contains(first) else { return false }
    return text.utf8.allSatisfy { byte in
        (97...122).contains(byte) || (65...90).contains(byte) || (48...57).contains(byte) || byte == UInt8(ascii: "_")
            || byte == UInt8(ascii: ":")
    }
}
