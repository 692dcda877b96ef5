import Daemon
import HeartRate
import Kafka
import KafkaService
import SharedSettings

/// Hands messages to librdkafka: each one when it is due, none skipped, waiting when the queue is full.
struct Publisher: ~Copyable {
    /// How the work ended.
    enum End {
        /// There is nothing left to publish.
        case finished
        /// It was asked to stop.
        case stopped
    }

    /// The time of day at the start, which due times are counted from.
    let startOfDay = Instant(microsecondsSince1970: wallClockMicroseconds())

    private let start = ContinuousClock.now
    private let delivery: Delivery
    private let service: Service
    private let loop: WorkLoop
    private let topic: String
    /// The log level, which a reload sets itself, is all that takes effect without a restart.
    private var settings: Settings
    private var report: ProgressReport
    private var produced = 0
    private var sinceTick = 0
    /// In nanoseconds since the start, as the clock was read last.
    private var now: Int64 = 0
    /// When the message at hand is due; nil without pace.
    private var due: Int64?

    init(_ delivery: Delivery, settings: Settings, _ service: Service) {
        self.delivery = delivery
        self.settings = settings
        self.service = service
        topic = settings[.kafkaTopic]
        loop = service.loop("publisher")
        report = ProgressReport(service)
    }

    /// Whether it was asked to stop. Cheap enough to ask for each message.
    var isStopped: Bool { service.stop.isRequested }

    /// Messages since the start.
    var counts: ProgressReport.Counts {
        let counts = delivery.counts
        return ProgressReport.Counts(produced: produced, delivered: counts.delivered, failed: counts.failed)
    }

    /// Waits for a moment, in nanoseconds since the start; does not when that is over.
    ///
    /// - Returns: false when it was asked to stop before that.
    /// - Throws: `KafkaError` when librdkafka cannot go on.
    mutating func wait(until due: Int64) throws(KafkaError) -> Bool {
        self.due = due
        while due > now {
            try tick()
            guard !service.stop.isRequested else { return false }
            guard due > now else { break }
            // At least 1 ms, so that fast producers hand over a few messages at once instead of spinning; at most
            // 100 ms, to see the wish to stop. It is over earlier when there are delivery reports.
            try delivery.poll(milliseconds: Int32(min(max((due - now) / 1_000_000, 1), 100)))
        }
        return !service.stop.isRequested
    }

    /// Queues one message; its bytes are copied. Waits while the queue is full, however long Kafka is unreachable.
    ///
    /// - Returns: false when it was asked to stop before that; then the message is not sent.
    /// - Throws: `KafkaError` when librdkafka cannot go on.
    mutating func publish(key: RawSpan, value: RawSpan) throws(KafkaError) -> Bool {
        guard !service.stop.isRequested else { return false }
        while !(try delivery.produce(key: key, value: value)) {
            try delivery.poll(milliseconds: 100)
            try tick()
            guard !service.stop.isRequested else { return false }
        }
        produced += 1
        sinceTick += 1
        if sinceTick == 1000 {
            sinceTick = 0
            try delivery.poll(milliseconds: 0)
            try tick()
        }
        return true
    }

    /// Waits until everything is delivered or given up, or until it is asked to stop.
    ///
    /// - Throws: `KafkaError` when librdkafka cannot go on.
    mutating func drain() throws(KafkaError) {
        due = nil
        while try delivery.flush(milliseconds: 100) > 0, !service.stop.isRequested { try tick() }
    }

    /// Waits until everything is delivered or given up, but only for a limited time.
    func flush(milliseconds: Int64) {
        let deadline = ContinuousClock.now + .milliseconds(milliseconds)
        while let waiting = try? delivery.flush(milliseconds: 100), waiting > 0, deadline > .now {}
    }

    /// Does what is not done for every message.
    private mutating func tick() throws(KafkaError) {
        now = (ContinuousClock.now - start).wholeNanoseconds
        loop.progressed()
        _ = service.reloadIfAsked(&settings)
        let behind = due.map { max(0, now - $0) } ?? 0
        report.trouble = delivery.trouble
        guard report.update(counts, behind: behind, isRefused: delivery.isRefused, at: now) else { return }
        delivery.judgeSilence()
        if !delivery.isRefused { delivery.cluster.look(for: topic, service) }
    }
}
