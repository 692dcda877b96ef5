import Kafka
import Testing

@testable import Consumer

@Suite("What became of a log") struct LogVerdictTests {
    private static func history(_ sources: [(id: Int32, offsets: Range<Int64>, continues: Int32?)]) throws -> LogHistory
    {
        try #require(LogHistory(sources))
    }

    @Test("incarnations of one log are one history, another log's are not")
    func histories() throws {
        #expect(LogHistory([]) == nil)
        // The end was lost at 60, then again at 40, which is before the start of the second.
        let thrice = try Self.history([
            (id: 3, offsets: 40..<80, continues: 2), (id: 2, offsets: 60..<90, continues: 1),
            (id: 1, offsets: 0..<100, continues: nil),
        ])
        #expect(thrice.sourceID == 3 && thrice.offsets == 40..<80 && thrice.first == 0)
        #expect(thrice.segments.map(\.offsets) == [0..<40, 40..<80] && thrice.segments.map(\.sourceID) == [1, 3])
        #expect(thrice.source(of: 39) == 1 && thrice.source(of: 40) == 3 && thrice.source(of: 80) == nil)
        let other = try Self.history([
            (id: 2, offsets: 5..<9, continues: nil), (id: 1, offsets: 0..<100, continues: nil),
        ])
        #expect(other.segments.map(\.sourceID) == [2])
        let empty = try Self.history([
            (id: 2, offsets: 60..<60, continues: 1), (id: 1, offsets: 0..<100, continues: nil),
        ])
        #expect(empty.segments.map(\.offsets) == [0..<60])
    }

    @Test("each of the verdicts, and where reading goes on")
    func verdicts() throws {
        let history = try Self.history([(id: 1, offsets: 0..<100, continues: nil)])
        func verdict(_ low: Int64, _ high: Int64, parting: Int64?) -> LogVerdict {
            let offsets = low..<max(low, min(high, 100))
            return LogVerdict(
                history, Watermarks(low: low, high: high), comparison: parting.map { (offsets, $0) })
        }
        #expect(verdict(0, 100, parting: 100) == .same(next: 100))
        #expect(verdict(0, 170, parting: 100) == .same(next: 100))
        #expect(verdict(0, 94, parting: 94) == .endLost(from: 94))
        #expect(verdict(0, 170, parting: 94) == .endLost(from: 94))
        #expect(verdict(0, 170, parting: 0) == .another(low: 0))
        #expect(verdict(50, 94, parting: 50) == .another(low: 50))
        #expect(verdict(120, 170, parting: nil) == .deleted(100..<120))
        #expect(verdict(100, 100, parting: nil) == .same(next: 100))
        #expect(verdict(0, 0, parting: nil) == .another(low: 0), "an empty log")
        let untouched = try Self.history([(id: 1, offsets: 50..<50, continues: nil)])
        func verdictOfUntouched(low: Int64) -> LogVerdict {
            LogVerdict(untouched, Watermarks(low: low, high: 90), comparison: nil)
        }
        #expect(verdictOfUntouched(low: 0) == .another(low: 0), "it starts earlier than the one that was found first")
        #expect(verdictOfUntouched(low: 50) == .same(next: 50) && verdictOfUntouched(low: 60) == .deleted(50..<60))
        #expect(LogVerdict.deleted(100..<120).next == 120 && LogVerdict.endLost(from: 94).next == 94)
        #expect(LogVerdict.same(next: 5).next == 5 && LogVerdict.another(low: 7).next == 7)
    }

    @Test("logs are compared once more than the number of offsets has digits, and another log once")
    func parting() {
        for parting in [Int64(0), 1, 499_999, 999_999, 1_000_000] {
            var questions = 0
            let found = partingPoint(in: 0..<1_000_000) { offset in
                questions += 1
                return offset < parting
            }
            #expect(found == parting && questions <= (parting == 0 ? 1 : 21))
        }
    }
}
