import Testing

@testable import Doctor

@Suite("What is said of the disk") struct DiskChecksTests {
    private static func verdicts(_ change: (inout DiskChecks.Disk) -> Void) -> [Check.Verdict] {
        var disk = DiskChecks.Disk(freeBytes: 1 << 40, place: "/var/lib/postgresql", daysUntilFull: 400)
        change(&disk)
        return DiskChecks(disk).checks.map(\.verdict)
    }

    @Test("free room, and for how many days it lasts")
    func disk() {
        #expect(Self.verdicts { _ in } == [.ok, .ok])
        #expect(Self.verdicts { $0.isFull = true } == [.error, .skipped])
        #expect(Self.verdicts { $0.daysUntilFull = 30 } == [.ok, .ok])
        #expect(Self.verdicts { $0.daysUntilFull = 29 } == [.ok, .warning])
        #expect(Self.verdicts { $0.daysUntilFull = 6 } == [.ok, .error])
        #expect(Self.verdicts { $0.daysUntilFull = nil } == [.ok, .skipped])
        #expect(Self.verdicts { ($0.isKeptByRetention, $0.daysUntilFull) = (true, nil) } == [.ok, .ok])
        #expect(Self.verdicts { $0.freeBytes = nil } == [.skipped, .skipped])
    }
}
