import Foundation
import Harness

/// The files of the checkout that the tests were built from.
enum Checkout {
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// What is in version control, as paths from the root.
    static func files() async throws -> [String] {
        try await shell("cd '\(root.path)' && git ls-files").split(separator: "\n").map(String.init)
    }

    static func text(_ path: String) throws -> String {
        try String(contentsOf: root.appending(path: path), encoding: .utf8)
    }

    /// A file of Swift, by its target.
    struct Source {
        let target: String
        let path: String
        /// Its lines without comments.
        let code: [Substring]

        /// The modules that it imports.
        var imports: [String] {
            code.compactMap { line in
                // `@testable public import struct Module.Type` at most.
                let words = line.split(separator: " ")
                guard let place = words.firstIndex(of: "import"), place <= 2, let last = words.last else { return nil }
                return last.split(separator: ".").first.map(String.init)
            }
        }

        /// Whether it has the keyword `unsafe`.
        var isUnsafe: Bool {
            code.contains { line in
                line.contains("unsafe")
                    && line.split { !($0.isLetter || $0.isNumber || $0 == "_") }.contains("unsafe")
            }
        }
    }

    static func sources() async throws -> [Source] {
        try await files().filter { $0.hasPrefix("Sources/") && $0.hasSuffix(".swift") }.map { path in
            let lines = try text(path).split(separator: "\n", omittingEmptySubsequences: false)
            return Source(
                target: String(path.split(separator: "/")[1]), path: path,
                code: lines.map { line in line.range(of: "//").map { line[..<$0.lowerBound] } ?? line })
        }
    }
}
