import HeartRate
import PostgreSQL
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

    @Test("a checkpoint goes to the database and comes back as it was")
    func checkpoints() throws {
        var detector = Detector()
        Self.take(0..<100, bpm: 200, by: &detector) { _, _ in }
        var checkpoints = Checkpoints()
        checkpoints.append(detector)
        checkpoints.append(Detector())
        let elements = checkpoints.array.text.dropFirst().dropLast().split(separator: ",").map { element in
            element.dropFirst(#""\\x"#.count).dropLast()
        }
        #expect(elements.count == 2)
        for (element, start) in zip(elements, [0, checkpoints.ends[0]]) {
            let text = Array("\\x\(element)".utf8)
            let bytes = [UInt8](postgreSQLText: text.span)
            let decoded = try #require(bytes)
            #expect(decoded == Array(checkpoints.bytes[start..<start + decoded.count]))
            #expect(Detector(checkpoint: decoded) != nil)
        }
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
