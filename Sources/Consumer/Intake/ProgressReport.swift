import Daemon
import HeartRate
import Kafka
import Logging

/// What the consumer tells of its progress: once a second its offsets to the group, its sentence to the service manager
/// and its metrics; once a minute a line.
///
/// Rejected messages are told with the line, however many they are. The first after a quiet minute do not wait for it, but
/// for 5 s, so that a burst is one line with all of its reasons.
struct ProgressReport {
    private let topic: String
    private let service: Service
    private let metrics: ConsumerMetrics
    private var lastLine = ContinuousClock.now
    private var lastSecond = ContinuousClock.now
    private var firstRejected = ContinuousClock.now
    /// Whether the last line said that nothing has come.
    private var isIdle = false
    private var lastRejected: ContinuousClock.Instant?
    /// One past the last offset that the database has, by partition.
    private(set) var committed: [Int32: Int64] = [:]
    /// Kafka's time stamp of the last stored message in milliseconds since 1970, where it is known.
    private var times: [Int32: Int64] = [:]
    private var sent: [Int32: Int64] = [:]
    private var stored: Int64 = 0
    private var storedAtLastLine: Int64 = 0
    private var storedAtLastSecond: Int64 = 0
    private var rate = RateMeter()
    private var lag = Lag()
    private var rejected: [RejectionReason.Code: Int] = [:]
    private var holes = 0
    private var clock: ClockDoubt
    /// What was last found out about this machine's clock; empty when nothing is wrong with it.
    private var clockSentence = ""

    /// - Parameter skew: how far ahead of this machine's clock a reading may be.
    init(_ topic: String, _ service: Service, metrics: ConsumerMetrics, skew: Microseconds) {
        self.topic = topic
        clock = ClockDoubt(skew: skew)
        self.service = service
        self.metrics = metrics
    }

    mutating func started(_ positions: [Position]) {
        committed = Dictionary(uniqueKeysWithValues: positions.map { ($0.partition, $0.offset) })
        sent = committed
        service.logger.info("reading \(positions.count) partitions", metadata: ["KAFKA_TOPIC": "\(topic)"])
        metrics.assignedPartitions.set(Double(positions.count))
    }

    /// Takes what a batch has moved on.
    mutating func written(_ moved: [Batch.Progress]) {
        for progress in moved {
            committed[progress.partition] = progress.next
            if progress.timestamp >= 0 { times[progress.partition] = progress.timestamp }
        }
    }

    /// For another assignment.
    mutating func forget() {
        committed = [:]
        times = [:]
    }

    /// Counts offsets that have no message.
    mutating func countHole(_ offsets: Range<Int64>) {
        holes = holes.addingWithinBounds(offsets.count)
        metrics.holeOffsets.add(offsets.count)
    }

    mutating func countRejected(_ reason: RejectionReason) {
        if rejected.isEmpty { firstRejected = .now }
        rejected[reason.code, default: 0] += 1
        metrics.rejected(reason.code)
        if let ahead = reason.ahead { clock.rejected(ahead: ahead) }
    }

    mutating func countReading(_ recordedAt: Instant, at now: Instant) { clock.stored(recordedAt, at: now) }

    /// - Parameter doubt: why it is not known how far the logs go; nil when it is.
    mutating func update(_ consumer: KafkaConsumer, health: inout KafkaHealth, doubt: String?) {
        let now = ContinuousClock.now
        guard now - lastSecond >= .seconds(1) else { return }
        lastSecond = now
        commit(to: consumer)
        rate.add(Int(stored - storedAtLastSecond), at: now)
        storedAtLastSecond = stored
        if doubt == nil { health.isKnown(at: now) }
        lag = Lag(committed, times, health: health, doubt: doubt, at: now)
        metrics.lagMessages.set(lag.messages.map { Double($0) })
        metrics.lagSeconds.set(lag.seconds)
        metrics.lagAge.set(max(0, (now - health.lastKnown) / .seconds(1)))
        service.tell("\(oneDecimal(rate.perSecond(at: now))) messages/s, \(lag)\(clockSentence)")
        let isMinuteOver = now - lastLine >= .seconds(60)
        let isBurst =
            !rejected.isEmpty && now - firstRejected >= .seconds(5)
            && lastRejected.map { now - $0 >= .seconds(60) } ?? true
        if isMinuteOver || isBurst { writeLine(now) }
    }

    /// Tells the group and the journal what they have not been told yet.
    mutating func finish(_ consumer: KafkaConsumer) {
        commit(to: consumer)
        if !rejected.isEmpty { writeLine(.now) }
    }

