import Testing

@testable import Consumer

/// What every event does to a partition in every phase. Its last stored message is at offset 9, with fingerprint 99.
@Suite("Assignment's table") struct AssignmentTableTests {
    private static let phases = ["none", "unlocated", "confirming", "again", "reading", "examining"]

    /// Each event, and below it what is done in which phases, with the phase afterwards when it is another one. Nothing is
    /// done in a phase that is not named.
    private static let table = """
        given
            none, confirming, again, reading, examining: forget, locate > unlocated
            unlocated: forget, locate
        taken
            none: forget
            unlocated, confirming, again, reading, examining: forget > none
        located
            none, examining: start, fetch nothing
            unlocated: start, fetch 9 > confirming
            confirming, again: start, fetch 9
            reading: start, fetch 10
        located nowhere
            none, examining: start, fetch nothing
            unlocated: start, fetch nothing, examine > examining
            confirming, again: start, fetch 9
            reading: start, fetch 10
        message before
        message stored
            confirming, again: nothing > reading
        message another
            confirming, again: fetch nothing, examine > examining
        message next
            confirming: fetch 9 > again
            again: fetch nothing, examine > examining
            reading: gather
        message beyond
            confirming: fetch 9 > again
            again: fetch nothing, examine > examining
            reading: gather behind 10..<12
        message elsewhere
            confirming: fetch 9 > again
            again: fetch nothing, examine > examining
            reading: fetch 9 > confirming
        end before
            confirming: fetch 9 > again
            again, reading: fetch nothing, examine > examining
        end
            confirming: fetch 9 > again
            again: fetch nothing, examine > examining
        end beyond
            confirming: fetch 9 > again
            again: fetch nothing, examine > examining
            reading: skip 10..<12
        end elsewhere
            confirming: fetch 9 > again
            again: fetch nothing, examine > examining
            reading: fetch 9 > confirming
        out of range
            confirming, again, reading: fetch nothing, examine > examining
        failed
        doubted
            reading: fetch 9 > confirming
        examined
            examining: forget, locate > unlocated
        refused
            none, examining: forget
            unlocated: forget, locate
            confirming, again, reading: forget, locate > unlocated
        lost
            none: forget
            unlocated, confirming, again, reading, examining: forget > none
        reclaimed
            none, confirming, again, reading: forget, locate > unlocated
            unlocated: forget, locate
            examining: forget
        full
            all: fetch nothing
        room again
            unlocated, examining: fetch nothing
            confirming, again: fetch 9
            reading: fetch 9 > confirming
        """

    private static let stored = Position(
        sourceID: 7, partition: 0, offset: 10, first: 0, last: Landmark(offset: 9, fingerprint: 99))
    private static let here = Assignment.Origin(broker: 1, count: 1)
    private static let elsewhere = Assignment.Origin(broker: 2, count: 1)

    /// An assignment whose only partition is in a phase.
    private static func assignment(_ phase: String) -> Assignment {
        var assignment = Assignment()
        guard phase != "none" else { return assignment }
        _ = assignment.handle(.given([0]))
        guard phase != "unlocated" else { return assignment }
        _ = assignment.handle(.located([stored]))
        switch phase {
        case "again": _ = assignment.handle(.end(0, offset: 9, here))
        case "reading": _ = assignment.judge(0, offset: 9, fingerprint: 99, here)
        case "examining": _ = assignment.handle(.outOfRange(0))
        default: break
        }
        return assignment
    }

    private static let events: KeyValuePairs<String, @Sendable (inout Assignment) -> String> = [
        "given": { say($0.handle(.given([0]))) },
        "taken": { say($0.handle(.taken)) },
        "located": { say($0.handle(.located([stored]))) },
        "located nowhere": { say($0.handle(.located([]))) },
        "message before": { say($0.judge(0, offset: 8, fingerprint: 1, here)) },
        "message stored": { say($0.judge(0, offset: 9, fingerprint: 99, here)) },
        "message another": { say($0.judge(0, offset: 9, fingerprint: 98, here)) },
        "message next": { say($0.judge(0, offset: 10, fingerprint: 1, here)) },
        "message beyond": { say($0.judge(0, offset: 12, fingerprint: 1, here)) },
        "message elsewhere": { say($0.judge(0, offset: 10, fingerprint: 1, elsewhere)) },
        "end before": { say($0.handle(.end(0, offset: 9, here))) },
        "end": { say($0.handle(.end(0, offset: 10, here))) },
        "end beyond": { say($0.handle(.end(0, offset: 12, here))) },
        "end elsewhere": { say($0.handle(.end(0, offset: 10, elsewhere))) },
        "out of range": { say($0.handle(.outOfRange(0))) },
        "failed": { say($0.handle(.failed(0))) },
        "doubted": { say($0.handle(.doubted(0))) },
        "examined": { say($0.handle(.examined([0: Continuation(offset: 10, last: nil, next: nil)]))) },
        "refused": { say($0.handle(.refused(lost: []))) },
        "lost": { say($0.handle(.refused(lost: [0]))) },
        "reclaimed": { say($0.handle(.reclaimed([0]))) },
        "full": { say($0.handle(.paused)) },
        "room again": { say($0.handle(.resumed)) },
    ]

    private static func say(_ verdict: Assignment.Verdict) -> String {
        switch verdict {
        case .drop: ""
        case .gather(_, nil): "gather"
        case .gather(_, let hole?): "gather behind \(hole)"
        case .act(let actions): say(actions)
        }
    }

    private static func say(_ actions: [Assignment.Action]) -> String {
        actions.map { action in
            switch action {
            case .forget: "forget"
            case .locate: "locate"
            case .start: "start"
            case .fetch(let offsets): offsets[0].map { "fetch \($0)" } ?? "fetch nothing"
            case .examine: "examine"
            case .skip(_, let hole): "skip \(hole)"
            }
        }.joined(separator: ", ")
    }

    private static func name(_ phase: Assignment.Phase?) -> String {
        switch phase {
        case nil: "none"
        case .unlocated: "unlocated"
        case .confirming(attempts: 0): "confirming"
        case .confirming: "again"
        case .reading: "reading"
        case .examining: "examining"
        }
    }

    @Test("every event in every phase")
    func everything() {
        var lines: [String] = []
        for (event, happen) in Self.events {
            lines.append(event)
            var phases: [(outcome: String, phases: [String])] = []
            for phase in Self.phases {
                var assignment = Self.assignment(phase)
                #expect(Self.name(assignment.phase(of: 0)) == phase)
                var outcome = happen(&assignment)
                let after = Self.name(assignment.phase(of: 0))
                if after != phase { outcome = "\(outcome.isEmpty ? "nothing" : outcome) > \(after)" }
                guard !outcome.isEmpty else { continue }
                if let place = phases.firstIndex(where: { $0.outcome == outcome }) {
                    phases[place].phases.append(phase)
                } else {
                    phases.append((outcome, [phase]))
                }
            }
            for (outcome, phases) in phases {
                let names = phases == Self.phases ? "all" : phases.joined(separator: ", ")
                lines.append("    \(names): \(outcome)")
            }
        }
        let wanted = Self.table.split(separator: "\n").map(String.init)
        for (number, line) in lines.enumerated() { #expect(number < wanted.count && line == wanted[number]) }
        #expect(lines.count == wanted.count)
    }
}
