import Consumer
import Daemon
import Dashboard
import Database
import Foundation
import Gateway
import Harness
import Notifier
import Producer
import Testing

/// What the documents say is so: links, pictures, names of tests, files and settings, and messages.
@Suite("Documents", .ownFolder) struct DocumentTests {
    @Test("the README has at most 150 lines, and a picture of less than 300 kB")
    func readme() throws {
        let readme = try Document("README.md")
        #expect(readme.lines.count <= 150)
        let pictures = readme.links.filter { $0.hasSuffix(".png") || $0.hasSuffix(".jpg") }
        #expect(!pictures.isEmpty)
        for picture in pictures {
            let bytes = try Data(contentsOf: Checkout.root.appending(path: picture)).count
            #expect(bytes > 10_000 && bytes < 300_000, "\(picture) has \(bytes) bytes")
        }
    }

    @Test("every link to a file leads to one in version control, and every anchor to a heading")
    func links() async throws {
        let files = Set(try await Checkout.files())
        var count = 0
        for document in try await Document.all() {
            for link in document.links where !link.contains("://") && !link.hasPrefix("mailto:") {
                count += 1
                let parts = link.split(separator: "#", omittingEmptySubsequences: false).map(String.init)
                let path = parts[0].isEmpty ? document.path : document.resolve(parts[0])
                #expect(
                    files.contains(path) || files.contains { $0.hasPrefix(path + "/") }, "\(document.path): \(link)")
                guard parts.count == 2, files.contains(path) else { continue }
                #expect(try Document(path).anchors.contains(parts[1]), "\(document.path): \(link)")
            }
        }
        #expect(count >= 30)
    }

    /// The package has only this folder of them.
    @Test("documents that are shipped link to no file that is not")
    func shipped() async throws {
        for document in try await Document.all() where document.path.hasPrefix("packaging/doc/") {
            for link in document.links where !link.contains("://") && !link.hasPrefix("#") {
                #expect(document.resolve(link).hasPrefix("packaging/doc/"), "\(document.path): \(link)")
            }
        }
    }

    @Test("every file of the source that they name is there")
    func files() async throws {
        let files = try await Checkout.files()
        var count = 0
        for document in try await Document.all() {
            for match in document.text.matches(of: /`(\w[\w.\/+-]*\.(?:swift|js|html|json|py|md|catalog))`/) {
                count += 1
                let name = String(match.1)
                #expect(files.contains { $0 == name || $0.hasSuffix("/" + name) }, "\(document.path): \(name)")
            }
        }
        #expect(count >= 40)
    }

    @Test("every row of the table of faults names tests that are there")
    func tests() async throws {
        let sources = try await Checkout.texts(in: "Tests/")
        let rows = try Document("packaging/doc/promises.md").lines.filter { $0.hasPrefix("| ") }.dropFirst()
        #expect(rows.count >= 25)
        for row in rows {
            let proof = row.split(separator: "|").last ?? ""
            // As `Suite.function`, or a file in which a whole machine is tested.
            let names = proof.matches(of: /`(\w+)\.(\w+)`/)
            #expect(!names.isEmpty || proof.contains("`Tests/System/"), "\(row)")
            for name in names {
                #expect(
                    sources.contains { $0.contains("struct \(name.1) ") && $0.contains("func \(name.2)(") },
                    "\(name.0)")
            }
        }
    }

    @Test("every member of a type that they name is there")
    func members() async throws {
        let sources = try await Checkout.texts(in: "Sources/") + Checkout.texts(in: "Tests/")
        var count = 0
        for document in try await Document.all() {
            for name in document.text.matches(of: /`([A-Z]\w+)\.([a-z]\w+)[`(]/)
            where !["swift", "md", "js"].contains(name.2) {
                count += 1
                let types = ["struct", "class", "enum", "actor", "extension"].map { "\($0) \(name.1)" }
                let members = ["func", "var", "let", "case", "def"].map { "\($0) \(name.2)" }
                #expect(
                    sources.contains { text in
                        types.contains { text.contains($0) } && members.contains { text.contains($0) }
                    }, "\(document.path): \(name.0)")
            }
        }
        #expect(count >= 30)
    }

    @Test("every setting that they name is one of the program's")
    func settings() async throws {
        let schemas: [SettingsSchema] = [.producer, .gateway, .consumer, .dashboard, .notifier, .database]
        let settings = Set(schemas.flatMap(\.settings).map(\.name))
        // Variables and fields that are no settings stand in the source in quotation marks.
        let sources = try await Checkout.texts(in: "Sources/") + Checkout.texts(in: "Tests/")
        let script = try Checkout.text("packaging/test")
        var found: Set<String> = []
        for document in try await Document.all() {
            // What librdkafka takes is not ours.
            let lines = document.lines.filter { !$0.contains("RDKAFKA_") }
            for match in lines.flatMap({ $0.matches(of: /\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b/) }) {
                let name = String(match.0)
                if settings.contains(name) { found.insert(name) }
                #expect(
                    settings.contains(name) || script.contains("export \(name)=")
                        || sources.contains { $0.contains("\"\(name)\"") },
                    "\(document.path): \(name)")
            }
        }
        #expect(found.count >= 15)
    }

    @Test("the manual has every setting with its default")
    func manual() async throws {
        let folder = try TestFolder.required().path
        let libraries = ProcessInfo.processInfo.environment["LD_LIBRARY_PATH"] ?? ""
        let script = "'\(Checkout.root.path)/packaging/manual'"
        try await shell("LD_LIBRARY_PATH='\(libraries)' \(script) '\(Heartbeat.path)' 0 2026-01-01 \(folder)")
        for schema in [SettingsSchema.producer, .gateway, .consumer, .dashboard, .notifier, .database] {
            let page = try String(contentsOfFile: "\(folder)/heartbeat-\(schema.name).conf.5", encoding: .utf8)
            let entries = page.components(separatedBy: ".TP\n").map { $0.replacing("\\-", with: "-") }
            for setting in schema.settings {
                let entry = entries.first { $0.hasPrefix("\\fB\(setting.name)\\fR\n") }
                let wanted = setting.defaultText.isEmpty ? setting.name : "The default is \(setting.defaultText)"
                #expect(entry?.contains(wanted) == true, "\(schema.name): \(setting.name)")
            }
        }
    }

    @Test("every message that they explain is in the program")
    func messages() async throws {
        let files = try await Checkout.files().filter { path in
            !path.hasSuffix(".md") && ["Sources/", "packaging/", "db/"].contains { path.hasPrefix($0) }
        }
        let programs = files.compactMap { try? Checkout.text($0) }
        let explained = [
            "README.md": [
                "the live page is at ", "messages are stored, each exactly once", "nothing is left behind",
            ],
            "packaging/doc/operation.md": [
                "there is no Swift toolchain on the path", "no network for apt",
                "there is no PostgreSQL server ", "waiting for ", "timed out after ", "no progress for ",
                "The next run tries it again", "this program needs ", "unknown setting", ", did you mean ",
                "configured are ", "Kafka has deleted ", "messages before they were read",
                "the topic was recreated", "fenced: another consumer owns ", "NOT SOUND",
                "become the role ", "this dashboard is not known by that name",
                "can be reached from other machines, which needs a password",
            ],
        ]
        for (path, texts) in explained {
            let document = try Document(path).text
            for text in texts {
                #expect(document.contains(text.trimmingCharacters(in: .whitespaces)), "\(path): \(text)")
                #expect(programs.contains { $0.contains(text) }, "\(text)")
            }
        }
    }
}
