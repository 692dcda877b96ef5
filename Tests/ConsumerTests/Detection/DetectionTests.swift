import Testing

@testable import Consumer
@testable import HeartRate

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
        #expect(findings.episodes.isEmpty && findings.silent.isEmpty)
        let known = detection.prepare(batch).unknown
        #expect(known.isEmpty, "both are known now")
        detection.forget()
        let unknown = detection.prepare(batch).unknown
        #expect(unknown == [0, 1])
    }
    @Test("what is not stored reaches the detector in its place, also of somebody without readings in the batch")
    func unstorable() throws {
        func at(_ second: Int) -> Instant { Instant(microsecondsSince1970: Int64(second) * 1_000_000) }
        var detection = Detection(most: 1000)
        func judge(_ batch: inout Batch, _ detection: inout Detection) -> Findings? {
            batch.arrange()
            let involved = detection.prepare(batch)
            detection.judge(&batch, involved, at: 1000, by: EpisodeRules())
            return batch.findings
        }
        var batch = Batch()
        batch.start(at: [Position(sourceID: 1, partition: 0, offset: 0)])
        let id = try CustomerID("a")
        for second in 0..<20 {
            let reading = try #require(Reading(customerID: id, recordedAt: at(second), heartRate: 70))
            batch.append(reading, anomaly: nil, day: nil, slot: 0, offset: Int64(second))
        }
        for second in 20..<40 {
            batch.observe(UnstorableReading(customerID: id, recordedAt: at(second), isZero: true))
        }
        var found = judge(&batch, &detection)
        #expect(found?.episodes.map(\.episode.kind) == [.zeroRate])
        batch.removeAll()
        for second in 40..<50 {
            batch.observe(UnstorableReading(customerID: id, recordedAt: at(second), isZero: true))
        }
        found = judge(&batch, &detection)
        #expect(found?.silent == ["a"])
        batch.removeAll()
        let reading = try #require(Reading(customerID: id, recordedAt: at(51), heartRate: 70))
        batch.append(reading, anomaly: nil, day: nil, slot: 0, offset: 90)
        batch.observe(UnstorableReading(customerID: id, recordedAt: at(50), isZero: true))
        found = judge(&batch, &detection)
        #expect(found?.changes.map(\.change) == [.closed])
    }

    @Test("a sensor whose clock is behind is known by messages that are always as late")
    func delay() {
        func behind(_ delays: [(at: Int64, delay: Int64)]) -> Int64 {
            var delay = SensorDelay()
            for one in delays { delay.take(one) }
            return delay.behind
        }
        let quarter: Int64 = 900_000
        #expect(behind((0..<30).map { (Int64($0) * 1000, quarter + Int64($0 % 3) * 200) }) == quarter)
        #expect(behind((0..<15).map { (Int64($0) * 1000, quarter) }) == 0, "not for long enough")
        // What was kept comes nearer to the present; a recording is older than any clock.
        #expect(behind((0..<60).map { (Int64($0) * 1000, 3_600_000 - Int64($0) * 9000) }) == 0)
        #expect(behind((0..<60).map { (Int64($0) * 1000, 500_000_000_000) }) == 0)
    }
}
