import Kafka
import Testing

@testable import Producer

@Suite("Which broker holds messages up") struct SilentBrokerTests {
    private typealias Connection = KafkaStatistics.Connection

    /// Partition 0 is led by broker 1, and others by those who are given.
    private static func statistics(_ second: Connection, leaders: [Int32] = [2], waiting: Int = 3) -> KafkaStatistics {
        var reaches = [Int32(0): KafkaStatistics.Reach(leader: 1, isFetched: false, end: -1)]
        for (place, leader) in leaders.enumerated() {
            reaches[Int32(place) + 1] = KafkaStatistics.Reach(
                leader: leader, isFetched: false, end: -1, waiting: waiting)
        }
        let first = Connection(id: 1, name: "one:9092", isUp: true, silence: 9_000_000, unanswered: 0)
        let bootstrap = Connection(id: -1, name: "boot:9092", isUp: false, silence: nil, unanswered: 0)
        return KafkaStatistics(brokers: [bootstrap, first, second], topics: ["readings": reaches])
    }

    @Test(
        "one that owes an answer or is not connected is named after some seconds, until it answers",
        arguments: [
            (
                Connection(id: 2, name: "two:9092", isUp: true, silence: 6_000_000, unanswered: 1), [2],
                "broker 2 at two:9092 does not answer", 0
            ),
            (
                Connection(id: 2, name: "two:9092", isUp: false, silence: nil, unanswered: 0), [2],
                "broker 2 at two:9092 does not answer", 5
            ),
            (
                Connection(id: 3, name: "three:9092", isUp: false, silence: nil, unanswered: 0), [-1, -1],
                "partitions 1, 2 have no leader", 5
            ),
            (Connection(id: 2, name: "two:9092", isUp: true, silence: 6_000_000, unanswered: 0), [2], nil, 5),
            (Connection(id: 2, name: "two:9092", isUp: true, silence: 1_000_000, unanswered: 1), [2], nil, 5),
            (Connection(id: 3, name: "three:9092", isUp: false, silence: nil, unanswered: 0), [1], nil, 5),
        ] as [(KafkaStatistics.Connection, [Int32], String?, Int)])
    func named(second: KafkaStatistics.Connection, leaders: [Int32], words: String?, after seconds: Int) {
        let start = ContinuousClock.now
        var silent = SilentBroker()
        for passed in 0...5 {
            let statistics = Self.statistics(second, leaders: leaders)
            silent.update(statistics, topic: "readings", at: start + .seconds(passed))
            #expect(silent.words == (passed >= seconds ? words : nil))
        }
        silent.update(Self.statistics(second, leaders: [2], waiting: 0), topic: "other", at: start + .seconds(6))
        #expect(silent.words == nil || second.unanswered > 0)
        let answering = KafkaStatistics.Connection(id: 2, name: "two:9092", isUp: true, silence: 0, unanswered: 1)
        silent.update(Self.statistics(answering), topic: "readings", at: start + .seconds(7))
        #expect(silent.words == nil)
    }
}
