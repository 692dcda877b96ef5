import Daemon
import Testing

/// The journal's catalog explains every event, and no other.
@Suite("The message catalog") struct CatalogTests {
    @Test("it has an entry for each event that the program declares")
    func ids() throws {
        let entries = try Checkout.text("systemd/heartbeat.catalog").matches(of: /(?m)^-- ([0-9a-f]+)$/).map {
            String($0.1)
        }
        #expect(entries.sorted() == JournalEvent.allCases.map(\.id).sorted())
    }
}
