import HeartRate
import Testing

@testable import Consumer

@Suite("What detection leaves behind a batch") struct FindingsTests {
    /// A low rate for so many seconds, from a second on.
    private static func take(
        _ seconds: Range<Int>, bpm: Int16, by detector: inout Detector, _ body: (Episode, EpisodeChange) -> Void
    ) {
        for second in seconds {
            detector.take(
                Sample(bpm, at: Instant(microsecondsSince1970: Int64(second) * 1_000_000)), rules: EpisodeRules(),
                limits: CustomerLimits(), body)
        }
    }

    @Test("an episode is one row however often it changes in a batch, and each change is told")
    func oneRow() {
        var findings = Findings()
        var detector = Detector()
        for customer in ["a", "b"] {
            detector = Detector()
            findings.beginCustomer()
            Self.take(0..<60, bpm: 30, by: &detector) { findings.note($0, of: customer, $1) }
            detector.openEpisodes { findings.note($0, of: customer) }
        }
        #expect(findings.episodes.map(\.customerID) == ["a", "b"])
        #expect(findings.episodes.map(\.episode.kind) == [.bradycardia, .bradycardia])
        #expect(findings.episodes.allSatisfy { $0.episode.severity == .high && $0.episode.closedAt == nil })
        #expect(findings.changes.filter { $0.change == .opened }.map(\.customerID) == ["a", "b"])
        #expect(!findings.isEmpty)
    }

    @Test("of an episode in two batches there is one row, as it stands after the second")
    func twoBatches() {
        var detector = Detector()
        var batches = [Findings(), Findings()]
        for (batch, seconds) in [0..<60, 60..<120].enumerated() {
            batches[batch].beginCustomer()
            Self.take(seconds, bpm: 30, by: &detector) { batches[batch].note($0, of: "a", $1) }
            detector.openEpisodes { batches[batch].note($0, of: "a") }
            batches[batch].addSilent(Array("b".utf8)[...])
            batches[batch].late = batch + 1
        }
        var both = batches[0]
        both.add(batches[1])
        #expect(both.episodes.count == 1 && both.late == 3 && both.silent == ["b"])
        #expect(both.episodes.first?.episode == batches[1].episodes.first?.episode)
        #expect(both.changes.count == batches[0].changes.count + batches[1].changes.count)
    }

    @Test("a customer's row says where detection goes on, and none where nothing is known")
    func checkpoints() throws {
        var states = CustomerStates(most: 10)
        let (place, _) = states.insert("a".utf8.span)
        states.update(place) { entry in Self.take(0..<100, bpm: 200, by: &entry.detector) { _, _ in } }
        let bytes = states.checkpoint(of: "a".utf8.span)
        #expect(bytes.count > 50 && Detector(checkpoint: bytes) != nil)
        #expect(states.checkpoint(of: "b".utf8.span).isEmpty)
    }

    @Test("of more customers than are kept the half leaves that was seen least recently")
    func trimming() {
        var states = CustomerStates(most: 10)
        for number in 0..<11 {
            let (place, isNew) = states.insert("customer \(number)".utf8.span)
            #expect(isNew)
            states.update(place) { $0.seenAt = Int64(number == 0 ? 100 : number) }
        }
        states.trim()
        #expect(states.count == 5)
        for (number, isKept) in [(0, true), (1, false), (6, false), (7, true), (10, true)] {
            #expect(states.insert("customer \(number)".utf8.span).isNew != isKept, "customer \(number)")
        }
    }
}
