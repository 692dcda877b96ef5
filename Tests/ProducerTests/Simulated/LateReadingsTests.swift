import Testing

@testable import Producer

@Suite struct LateReadingsTests {
    @Test("come in the order in which they are due")
    func come() {
        var late = LateReadings()
        #expect(late.due == .max)
        // Each number once, in no order: 7919 and 1009 have no common divisor.
        for number in 0..<1009 { late.insert(entry(due: number * 7919 % 1009)) }
        #expect(late.due == 0)
        var due: [Int64] = []
        while let entry = late.removeFirst() { due.append(entry.due) }
        #expect(due == Array(0..<1009))
        #expect(late.due == .max)
    }

    @Test("equal ones all come")
    func equal() {
        var late = LateReadings()
        for _ in 0..<5 { late.insert(entry(due: 3)) }
        late.insert(entry(due: 1))
        #expect(late.removeFirst()?.due == 1)
        for _ in 0..<5 { #expect(late.removeFirst()?.due == 3) }
        #expect(late.removeFirst() == nil)
    }

    private func entry(due: Int) -> LateReadings.Entry {
        LateReadings.Entry(due: Int64(due), recorded: 0, customer: 0, bpm: 70)
    }
}
