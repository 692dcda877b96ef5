import HeartRate
import Testing

@testable import Consumer

@Suite("Who is watched for silence") struct SilenceTableTests {
    @Test("ids that came once leave the memory when they are the most of very many, and who may fall silent stays")
    func onceOnly() throws {
        let rules = EpisodeRules()
        var detection = Detection(most: 1000)
        func take(_ readings: [(id: String, second: Int)]) throws {
            var batch = Batch()
            batch.start(at: [Position(sourceID: 1, partition: 0, offset: 0)])
            for (offset, (id, second)) in readings.enumerated() {
                let at = Instant(microsecondsSince1970: Int64(second) * 1_000_000)
                let reading = Reading(customerID: try CustomerID(id), recordedAt: at, heartRate: Int16(70 + second % 3))
                batch.append(try #require(reading), anomaly: nil, day: nil, slot: 0, offset: Int64(offset))
            }
            batch.arrange()
            let involved = detection.prepare(batch)
            detection.judge(&batch, involved, at: 60_000, by: rules)
            detection.trim()
        }
        let regular = (0..<60).map { (id: "regular", second: $0) }
        try take(regular)
        for piece in 0..<10 {
            try take(
                (0..<10_000).map { (id: "once \(piece * 10_000 + $0)", second: 60) }
                    + [(id: "regular", second: 60 + piece)])
        }
        #expect(detection.silences.count < 50_000, "\(detection.silences.count) customers are watched")
        // The numbers are other ones now, and the one who matters is found by its own.
        try take([(id: "regular", second: 80)])
        #expect(detection.silences.isDue(at: 120_000))
        let due = detection.silences.due(at: SilenceMoment(at: 120_000))
        #expect(due.map { String(decoding: detection.silences.id($0), as: UTF8.self) } == ["regular"])
    }
}
