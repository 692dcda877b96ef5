import Testing

@testable import HeartRate

@Suite("What is kept out of line") struct OutOfLineTests {
    private struct Count: Idling {
        var value = 0
        var isIdle: Bool { value == 0 }
    }

    private struct Holder {
        private var kept = OutOfLine<Count>()
        var count: Count {
            get { kept.value }
            set { kept.value = newValue }
        }
    }

    @Test("a copy is a value of its own")
    func copies() {
        var one = Holder()
        one.count.value = 1
        var other = one
        other.count.value += 1
        #expect(one.count.value == 1 && other.count.value == 2)
        one.count.value = 0
        #expect(one.count.isIdle && other.count.value == 2)
    }

    @Test("where nothing is it takes a word")
    func size() {
        #expect(MemoryLayout<Holder>.size == MemoryLayout<Int>.size)
    }
}
