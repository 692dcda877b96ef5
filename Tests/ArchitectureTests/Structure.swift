import Foundation

/// How a tree of sources is built: what stands between its files, and how large its parts are.
struct Structure {
    /// A place that breaks a rule, as `path:line: what`.
    typealias Places = [String]

    let root: URL
    /// The files below Sources and Tests, as paths from the root.
    let paths: [String]
    let files: [SwiftFile]

    init(root: URL) throws {
        self.root = root
        var paths: [String] = []
        for top in ["Sources", "Tests"] {
            let names = FileManager.default.enumerator(
                at: root.appending(path: top), includingPropertiesForKeys: [.isRegularFileKey],
                options: .skipsHiddenFiles)
            for case let url as URL in names ?? .init()
            where try url.resourceValues(forKeys: [.isRegularFileKey]).isRegularFile == true {
                paths.append(String(url.standardizedFileURL.path.dropFirst(root.standardizedFileURL.path.count + 1)))
            }
        }
        self.paths = paths.filter { !$0.contains("__pycache__") }.sorted()
        files = try self.paths.filter { $0.hasSuffix(".swift") }.map { path in
            SwiftFile(path: path, text: try String(contentsOf: root.appending(path: path), encoding: .utf8))
        }
    }

    /// The Swift files of each target of Sources.
    var targets: [(name: String, files: [SwiftFile])] {
        let sources = files.filter { $0.path.hasPrefix("Sources/") }
        return Dictionary(grouping: sources) { String($0.path.split(separator: "/")[1]) }
            .map { (name: $0.key, files: $0.value) }.sorted { $0.name < $1.name }
    }

    // MARK: Between the files

    /// Files of one target that need each other, in a circle. A type's extensions in other files belong to the type, so that
    /// they name it makes no circle, unless these are counted too.
    func circles(countingExtensions: Bool = false) -> Places {
        targets.flatMap { target -> Places in
            let arrows = Self.arrows(target.files, countingExtensions: countingExtensions)
            return Self.circles(of: arrows).map { circle in
                let names = circle.sorted().map { String($0.split(separator: "/").dropFirst(2).joined(separator: "/")) }
                return "Sources/\(target.name): a circle of \(circle.count) files: \(names.joined(separator: ", "))"
            }
        }
    }

    /// From each file to those that declare a type which it uses.
    static func arrows(_ files: [SwiftFile], countingExtensions: Bool = false) -> [String: Set<String>] {
        var declarations: [String: [(file: SwiftFile, type: SwiftFile.TypeDeclaration)]] = [:]
        for file in files { for type in file.types { declarations[type.name, default: []].append((file, type)) } }
        var arrows: [String: Set<String>] = [:]
        for file in files {
            arrows[file.path] = []
            for use in file.uses {
                let known = declarations[use.name] ?? []
                if known.contains(where: { $0.file.path == file.path }) { continue }
                for (other, type) in known where !type.isPrivate && refers(use, to: type) {
                    guard countingExtensions || file.extended.isDisjoint(with: other.types.map(\.name)) else {
                        continue
                    }
                    arrows[file.path]?.insert(other.path)
                }
            }
        }
        return arrows
    }

    private static func refers(_ use: SwiftFile.Use, to type: SwiftFile.TypeDeclaration) -> Bool {
        if let qualifier = use.qualifier { return qualifier == type.parent }
        return type.parent.map(use.enclosing.contains) ?? true
    }

