import Kafka
import Testing

@testable import Consumer

@Suite("How Kafka is") struct KafkaHealthTests {
    private let now = ContinuousClock.now

    /// Two brokers, each leading a partition; the times are microseconds of silence.
    private func health(_ first: Int64, _ second: Int64, unanswered: Int = 1, isUp: Bool = true) -> KafkaHealth {
        var health = KafkaHealth("t", at: now - .seconds(60))
        health.isAssigned = true
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
        #expect(health.recentEnd(of: 1, at: now + .seconds(9)) == 20 && health.recentEnd(of: 2, at: now) == nil)
        #expect(health.recentEnd(of: 1, at: now + .seconds(11)) == nil, "a lag of that time says nothing")
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

    @Test("a group that is being joined answers late")
    func joining() {
        var health = KafkaHealth("t", at: now)
        var coordinator = KafkaStatistics.Connection(id: 1, name: "a:1", isUp: true, silence: 0, unanswered: 1)
        coordinator.isCoordinator = true
        health.take(KafkaStatistics(brokers: [coordinator], topics: [:]), at: now)
        #expect(!health.isAway(at: now + .seconds(19)))
        #expect(health.isAway(at: now + .seconds(21)))
        health.isAssigned = true
        #expect(!health.isAway(at: now + .seconds(7)) && health.isAway(at: now + .seconds(8)))
    }

    @Test("Kafka is waited for until some broker has answered since")
    func waiting() {
        var health = health(100_000, 400_000)
        func answer(at moment: ContinuousClock.Instant, isUp: Bool = true) {
            let broker = KafkaStatistics.Connection(id: 1, name: "a:1", isUp: isUp, silence: 0, unanswered: 0)
            health.take(KafkaStatistics(brokers: [broker], topics: [:]), at: moment)
        }
        func isOver(_ isWaiting: Bool, at seconds: Int) -> Bool {
            health.hasAnswered(whileWaiting: isWaiting, at: now + .seconds(seconds))
        }
        let answer1 = isOver(false, at: 0)
        #expect(!answer1)
        let answer2 = isOver(true, at: 0)
        #expect(!answer2, "the last answer was before the trouble")
        let answer3 = isOver(true, at: 1)
        #expect(!answer3)
        answer(at: now + .seconds(2), isUp: false)
        let answer4 = isOver(true, at: 2)
        #expect(!answer4, "the connection is lost again")
        health.failed(0, "denied")
        answer(at: now + .seconds(3))
        let answer5 = isOver(true, at: 3)
        #expect(!answer5, "it cannot be read")
        health.answered(0)
        let answer6 = isOver(true, at: 3)
        #expect(answer6)
        let answer7 = isOver(true, at: 4)
        #expect(!answer7, "that was another time")
    }

    @Test("a leader that is silent or lost is named, unless nobody asks it")
    func silent() {
        let sentence = "broker 2 at b:2 does not answer: 1 partitions wait for it"
        #expect(health(100_000, 6_000_000).doubt(about: [0, 1], examined: [], at: now) == sentence)
        #expect(health(100_000, 100_000, isUp: false).doubt(about: [0, 1], examined: [], at: now) == sentence)
        #expect(health(100_000, 6_000_000).doubt(about: [0], examined: [], at: now) == nil)
        #expect(health(100_000, 6_000_000, unanswered: 0).doubt(about: [0, 1], examined: [], at: now) == nil)
        #expect(health(100_000, 1).doubt(about: [0, 2], examined: [], at: now) == "partitions 2 have no leader")
        #expect(
            health(1, 1).doubt(about: [0], examined: [3], at: now) == "the logs of partitions 3 are being examined")
    }

