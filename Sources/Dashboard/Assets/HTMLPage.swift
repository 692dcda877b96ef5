/// An HTML file of the page as browsers get it: with the parts that all pages share, and with a line for each module.
struct HTMLPage {
    /// The folder in the files' addresses; nil for none.
    var version: String?
    /// A file's text by its name; nil when there is none.
    let file: (String) -> String?

    /// Replaces each line `<!-- include NAME -->` by that file, and adds a preload line for each module that the page's
    /// script imports, directly or not: the browser then fetches them at once and not one after another.
    func complete(_ text: String) -> String {
        var lines: [String] = []
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if let name = Self.text(in: line, between: "<!-- include ", and: " -->") {
                lines.append((file(name) ?? "").split(separator: "\n").joined(separator: "\n"))
                continue
            }
            lines.append(String(line))
            guard line.contains("type=\"module\""), let script = Self.text(in: line, between: "\"static/", and: "\"")
            else { continue }
            for module in modules(of: script) {
                lines.append("  <link rel=\"modulepreload\" href=\"static/\(module)\">")
            }
        }
        let whole = lines.joined(separator: "\n")
        guard let version else { return whole }
        // Modules name each other relative to themselves, so that they stay below the same folder.
        return whole.split(separator: "\"static/", omittingEmptySubsequences: false).joined(
            separator: "\"static/\(version)/")
    }

    /// The modules that a script imports, and those that they import, in the order of their names.
    private func modules(of script: String) -> [String] {
        var found: Set<String> = []
        var waiting = [script]
        while let module = waiting.popLast() {
            for imported in Self.imports(of: module, file(module) ?? "") where found.insert(imported).inserted {
                waiting.append(imported)
            }
        }
        return found.sorted()
    }

    /// An import ends in `from "../lib/dom.js";`, in the first line or in that of the closing brace.
    private static func imports(of module: String, _ text: String) -> [String] {
        text.split(separator: "\n").compactMap { line in
            guard line.hasPrefix("import ") || line.hasPrefix("}"),
                let address = Self.text(in: line, between: " from \"", and: "\";")
            else { return nil }
            return resolve(address, from: module)
        }
    }

    private static func resolve(_ address: String, from module: String) -> String {
        var folders = module.split(separator: "/").dropLast()
        for part in address.split(separator: "/") {
            switch part {
            case ".": break
            case "..": _ = folders.popLast()
            default: folders.append(part)
            }
        }
        return folders.joined(separator: "/")
    }

    private static func text(in line: Substring, between start: String, and end: String) -> String? {
        guard let from = line.firstRange(of: start)?.upperBound,
            let until = line[from...].firstRange(of: end)?.lowerBound
        else { return nil }
        return String(line[from..<until])
    }
}
