import Testing

@testable import Daemon

@Suite struct ServiceSentenceTests {
    @Test("says what an operator needs")
    func needs() {
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

    @Test("is ready before there is anything to tell")
    func tell() {
        #expect(ServiceSentence(isReady: true).text == "ready")
    }
}
