import Kafka
import Testing

@testable import Consumer

@Suite("How Kafka is") struct KafkaHealthTests {
    private let now = ContinuousClock.now

    /// Two brokers, each leading a partition; the times are microseconds of silence.
    private func health(_ first: Int64, _ second: Int64, unanswered: Int = 1, isUp: Bool = true) -> KafkaHealth {
        var health = KafkaHealth("t", at: now)
        health.take(
            KafkaStatistics(
                brokers: [
                    .init(id: 1, name: "a:1", isUp: true, silence: first, unanswered: 1),
                    .init(id: 2, name: "b:2", isUp: isUp, silence: second, unanswered: unanswered),
                ],
                topics: [
                    "t": [
                        0: .init(leader: 1, isFetched: true, end: 10), 1: .init(leader: 2, isFetched: true, end: 20),
                        2: .init(leader: -1, isFetched: false, end: -1),
                    ]
                ]), at: now)
        return health
    }

    @Test("what leaders have just said is known, and for how long")
    func known() {
        let health = health(100_000, 400_000)
        #expect(health.doubt(about: [0, 1], examined: [], at: now) == nil)
        #expect(health.end(of: 1, at: now)?.offset == 20)
        #expect(health.end(of: 1, at: now + .seconds(1))?.age == .milliseconds(1400))
        #expect(health.end(of: 1, at: now + .seconds(6)) == nil, "the figures are old")
        #expect(health.end(of: 2, at: now) == nil && health.end(of: 7, at: now) == nil)
        #expect(health.silence(at: now + .seconds(1)) == .milliseconds(1100))
        #expect(KafkaHealth("t", at: now).silence(at: now + .seconds(9)) == .seconds(9), "nobody has ever answered")
    }

    @Test("a connection that is made again does not make the silence longer")
    func reconnected() {
        var health = health(100_000, 400_000)
        let broker = KafkaStatistics.Connection(id: 1, name: "a:1", isUp: false, silence: nil, unanswered: 0)
        health.take(KafkaStatistics(brokers: [broker], topics: [:]), at: now + .seconds(2))
        #expect(health.silence(at: now + .seconds(2)) == .milliseconds(2100))
    }

    @Test("Kafka is waited for until some broker has answered since")
    func waiting() {
        var health = health(100_000, 400_000)
        func answer(at moment: ContinuousClock.Instant, isUp: Bool = true) {
            let broker = KafkaStatistics.Connection(id: 1, name: "a:1", isUp: isUp, silence: 0, unanswered: 0)
            health.take(KafkaStatistics(brokers: [broker], topics: [:]), at: moment)
        }
        #expect(!health.hasAnswered(whileWaiting: false, at: now))
        #expect(!health.hasAnswered(whileWaiting: true, at: now), "the last answer was before the trouble")
        #expect(!health.hasAnswered(whileWaiting: true, at: now + .seconds(1)))
        answer(at: now + .seconds(2), isUp: false)
        #expect(!health.hasAnswered(whileWaiting: true, at: now + .seconds(2)), "the connection is lost again")
        health.failed(0, "denied")
        answer(at: now + .seconds(3))
        #expect(!health.hasAnswered(whileWaiting: true, at: now + .seconds(3)), "it cannot be read")
        health.answered(0)
        #expect(health.hasAnswered(whileWaiting: true, at: now + .seconds(3)))
        #expect(!health.hasAnswered(whileWaiting: true, at: now + .seconds(4)), "that was another time")
    }

    @Test("a leader that is silent or lost is named, unless nobody asks it")
    func silent() {
        let sentence = "broker 2 at b:2 does not answer: 1 partitions wait for it"
        #expect(health(100_000, 6_000_000).doubt(about: [0, 1], examined: [], at: now) == sentence)
        #expect(health(100_000, 100_000, isUp: false).doubt(about: [0, 1], examined: [], at: now) == sentence)
        #expect(health(100_000, 6_000_000).doubt(about: [0], examined: [], at: now) == nil)
        #expect(health(100_000, 6_000_000, unanswered: 0).doubt(about: [0, 1], examined: [], at: now) == nil)
        #expect(health(100_000, 1).doubt(about: [0, 2], examined: [], at: now) == "partitions 2 have not answered yet")
        #expect(
            health(1, 1).doubt(about: [0], examined: [3], at: now) == "the logs of partitions 3 are being examined")
    }

    @Test("what cannot be read is unknown until it answers")
    func troubles() {
        var health = health(1, 1)
        health.failed(1, "denied")
        #expect(health.trouble == "denied" && health.end(of: 1, at: now) == nil && health.end(of: 0, at: now) != nil)
        #expect(health.doubt(about: [0, 1], examined: [], at: now) == "denied")
        health.answered(0)
        #expect(health.trouble == "denied")
        health.answered(1)
        #expect(health.trouble == nil)
        health.failed(-1, "the group is denied")
        #expect(health.end(of: 0, at: now) == nil)
        health.forgetTroubles()
        #expect(health.trouble == nil)
    }
}