    /// The groups of files in which each reaches each other (Tarjan's strongly connected components of two or more).
    static func circles(of arrows: [String: Set<String>]) -> [[String]] {
        var order: [String: Int] = [:]
        var lowest: [String: Int] = [:]
        var stack: [String] = []
        var circles: [[String]] = []
        func visit(_ file: String) {
            order[file] = order.count
            lowest[file] = order[file]
            stack.append(file)
            for next in (arrows[file] ?? []).sorted() {
                if order[next] == nil {
                    visit(next)
                    lowest[file] = min(lowest[file]!, lowest[next]!)
                } else if stack.contains(next) {
                    lowest[file] = min(lowest[file]!, order[next]!)
                }
            }
            guard lowest[file] == order[file] else { return }
            let circle = Array(stack[stack.firstIndex(of: file)!...])
            stack.removeLast(circle.count)
            if circle.count > 1 { circles.append(circle) }
        }
        for file in arrows.keys.sorted() where order[file] == nil { visit(file) }
        return circles
    }

    /// Types of one name in one target. `CodingKeys` and aliases inside of a type have names that the language gives.
    func namesakes() -> Places {
        targets.flatMap { target -> Places in
            var places: [String: [String]] = [:]
            for file in target.files {
                for type in file.types where type.name != "CodingKeys" && !(type.isAlias && type.parent != nil) {
                    places[type.name, default: []].append("\(file.path):\(type.line)")
                }
            }
            return places.filter { $0.value.count > 1 }.sorted { $0.key < $1.key }.map { name, found in
                "\(found[0]): \(target.name) has \(found.count) types \(name), also at \(found.dropFirst().joined(separator: ", "))"
            }
        }
    }

    /// The folder with the most files of its own.
    var largestFolder: String {
        let counts = Dictionary(grouping: paths) { $0.split(separator: "/").dropLast().joined(separator: "/") }
            .mapValues(\.count)
        return counts.max { ($0.value, $1.key) < ($1.value, $0.key) }.map { "\($0.value) files in \($0.key)" } ?? "none"
    }

    /// Folders with more files of their own than the limit.
    func folders(over limit: Int) -> Places {
        Dictionary(grouping: paths) { $0.split(separator: "/").dropLast().joined(separator: "/") }
            .filter { $0.value.count > limit }.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value.count) files" }
    }

    // MARK: Inside the files

    /// The functions of which there is something to say.
    private func functions(_ what: (SwiftFile.Function) -> String?) -> Places {
        files.flatMap { file in
            file.functions.compactMap { function in
                what(function).map { "\(file.path):\(function.line): \(function.name): \($0)" }
            }
        }
    }

    func parameters(over limit: Int) -> Places {
        functions { $0.parameters > limit ? "\($0.parameters) parameters" : nil }
    }

    func unlabelled(over limit: Int) -> Places {
        functions { $0.unlabelled > limit ? "\($0.unlabelled) unlabelled parameters" : nil }
    }

    func bodies(over limit: Int) -> Places {
        functions { $0.body > limit ? "a body of \($0.body) lines" : nil }
    }

    func files(over limit: Int) -> Places {
        files.filter { $0.lines > limit }.map { "\($0.path): \($0.lines) lines" }
    }

    // MARK: The tests' folders

    /// Where the tests do not lie as what they test: folders that Sources does not have, and tests beside the folder of their
    /// subject. `elsewhere` says where the subjects of some targets of tests are; the others have a target of their name.
    func misplacedTests(elsewhere: [String: String?]) -> Places {
        let tests = files.map(\.path).filter { $0.wholeMatch(of: /Tests\/\w+Tests\/.*/) != nil }
        return tests.compactMap { path in
            let parts = path.split(separator: "/").map(String.init)
            let target = String(parts[1].dropLast("Tests".count))
            guard let home = elsewhere[target] ?? "Sources/\(target)" else { return nil }
            let folder = ([home] + parts.dropFirst(2).dropLast()).joined(separator: "/")
            guard paths.contains(where: { $0.hasPrefix(folder + "/") }) else { return "\(path): there is no \(folder)" }
            let subject = parts.last!.replacing(/Tests\.swift$/, with: ".swift")
            let places = paths.filter { $0.hasPrefix(home + "/") && $0.hasSuffix("/" + subject) }
            return places.isEmpty || places.contains("\(folder)/\(subject)") ? nil : "\(path): it tests \(places[0])"
        }
    }
}