    /// Tells the group how far the database is. Only lag tools read it, so a failure changes nothing.
    mutating func commit(to consumer: KafkaConsumer) {
        let moved = committed.filter { sent[$0.key] != $0.value }
        guard !moved.isEmpty else { return }
        for (partition, next) in moved {
            stored = stored.addingWithinBounds(max(0, next - (sent[partition] ?? next)))
            sent[partition] = next
        }
        do throws(KafkaError) {
            try consumer.commitWithoutWaiting(
                moved.map { partition, next in
                    PartitionOffset(partition: TopicPartition(topic: topic, partition: partition), offset: next)
                })
        } catch {
            service.logger.debug("\(error)")
        }
    }

    private mutating func writeLine(_ now: ContinuousClock.Instant) {
        let seconds = (now - lastLine) / .seconds(1)
        lastLine = now
        if !rejected.isEmpty { lastRejected = now }
        doubtClock()
        let count = stored - storedAtLastLine
        storedAtLastLine = stored
        // That nothing comes is said once.
        let wasIdle = isIdle
        isIdle = count == 0 && holes == 0 && rejected.isEmpty && lag.messages == 0
        if isIdle, wasIdle { return }
        var line = "\(count) messages in \(Int(seconds.rounded())) s, \(lag)"
        if holes > 0 { line += ", \(holes) offsets without a message (transactions or compaction)" }
        holes = 0
        var fields: Logger.Metadata = ["HEARTBEAT_MESSAGES": "\(count)"]
        if let messages = lag.messages { fields["HEARTBEAT_LAG_MESSAGES"] = "\(messages)" }
        if let seconds = lag.seconds { fields["HEARTBEAT_LAG_SECONDS"] = "\(oneDecimal(seconds))" }
        guard !rejected.isEmpty else { return service.logger.info("\(line)", metadata: fields) }
        let counts = rejected.map { ($0.key.rawValue, $0.value) }.sorted { $0 < $1 }
        rejected = [:]
        fields["HEARTBEAT_REJECTED"] = "\(counts.reduce(0) { $0 + $1.1 })"
        fields["HEARTBEAT_REASON"] = "\(counts.map { "\($0.0)=\($0.1)" }.joined(separator: " "))"
        let reasons = counts.map { "\($0.0) \($0.1)" }.joined(separator: ", ")
        service.logger.report(.rejected, "\(line), rejected: \(reasons)", fields: fields)
    }
}

extension ProgressReport {
    private mutating func doubtClock() {
        clockSentence = ""
        guard let (messages, seconds) = clock.judge() else { return }
        let sentence = "this machine's clock may be wrong: all senders are ahead of it by about \(seconds) s"
        clockSentence = "; \(sentence)"
        service.logger.report(
            .clockDoubted,
            """
            \(sentence). \(messages) readings were rejected as future_timestamp and are kept: once the clock is right, \
            "heartbeat rejected replay --code future_timestamp" stores them
            """, fields: ["HEARTBEAT_SECONDS": "\(seconds)", "HEARTBEAT_REJECTED": "\(messages)"])
    }
}

/// How far the database is behind the log.
struct Lag: CustomStringConvertible {
    /// Messages that are not stored yet; nil when that is not known.
    private(set) var messages: Int64?
    /// The age of the last stored message of the partition that is furthest behind; nil when it is not known.
    private(set) var seconds: Double?
    private var doubt = "Kafka has not answered yet"

    init() {}

    /// - Parameters:
    ///   - committed: one past the last stored offset, by partition.
    ///   - times: Kafka's time stamp of the last stored message, in milliseconds since 1970, where one was stored.
    init(
        _ committed: [Int32: Int64], _ times: [Int32: Int64], health: KafkaHealth, doubt: String?,
        at now: ContinuousClock.Instant
    ) {
        if let doubt {
            self.doubt = doubt
            return
        }
        var messages: Int64 = 0
        var oldest: Int64?
        var isKnown = true
        for (partition, next) in committed {
            let end = health.end(of: partition, at: now)?.offset ?? health.recentEnd(of: partition, at: now)
            let behind = (end ?? next) - next
            guard behind > 0 else { continue }
            messages = messages.addingWithinBounds(behind)
            if let time = times[partition] { oldest = min(oldest ?? time, time) } else { isKnown = false }
        }
        self.messages = messages
        if let oldest {
            seconds = max(0, Double(wallClockMicroseconds() / 1000 - oldest) / 1000)
        } else {
            seconds = isKnown ? 0 : nil
        }
    }

    var description: String {
        guard let messages else { return "lag unknown: \(doubt)" }
        return "lag \(messages) messages" + (seconds.map { $0 > 0 ? ", \(oneDecimal($0)) s" : "" } ?? "")
    }
}

private func oneDecimal(_ number: Double) -> String {
    let tenths = Int((number * 10).rounded())
    return "\(tenths / 10).\(tenths % 10)"
}
