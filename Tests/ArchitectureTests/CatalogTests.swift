import Daemon
import Foundation
import Testing

/// The journal's catalog explains every event, and no other.
@Suite("The message catalog", .enabled(if: FileManager.default.fileExists(atPath: CatalogTests.file.path)))
struct CatalogTests {
    static let file = Checkout.root.appending(path: "systemd/heartbeat.catalog")

    @Test("it has an entry for each event that the program declares")
    func ids() throws {
        let entries = try String(contentsOf: Self.file, encoding: .utf8).matches(of: /(?m)^-- ([0-9a-f]+)$/).map {
            String($0.1)
        }
        #expect(entries.sorted() == JournalEvent.allCases.map(\.id).sorted())
    }
}
