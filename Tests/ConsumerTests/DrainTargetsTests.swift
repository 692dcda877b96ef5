import Kafka
import Testing

@testable import Consumer

@Suite("Draining and headers") struct DrainTargetsTests {
    @Test("it is over when each assigned partition is where its log ended at the start")
    func targets() {
        var targets = DrainTargets()
        #expect(!targets.isReached(by: [:]), "nothing was assigned yet")
        targets.note([0: Watermarks(low: 0, high: 10), 1: Watermarks(low: 5, high: 5)])
        #expect(!targets.isReached(by: [0: 9, 1: 5]))
        #expect(targets.isReached(by: [0: 10, 1: 5]))
        #expect(targets.isReached(by: [0: 12, 1: 5]))
        // What came after the start does not count.
        targets.note([0: Watermarks(low: 0, high: 20)])
        #expect(targets.isReached(by: [0: 10]))
        targets.note([2: Watermarks(low: 0, high: 3)])
        #expect(!targets.isReached(by: [0: 10, 2: 2]))
    }

    @Test("headers keep their order, their bytes and what is null")
    func headers() {
        #expect(json([]) == "[]")
        #expect(
            json([
                .init(name: "b", value: [0, 255]), .init(name: "a", value: nil), .init(name: "b", value: []),
                .init(name: "\"\\\n", value: [65]),
            ]) == #"[["b","AP8="],["a",null],["b",""],["\"\\\n","QQ=="]]"#)
    }
}
