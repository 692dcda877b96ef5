import Testing

@testable import Daemon

@Suite struct WatchdogRoundsTests {
    private let start = ContinuousClock.now

    @Test func isToldWhenEveryLoopHasComeRound() {
        var rounds = WatchdogRounds(interval: .seconds(20), at: start)
        #expect(rounds.judge([1, 1], at: start + .seconds(1)) == .wait)
        #expect(rounds.judge([9, 9], at: start + .seconds(5)) == .progress)
        #expect(rounds.judge([10, 10], at: start + .seconds(9)) == .wait)
        #expect(rounds.judge([10, 10], at: start + .seconds(10)) == .progress)
    }

    @Test(arguments: [[5, 1], [1, 5]])
    func oneLoopThatHangsIsEnough(counts: [Int]) {
        var rounds = WatchdogRounds(interval: .seconds(20), at: start)
        #expect(rounds.judge([1, 1], at: start + .seconds(5)) == .progress)
        for second in 6...15 { #expect(rounds.judge(counts, at: start + .seconds(second)) == .wait) }
        let hanging = counts.firstIndex(of: 1) ?? -1
        #expect(rounds.judge(counts, at: start + .seconds(16)) == .stalled([hanging]))
        #expect(rounds.silence(at: start + .seconds(16)) == .seconds(11))
        // Said once.
        #expect(
            rounds.judge([99, 99].enumerated().map { $0.offset == hanging ? 1 : 99 }, at: start + .seconds(60)) == .wait
        )
        #expect(rounds.judge([99, 99], at: start + .seconds(61)) == .progress)
    }

    @Test func aNewLoopHasToComeRoundOnce() {
        var rounds = WatchdogRounds(interval: .seconds(20), at: start)
        #expect(rounds.judge([1], at: start + .seconds(5)) == .progress)
        #expect(rounds.judge([2, 0], at: start + .seconds(10)) == .wait)
        #expect(rounds.judge([2, 0], at: start + .seconds(16)) == .stalled([1]))
        #expect(rounds.judge([3, 1], at: start + .seconds(17)) == .progress)
    }
}

@Suite struct ServiceSentenceTests {
    @Test func saysWhatAnOperatorNeeds() {
        var sentence = ServiceSentence()
        #expect(sentence.text == "starting")
        sentence.waiting = [.init(dependency: .kafka, since: 1_795_341_600_000_000, cause: "no broker")]
        #expect(sentence.text == "waiting for Kafka since 2026-11-22T10:00:00Z: no broker")
        sentence.isReady = true
        sentence.work = "20 messages/s"
        #expect(sentence.text == "waiting for Kafka since 2026-11-22T10:00:00Z: no broker; 20 messages/s")
        sentence.waiting = []
        #expect(sentence.text == "20 messages/s")
        sentence.stalled = ["writer"]
        sentence.refusal = "x.conf:1: A=b"
        #expect(sentence.text == "no progress: writer; 20 messages/s; the last reload was refused: x.conf:1: A=b")
        sentence.refusal = String(repeating: "x", count: 1000)
        #expect(sentence.text.count == 500)
        sentence.isStopping = true
        #expect(sentence.text.hasPrefix("stopping"))
    }

    @Test func isReadyBeforeThereIsAnythingToTell() {
        #expect(ServiceSentence(isReady: true).text == "ready")
    }
}

@Suite struct MetricsTests {
    @Test func isPrometheusTextFormat() {
        let metrics = Metrics(instance: "consumer-1")
        let first = metrics.counter("heartbeat_x_total", "How many.", ["reason": "a\"b\\c\nd"])
        let gauge = metrics.gauge("heartbeat_y", "How much.")
        let absent = metrics.gauge("heartbeat_z", "Not known.")
        let second = metrics.counter("heartbeat_x_total", "Not shown.", ["reason": "b"])
        let histogram = metrics.histogram("heartbeat_s", "How long.", buckets: [0.5, 1, 10])
        first.add(2)
        first.add()
        second.add(0)
        gauge.set(2)
        gauge.set(0.25)
        absent.set(1)
        absent.set(nil)
        for number in [0.5, 0.75, 1, 7, 11] { histogram.observe(number) }
        #expect(
            metrics.text == #"""
                # HELP heartbeat_x_total How many.
                # TYPE heartbeat_x_total counter
                heartbeat_x_total{instance="consumer-1",reason="a\"b\\c\nd"} 3
                heartbeat_x_total{instance="consumer-1",reason="b"} 0
                # HELP heartbeat_y How much.
                # TYPE heartbeat_y gauge
                heartbeat_y{instance="consumer-1"} 0.25
                # HELP heartbeat_s How long.
                # TYPE heartbeat_s histogram
                heartbeat_s_bucket{instance="consumer-1",le="0.5"} 1
                heartbeat_s_bucket{instance="consumer-1",le="1"} 3
                heartbeat_s_bucket{instance="consumer-1",le="10"} 4
                heartbeat_s_bucket{instance="consumer-1",le="+Inf"} 5
                heartbeat_s_sum{instance="consumer-1"} 20.25
                heartbeat_s_count{instance="consumer-1"} 5

                """#)
    }
}

@Suite struct JournalEventTests {
    @Test func everyIdIs128BitsAndItsOwn() {
        let ids = JournalEvent.allCases.map(\.id)
        #expect(Set(ids).count == ids.count)
        for id in ids { #expect(id.wholeMatch(of: /[0-9a-f]{32}/) != nil) }
    }

    @Test func theIdIsForTheJournalAndNotForPeople() {
        let line = LogLine(
            level: .notice, label: "consumer", message: "ready",
            metadata: [JournalEvent.field: "\(JournalEvent.started.id)", "HEARTBEAT_LAG": "0", "KAFKA_TOPIC": "a"])
        #expect(line.text(at: 0).hasSuffix(" notice consumer: ready KAFKA_TOPIC=a"))
        let fields = line.journalFields(identifier: "x").map { "\($0.name)=\($0.value)" }
        #expect(fields.contains("MESSAGE_ID=f8daa748c84046e3aefe4e665af62368") && fields.contains("HEARTBEAT_LAG=0"))
    }
}
