import Kafka
import Testing

@testable import Consumer

@Suite("Draining and headers") struct DrainTests {
    @Test("it is over when each partition of the topic is where its log ended at the start")
    func targets() {
        let targets = DrainTargets([0: Watermarks(low: 0, high: 10), 1: Watermarks(low: 5, high: 5)])
        #expect(!targets.areReached(by: [0: 9, 1: 5]))
        #expect(targets.areReached(by: [0: 10, 1: 5]))
        #expect(targets.areReached(by: [0: 12, 1: 5]), "what came after the start does not count")
        #expect(targets.areReached(by: [1: 5]), "only those that it has")

        #expect(!targets.isTopicReached(by: [1: 5]), "another has not begun with the other one")
        #expect(!targets.isTopicReached(by: [0: 9, 1: 5]))
        #expect(targets.isTopicReached(by: [0: 10, 1: 5]))
        #expect(targets.isTopicReached(by: [0: 12]), "nobody stores anything of an empty partition")
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
