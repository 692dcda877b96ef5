import Foundation

/// A Markdown file of the checkout.
struct Document {
    /// From the root of the checkout.
    let path: String
    let text: String

    init(_ path: String) throws {
        self.path = path
        text = try Checkout.text(path)
    }

    /// All that are in version control.
    static func all() async throws -> [Document] {
        try await Checkout.files().filter { $0.hasSuffix(".md") }.map { try Document($0) }
    }

    var lines: [Substring] { text.split(separator: "\n", omittingEmptySubsequences: false).dropLast() }

    /// The lines of fenced blocks of a language.
    func block(_ language: String) -> [String] {
        text.matches(of: /```(\w*)\n((?s).*?)```/).filter { $0.1 == language }.flatMap { match in
            match.2.split(separator: "\n").map(String.init)
        }
    }

    /// The text without its fenced blocks.
    private var prose: String { text.replacing(/```\w*\n(?s).*?```/, with: "") }

    /// Where its links and pictures lead.
    var links: [String] { prose.matches(of: /\]\(([^)\s]+)\)/).map { String($0.1) } }

    /// The anchors of its headings, as GitHub makes them.
    var anchors: Set<String> {
        Set(
            prose.split(separator: "\n").filter { $0.hasPrefix("#") }.map { heading in
                let words = heading.drop { $0 == "#" || $0 == " " }.lowercased()
                return String(words.filter { $0.isLetter || $0.isNumber || "-_ ".contains($0) })
                    .replacing(" ", with: "-")
            })
    }

    /// A link's file, from the root of the checkout.
    func resolve(_ link: String) -> String {
        var parts = path.split(separator: "/").dropLast().map(String.init)
        for part in link.split(separator: "#")[0].split(separator: "/") {
            if part == ".." { _ = parts.popLast() } else if part != "." { parts.append(String(part)) }
        }
        return parts.joined(separator: "/")
    }
}

extension Checkout {
    /// The text of every file below a folder, as far as it is text.
    static func texts(in folder: String) async throws -> [String] {
        try await files().filter { $0.hasPrefix(folder) }.compactMap { try? text($0) }
    }
}
