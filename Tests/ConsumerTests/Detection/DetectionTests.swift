import HeartRate
import Testing

@testable import Consumer

@Suite("Detection in a batch") struct DetectionTests {
    @Test("what is late and what is suspect is counted, customer by customer in the order of the log")
    func counts() throws {
        var batch = Batch()
        batch.start(at: [Position(sourceID: 1, partition: 0, offset: 0)])
        let readings = [("a", 0, 70), ("b", 5, 70), ("a", 1, 120), ("b", 4, 71), ("b", 5, 72), ("a", 2, 121)]
        for (offset, (id, second, bpm)) in readings.enumerated() {
            let reading = Reading(
                customerID: try CustomerID(id), recordedAt: Instant(microsecondsSince1970: Int64(second) * 1_000_000),
                heartRate: Int16(bpm))
            batch.append(try #require(reading), anomaly: nil, day: nil, slot: 0, offset: Int64(offset))
        }
        batch.arrange()
        var detection = Detection(most: 1000)
        let involved = detection.prepare(batch)
        #expect(involved.readings == [0, 1] && involved.unknown == [0, 1])
        detection.judge(&batch, involved, at: 1000, by: EpisodeRules())
        // A batch cannot be copied, as the macro would.
        guard let findings = batch.findings else {
            Issue.record("it was not judged")
            return
        }
        #expect(findings.late == 2 && findings.suspect == [2])
        #expect(findings.checkpoints.ends.count == 2 && findings.episodes.isEmpty)
        #expect(detection.prepare(batch).unknown.isEmpty, "both are known now")
        detection.forget()
        #expect(detection.prepare(batch).unknown == [0, 1])
    }
}