    @Test("a leader that answers everything but fetches is silent, also when it is asked again")
    func mute() {
        var health = KafkaHealth("t", at: now)
        health.isAssigned = true
        func hear(_ seconds: Int, fetches: Int, leader: Int32 = 1) -> String? {
            var broker = KafkaStatistics.Connection(id: 1, name: "a:1", isUp: true, silence: 0, unanswered: 1)
            broker.fetches = fetches
            let reach = KafkaStatistics.Reach(leader: leader, isFetched: leader > 0, end: 10)
            health.take(
                KafkaStatistics(brokers: [broker], topics: ["t": [0: reach]]), at: now + .seconds(seconds))
            return health.doubt(about: [0], examined: [], at: now + .seconds(seconds))
        }
        let sentence = "broker 1 at a:1 does not answer: 1 partitions wait for it"
        let doubt1 = hear(0, fetches: 5)
        #expect(doubt1 == nil)
        let doubt2 = hear(4, fetches: 5)
        #expect(doubt2 == nil)
        let doubt3 = hear(6, fetches: 5)
        #expect(doubt3 == sentence)
        for round in 1...3 {
            let doubt4 = hear(10 * round, fetches: 5 + round)
            #expect(doubt4 == sentence, "the fetch has expired, and the next one waits")
        }
        let doubt5 = hear(31, fetches: 9)
        #expect(doubt5 == nil, "it was answered")
        let doubt6 = hear(32, fetches: 9, leader: -1)
        #expect(doubt6 == "partitions 0 have no leader")
        let doubt7 = hear(40, fetches: 9, leader: -1)
        #expect(doubt7 == sentence, "nobody leads now, but it did")
    }

    @Test("the coordinator's connection is no broker's, and without the group nothing is known")
    func coordinator() {
        var health = health(1, 1)
        func hear(_ seconds: Int, silence: Int64) {
            var first = KafkaStatistics.Connection(
                id: 1, name: "a:1", isUp: true, silence: 30_000_000, unanswered: 1)
            first.isCoordinator = true
            let second = KafkaStatistics.Connection(id: 2, name: "b:2", isUp: true, silence: silence, unanswered: 0)
            health.take(KafkaStatistics(brokers: [first, second], topics: [:]), at: now + .seconds(seconds))
        }
        hear(30, silence: 30_000_000)
        #expect(health.leader(of: 0) == nil)
        #expect(!health.isAway(at: now + .seconds(30)), "nobody asks broker 2")
        health.isAssigned = false
        #expect(
            health.doubt(about: [], examined: [], at: now + .seconds(30))
                == "the group's coordinator at a:1 does not answer")
        var none = KafkaStatistics.Connection(id: -1, name: "", isUp: false, silence: nil, unanswered: 0)
        none.isCoordinator = true
        health.take(KafkaStatistics(brokers: [none], topics: [:]), at: now + .seconds(31))
        #expect(
            health.doubt(about: [], examined: [], at: now + .seconds(31)) == "the group has no coordinator")
        #expect(
            KafkaHealth("t", at: now).doubt(about: [], examined: [], at: now)
                == "the group has not given partitions yet")
    }

    @Test("a leader that is lost or replaced unsettles, a first one does not")
    func unsettled() {
        var health = KafkaHealth("t", at: now)
        func hear(_ seconds: Int, leader: Int32, isUp: Bool = true) {
            let brokers = [Int32(1), 2].map { id in
                var broker = KafkaStatistics.Connection(
                    id: id, name: "a:\(id)", isUp: isUp, silence: 0, unanswered: 1)
                broker.fetches = isUp ? seconds : 0
                return broker
            }
            health.take(
                KafkaStatistics(
                    brokers: brokers, topics: ["t": [0: .init(leader: leader, isFetched: true, end: 10)]]),
                at: now + .seconds(seconds))
        }
        hear(0, leader: 1, isUp: false)
        hear(1, leader: 1)
        hear(2, leader: 1)
        #expect(!health.isUnsettled)
        hear(3, leader: 1, isUp: false)
        #expect(health.isUnsettled, "it is lost")
        hear(4, leader: 2)
        #expect(health.isUnsettled, "another one has its place")
        hear(5, leader: 2)
        #expect(!health.isUnsettled)
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
