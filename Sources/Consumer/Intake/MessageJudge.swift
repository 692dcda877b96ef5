import Daemon
import HeartRate
import Kafka
import SharedSettings

/// Says of each message whether it is a reading, and what is to be said of it.
struct MessageJudge: ~Copyable {
    /// When the last message was judged.
    private(set) var now = Instant(microsecondsSince1970: wallClockMicroseconds())
    private var decoder = ReadingDecoder()
    /// See `ReadingDecoder.unstorable`.
    var unstorable: UnstorableReading? { decoder.unstorable }
    private var rule: AnomalyRule
    private let limits: DecodingLimits
    private let retentionDays: Int32
    /// What the database refused, by the message, as its reason.
    private var refusals: [KafkaPlace: RejectionReason] = [:]

    init(_ settings: Settings) {
        rule = AnomalyRule(settings)
        limits = DecodingLimits(
            maximumPayloadBytes: settings[.maxMessageBytes],
            maximumClockSkew: Microseconds(settings[.maxClockSkewSeconds]))
        retentionDays = Int32(settings[.retentionDays])
    }

    /// Takes new thresholds over.
    mutating func reload(_ settings: Settings) { rule = AnomalyRule(settings) }

    /// - Returns: the reading, what is unusual about it, and the UTC day since 1970 whose partition it belongs to; nil for
    ///   the default partition.
    mutating func judge(
        _ message: borrowing KafkaMessage
    ) throws(RejectionReason) -> (reading: Reading, anomaly: Anomaly?, day: Int32?) {
        // What it is compared with is a matter of seconds and days.
        now = Instant(microsecondsSince1970: coarseWallClockMicroseconds())
        let reading = try decoder.decode(message.payload, receivedAt: now, limits: limits)
        if !refusals.isEmpty, let reason = refusals[Self.place(message.partition, message.offset)] { throw reason }
        return (reading, rule.judge(reading.heartRate), day(of: reading.recordedAt))
    }

    /// Has one message rejected when it comes again.
    mutating func refuse(_ partition: Int32, _ offset: Int64, as reason: RejectionReason) {
        refusals[Self.place(partition, offset)] = reason
    }

    /// Forgets refusals of messages that were stored since.
    mutating func forgetRefusals(before positions: [Position]) {
        refusals = refusals.filter { place, _ in
            positions.contains { $0.partition == place.partition && $0.offset <= place.offset }
        }
    }

    private func day(of instant: Instant) -> Int32? {
        let (today, day) = (now.daysSince1970, instant.daysSince1970)
        return day <= today + 1 && day >= today - Int64(retentionDays) ? Int32(day) : nil
    }

    private static func place(_ partition: Int32, _ offset: Int64) -> KafkaPlace {
        KafkaPlace(partition: partition, offset: offset, broker: -1)
    }
}
