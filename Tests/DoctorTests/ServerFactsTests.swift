import Testing

@testable import Doctor

@Suite("What is said of the server") struct ServerFactsTests {
    /// The names of what is not ok.
    private static func faults(_ change: (inout ServerFacts) -> Void) -> [String] {
        var facts = ServerFacts()
        change(&facts)
        return facts.checks.filter { $0.verdict != .ok }.map(\.name)
    }

    @Test("a server as it should be has no fault, and each fault is one check")
    func faults() {
        #expect(Self.faults { _ in } == [])
        #expect(Self.faults { $0.isReadOnly = true } == ["postgresql.writable"])
        #expect(Self.faults { $0.hasFsync = false } == ["postgresql.fsync"])
        #expect(Self.faults { $0.hasFullPageWrites = false } == ["postgresql.fsync"])
        #expect(Self.faults { $0.hasAutovacuum = false } == ["postgresql.autovacuum"])
        #expect(Self.faults { ($0.deadStates, $0.liveStates) = (100_001, 1000) } == ["postgresql.cleaning"])
        #expect(Self.faults { ($0.deadStates, $0.liveStates) = (100_000, 10) } == [], "what a minute leaves of few")
        #expect(Self.faults { ($0.deadStates, $0.liveStates) = (2_000_000, 20_000) } == [], "and of many")
        #expect(Self.faults { $0.connectionsLeft = 4 } == ["postgresql.connections"])
        #expect(Self.faults { $0.clockAhead = 2001 } == ["postgresql.clock"])
        #expect(Self.faults { $0.clockAhead = -2001 } == ["postgresql.clock"])
    }

    @Test("only a collation whose version is known twice can differ")
    func collation() {
        func isFault(_ made: String?, _ now: String?) -> Bool {
            !Self.faults { ($0.collation, $0.collationNow) = (made, now) }.isEmpty
        }
        #expect(isFault("2.31", "2.36"))
        #expect(!isFault("2.36", "2.36"))
        #expect(!isFault(nil, "2.36"))
        #expect(!isFault("2.36", nil))
    }
}
