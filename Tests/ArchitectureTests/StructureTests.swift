import Foundation
import Testing

/// What stands between the files, and how large they are. `HEARTBEAT_TREE=FOLDER` measures another checkout instead.
@Suite("Structure") struct StructureTests {
    private let structure: Structure

    init() throws {
        let other = ProcessInfo.processInfo.environment["HEARTBEAT_TREE"].map { URL(filePath: $0) }
        structure = try Structure(root: other ?? Checkout.root)
    }

    /// Tests whose subject has no target of that name: a folder of another one, or, where it is the whole, none.
    private static let subjects: [String: String?] = [
        "Architecture": nil, "Pipeline": nil, "Demo": "Sources/heartbeat/Demo",
    ]

    private func expectNone(_ rule: String, _ places: Structure.Places) {
        print("measured: \(rule): \(places.count)")
        #expect(places.isEmpty, "\(rule):\n\(places.joined(separator: "\n"))")
    }

    @Test("no files of a target need each other in a circle")
    func circles() {
        print("measured: circles with a type's own extensions: \(structure.circles(countingExtensions: true).count)")
        expectNone("circles", structure.circles())
    }

    @Test("no folder has more than 14 files of its own")
    func folders() {
        print("measured: largest folder: \(structure.largestFolder)")
        expectNone("folders of more than 14 files", structure.folders(over: 14))
    }

    @Test("no two types of a target have one name")
    func namesakes() { expectNone("names of several types", structure.namesakes()) }

    @Test("no function has more than five parameters, or more than two without a label")
    func parameters() {
        expectNone("functions of more than 5 parameters", structure.parameters(over: 5))
        expectNone("functions of more than 2 unlabelled parameters", structure.unlabelled(over: 2))
    }

    @Test("no function is longer than 46 lines, and no file longer than 392")
    func lengths() {
        let functions = structure.files.flatMap(\.functions)
        print("measured: functions: \(functions.count), longest body: \(functions.map(\.body).max() ?? 0)")
        print("measured: files: \(structure.files.count), longest: \(structure.files.map(\.lines).max() ?? 0)")
        expectNone("bodies of more than 46 lines", structure.bodies(over: 46))
        expectNone("files of more than 392 lines", structure.files(over: 392))
    }

    @Test("tests lie in the folders of what they test")
    func mirror() { expectNone("misplaced tests", structure.misplacedTests(elsewhere: Self.subjects)) }
}

/// The reader of Swift behind it, on code that is harder than most of ours.
@Suite("The reader of Swift") struct SwiftFileTests {
    private func read(_ text: String, _ path: String = "Sources/T/F.swift") -> SwiftFile {
        SwiftFile(path: path, text: text)
    }

    @Test("strings, comments and patterns are no code, but an interpolation is")
    func words() {
        let text = ##"a "}\(B("{")) \"" /* { /* } */ */ #"\( { \#(C)"# = /[{\/"]/ + d / e / f // }"##
        #expect(
            SwiftTokens.of(text).map(\.text) == [
                "a", "\"", "B", "(", "\"", ")", "\"", "C", "=", "+", "d", "/", "e", "/", "f",
            ])
        #expect(SwiftTokens.of("\"\"\"\n\"x\" }\n\"\"\"\ny").last == .init(text: "y", line: 4))
    }

    @Test("parameters are counted without those of closures, and with the labels that they have")
    func parameters() {
        let file = read(
            """
            struct S<T> {
                init?(_ a: Int, @Escaped _ b: @escaping (Int, _ x: Int) -> [Int: Int], c d: (Int, Int) = (1, 2)) { self.init(1, 2) }
                static func < <A, B>(lhs: A, rhs: B) -> Bool { false }
                func none() {}
            }
            """)
        #expect(file.functions.map(\.name) == ["init", "<", "none"])
        #expect(file.functions.map(\.parameters) == [3, 2, 0])
        #expect(file.functions.map(\.unlabelled) == [2, 0, 0])
    }

    @Test("a body ends at its own brace")
    func bodies() {
        let file = read(
            "protocol P {\n func f()\n}\nfunc g() {\n if a {\n }\n}\nvar h: Int {\n 1\n}\nvar i = f {\n 2\n}\n")
        #expect(file.functions.map(\.name) == ["f", "g", "var", "var"])
        #expect(file.functions.map(\.body) == [0, 4, 3, 0])
        #expect(file.lines == 13)
    }

    @Test("a circle is files that use each other's types; extensions of a type and private names are aside")
    func circles() {
        let files = [
            read("struct A { let b: B; enum Part {} }", "a"), read("struct B { let c: C.Inner }", "b"),
            read("extension C { struct Inner { let a: A } }", "c"), read("struct C {}", "d"),
            read("extension A { func f(_ b: B) -> Part {} }", "e"),
            read("private struct B {}\nstruct F { let b: B }", "f"),
        ]
        let arrows = Structure.arrows(files)
        #expect(arrows == ["a": ["b"], "b": ["c", "d"], "c": ["a"], "d": [], "e": ["b"], "f": []])
        #expect(Structure.circles(of: arrows).map { $0.sorted() } == [["a", "b", "c"]])
        #expect(Structure.arrows(files, countingExtensions: true)["e"] == ["a", "b"])
    }
}
