import Foundation
import Testing

/// From one commit comes the same program only if all packages in it have the same versions.
@Suite struct DependencyTests {
    private struct List: Decodable {
        struct Pin: Decodable, Hashable {
            struct State: Decodable, Hashable {
                let revision: String
                let version: String?
            }
            let identity: String
            let location: String
            let state: State
        }
        let pins: [Pin]
    }

    private static func pins(_ path: String) throws -> Set<List.Pin> {
        Set(try JSONDecoder().decode(List.self, from: Data(try Checkout.text(path).utf8)).pins)
    }

    @Test("what was resolved for these tests are the versions of packaging/dependencies.json")
    func resolved() throws {
        let listed = try Self.pins("packaging/dependencies.json")
        let resolved = try Self.pins("Package.resolved")
        let differences = listed.symmetricDifference(resolved).map { "\($0.identity) \($0.state.version ?? "")" }
        #expect(differences.isEmpty, "if that is wanted, list them: \(differences.sorted())")
    }

    @Test("Package.swift names the same versions, and no ranges")
    func exact() throws {
        let listed = try Self.pins("packaging/dependencies.json")
        let lines = try Checkout.text("Package.swift").split(separator: "\n").filter { $0.contains(".package(url:") }
        #expect(lines.count == 4)
        for line in lines {
            let found = try #require(line.firstMatch(of: /url: "(.+?)", exact: "(.+?)"/), "\(line)")
            let pin = listed.first { $0.location == String(found.1) }
            #expect(pin?.state.version == String(found.2), "\(line)")
        }
    }
}
