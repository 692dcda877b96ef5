import Foundation
import Harness
import Testing

import Schema

@Suite("The house", .ownFolder) struct LayoutTests {
    @Test("the top level has what the design names, and nothing else that is not hidden")
    func topLevel() async throws {
        let names = Set(try await Checkout.files().compactMap { $0.split(separator: "/").first.map(String.init) })
        let visible: Set<String> = names.filter { !$0.hasPrefix(".") }
        #expect(
            visible == [
                "Package.swift", "Sources", "Tests", "systemd", "etc", "db", "packaging", "README.md",
            ])
    }

    @Test("the files in etc are what the program prints as its default settings")
    func defaultSettings() async throws {
        let commands = [
            "consumer": ["consumer"], "producer": ["producer"], "database": ["database", "setup"],
            "dashboard": ["dashboard"], "gateway": ["gateway"], "notifier": ["notifier"],
        ]
        let shipped = try await Checkout.files().filter { $0.hasPrefix("etc/") && $0.hasSuffix(".conf") }
        #expect(shipped.count >= 3)
        for path in shipped {
            let name = path.dropFirst("etc/".count).dropLast(".conf".count)
            let command = try #require(commands[String(name)], "a command prints \(path)")
            let printed = try await Heartbeat.run(command + ["--print-default-config"], [:])
            #expect(printed.end == .exited(0))
            #expect(printed.output == (try Checkout.text(path)), "\(path)")
            // What is shipped has to be what is taken.
            let file = Checkout.root.appending(path: path).path
            let checked = try await Heartbeat.run(command + ["--check-config"], [:], config: file)
            #expect(checked.end == .exited(0), "\(path): \(checked.log)")
        }
    }

    @Test("the migrations in the program are the files in db, numbered without a gap")
    func migrations() async throws {
        let files = try await Checkout.files().filter { $0.hasPrefix("db/") && $0.hasSuffix(".sql") }.sorted()
        #expect(Migration.all.map(\.number) == Array(1...Migration.all.count))
        #expect(knownSchemaVersion == Migration.all.count)
        try #require(Migration.all.count == files.count)
        for (migration, path) in zip(Migration.all, files) {
            let digits = "\(10_000 + migration.number)".dropFirst()
            #expect(path == "db/\(digits)_\(migration.name).sql")
            #expect(migration.sql == (try Checkout.text(path)), "\(path)")
        }
    }
}
