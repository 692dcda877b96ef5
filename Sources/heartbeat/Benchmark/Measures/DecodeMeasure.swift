import Bytes
import Daemon
import HeartRate

/// How fast messages become readings, with nothing else: no Kafka, no PostgreSQL.
struct DecodeMeasure {
    private static let messages = 10_000
    private static let duration = Duration.seconds(1)

    static func run(
        _ readings: BenchmarkReadings, by rule: AnomalyRule, _ course: Course
    ) throws -> BenchmarkResults.Rate {
        var readings = readings
        var writer = MessageWriter()
        var decoder = ReadingDecoder()
        var messages: [[UInt8]] = []
        for _ in 0..<Self.messages {
            let bytes = writer.write(readings.next())
            var copy: [UInt8] = []
            for offset in bytes.byteOffsets { copy.append(bytes[offset]) }
            messages.append(copy)
        }
        let start = ContinuousClock.now
        var decoded = 0
        var anomalies = 0
        while ContinuousClock.now - start < Self.duration {
            try course.expectGoing()
            for message in messages {
                // Of few customers they reach far into the future.
                let reading = try decoder.decode(message.span.raw, receivedAt: .latest)
                if rule.judge(reading.heartRate) != nil { anomalies += 1 }
            }
            decoded += messages.count
        }
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        return BenchmarkResults.Rate(
            perSecond: Double(decoded) / seconds, limit: "one core; \(100 * anomalies / decoded) % were anomalies")
    }
}
