/// What a Swift file declares and which names it uses, found in its words without a compiler.
struct SwiftFile {
    struct TypeDeclaration {
        let name: String
        /// The type around it, by its last name.
        let parent: String?
        let line: Int
        let isPrivate: Bool
        let isAlias: Bool
    }

    struct Function {
        let name: String
        let line: Int
        let parameters: Int
        let unlabelled: Int
        /// The lines from its opening brace to its closing one, or 0 when it has none.
        var body = 0
    }

    /// A name with a capital, the name before its dot, and the types around the place.
    struct Use: Hashable {
        let name: String
        let qualifier: String?
        let enclosing: [String]
    }

    let path: String
    let lines: Int
    private(set) var types: [TypeDeclaration] = []
    private(set) var functions: [Function] = []
    /// The names of the types that it extends.
    private(set) var extended: Set<String> = []
    private(set) var uses: Set<Use> = []

    private enum Scope {
        case type([String])
        /// A function, by its index, and the line of its opening brace.
        case function(Int, Int)
        case other
    }

    private let tokens: [SwiftTokens.Token]
    private var scopes: [Scope] = []
    /// What the next brace opens.
    private var pending: Scope = .other

    init(path: String, text: String) {
        self.path = path
        lines = text.split(separator: "\n", omittingEmptySubsequences: false).count - (text.hasSuffix("\n") ? 1 : 0)
        tokens = SwiftTokens.of(text)
        var place = 0
        while place < tokens.count { place = read(place) }
    }

    private func text(_ place: Int) -> String { tokens.indices.contains(place) ? tokens[place].text : "" }

    private var enclosing: [String] {
        scopes.flatMap { scope -> [String] in
            if case .type(let names) = scope { return names }
            return []
        }
    }

    /// Reads what stands at a place; returns where to read on.
    private mutating func read(_ place: Int) -> Int {
        let isMember = text(place - 1) == "."
        switch text(place) {
        case "{": open(tokens[place].line)
        case "}": close(tokens[place].line)
        // What has a value at once has no body of its own.
        case "=": pending = .other
        case "struct", "class", "enum", "actor", "protocol", "typealias":
            if !isMember { declareType(place) }
        case "extension" where !isMember: extend(place)
        case "func" where !isMember: return declareFunction(place, name: text(place + 1))
        case "init" where !isMember && ["(", "?", "!", "<"].contains(text(place + 1)),
            "subscript" where !isMember && ["(", "<"].contains(text(place + 1)):
            return declareFunction(place, name: text(place))
        case "deinit" where text(place + 1) == "{", "var" where !isMember:
            functions.append(Function(name: text(place), line: tokens[place].line, parameters: 0, unlabelled: 0))
            pending = .function(functions.count - 1, 0)
        case "let" where !isMember: pending = .other
        default: use(place)
        }
        return place + 1
    }

    private mutating func open(_ line: Int) {
        if case .function(let index, _) = pending { pending = .function(index, line) }
        scopes.append(pending)
        pending = .other
    }

    private mutating func close(_ line: Int) {
        pending = .other
        if case .function(let index, let first) = scopes.popLast() { functions[index].body = line - first + 1 }
    }

    private mutating func declareType(_ place: Int) {
        let name = text(place + 1)
        guard name.first?.isUppercase == true, text(place - 1) != "import" else { return }
        let modifiers = tokens[max(0, place - 4)..<place].filter { $0.line == tokens[place].line }.map(\.text)
        let isAlias = text(place) == "typealias"
        types.append(
            TypeDeclaration(
                name: name, parent: enclosing.last, line: tokens[place].line,
                isPrivate: modifiers.contains("private") || modifiers.contains("fileprivate"), isAlias: isAlias))
        if !isAlias { pending = .type([name]) }
    }

    private mutating func extend(_ place: Int) {
        var names = [text(place + 1)]
        var next = place + 2
        while text(next) == "." {
            names.append(text(next + 1))
            next += 2
        }
        extended.formUnion(names)
        pending = .type(names)
    }

    /// Reads a function's parameters; what they are made of is read again as code, for the names in it.
    private mutating func declareFunction(_ place: Int, name: String) -> Int {
        var next = place + (name == text(place) ? 1 : 2)
        if text(next) == "<" && name.first?.isLetter == true { next = end(ofList: next, from: "<", to: ">") }
        while next < tokens.count && text(next) != "(" { next += 1 }
        let last = end(ofList: next, from: "(", to: ")")
        let parameters = parameters(from: next + 1, to: last - 1)
        for inside in place..<last { use(inside) }
        functions.append(
            Function(
                name: name, line: tokens[place].line, parameters: parameters.count,
                unlabelled: name == "subscript" ? 0 : parameters.count { $0 == "_" }))
        pending = .function(functions.count - 1, 0)
        return last
    }

    /// The place after the sign that closes the list which begins at a place.
    private func end(ofList place: Int, from opening: String, to closing: String) -> Int {
        var depth = 0
        var next = place
        repeat {
            if text(next) == opening { depth += 1 }
            if text(next) == closing { depth -= 1 }
            next += 1
        } while depth > 0 && next < tokens.count
        return next
    }

    /// The first name of each parameter: `_` where it has no label.
    private func parameters(from first: Int, to last: Int) -> [String] {
        var labels: [String] = []
        var depth = 0
        var isNext = true
        for place in first..<max(first, last) {
            switch text(place) {
            case "(", "[", "{", "<": depth += 1
            case ")", "]", "}", ">": depth -= 1
            case "," where depth == 0: isNext = true
            case "@": break
            default:
                // An attribute stands before the name.
                if isNext && depth == 0 && text(place - 1) != "@" {
                    labels.append(text(place))
                    isNext = false
                }
            }
        }
        return labels
    }

    private mutating func use(_ place: Int) {
        let name = text(place)
        guard name.first?.isUppercase == true else { return }
        let qualifier = text(place - 1) == "." ? text(place - 2) : nil
        uses.insert(Use(name: name, qualifier: qualifier, enclosing: enclosing))
    }
}
