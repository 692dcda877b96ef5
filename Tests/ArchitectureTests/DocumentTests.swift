import Consumer
import Daemon
import Dashboard
import Database
import Foundation
import Producer
import Testing

/// The README says what the program is.
struct ReadmeTests {
    private static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    private let readme: String

    init() throws { readme = try String(contentsOf: Self.root.appending(path: "README.md"), encoding: .utf8) }

    @Test func settingsAreThoseOfTheProgram() throws {
        let table = try #require(readme.firstMatch(of: /<!-- settings -->\n((?s).*?)<!-- end of settings -->/)?.1)
        let expected = Self.settingsTable([.producer, .consumer, .dashboard, .database])
        if table != expected { Issue.record("The table should be:\n\(expected)") }
    }

    /// Each row of the table of faults names a test, as `Suite.function`.
    @Test func everyTestThatItNamesIsThere() throws {
        let sources = try Self.sources(in: "Tests")
        let names = readme.matches(of: /[`\s]([A-Z]\w+)\.([a-z]\w+)[`.]/).filter { $0.1 != "README" }
        #expect(names.count >= 10)
        for name in names {
            #expect(
                sources.contains { $0.contains("struct \(name.1) ") && $0.contains("func \(name.2)(") },
                "\(name.1).\(name.2)")
        }
    }

    @Test func everyMessageThatItExplainsIsInTheProgram() throws {
        let sources = try Self.sources(in: "Sources") + Self.sources(in: "packaging") + Self.sources(in: "db")
        let explained = [
            "there is no Swift toolchain on the path", "no network for apt",
            "there is no PostgreSQL server 15 or newer", "waiting for ", "gave up waiting for ", "no progress for ",
            "The next run tries it again",
            "this program needs ", "unknown setting", ", did you mean ", "configured are ", "Kafka has deleted ",
            "messages before they were read", "the topic was created anew", "fenced: another consumer owns ",
            "NOT SOUND", "this dashboard is not known by that name",
            "can be reached from other machines, which needs a password",
        ]
        for text in explained {
            #expect(readme.contains(text.trimmingCharacters(in: .whitespaces)), "\(text)")
            #expect(sources.contains { $0.contains(text) }, "\(text)")
        }
    }

    private static func settingsTable(_ schemas: [SettingsSchema]) -> String {
        var names: [String] = []
        for setting in schemas.flatMap(\.settings) where !names.contains(setting.name) { names.append(setting.name) }
        var table = "| Setting | Default | Read by | Meaning |\n|---|---|---|---|\n"
        for name in names {
            let readers = schemas.filter { $0.settings.contains { $0.name == name } }
            guard let setting = readers.first?.settings.first(where: { $0.name == name }) else { continue }
            let value = setting.defaultText.isEmpty ? "" : "`\(setting.defaultText)`"
            let meaning =
                "\(setting.sentence) Expects \(setting.expectation)."
                + (setting.isReloadable ? " Takes effect on reload." : "")
            table += "| `\(name)` | \(value) | \(readers.map(\.name).joined(separator: ", ")) | \(meaning) |\n"
        }
        return table
    }

    /// The text of every file below a folder of the project.
    private static func sources(in folder: String) throws -> [String] {
        let path = root.appending(path: folder)
        let names = try #require(FileManager.default.enumerator(atPath: path.path))
        return names.compactMap { name in
            (name as? String).flatMap { try? String(contentsOf: path.appending(path: $0), encoding: .utf8) }
        }
    }
}
