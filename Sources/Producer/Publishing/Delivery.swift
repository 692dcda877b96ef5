import Daemon
import Kafka
import KafkaService
import Logging
import SharedSettings

/// Delivers messages and gives none up that Kafka may take later.
///
/// What Kafka refuses comes back, and is sent again before anything new: in smaller batches when a batch was too large
/// for the topic, some time later when the topic or a right is missing or the broker has another reason. Only a message that is too large by itself is
/// given up. After a refusal librdkafka sends nothing more, and another client resends everything in its order.
final class Delivery {
    private let configuration: KafkaConfiguration
    private let settings: Settings
    private let service: Service
    private var producer: KafkaProducer
    private let events: KafkaEvents
    /// The most bytes of a batch; what is configured as long as the topic takes that.
    private var batchBytes: Int
    /// Whether Kafka did not say how large a batch may be, and one was too large.
    private var isGuessing = false
    /// Came back while others are on their way still.
    private var returned: [KafkaProducer.Returned] = []
    /// To be sent again, in this order.
    private var pending: ArraySlice<KafkaProducer.Returned> = []
    private var nextAttempt = ContinuousClock.now
    private var backoff = Backoff(from: .seconds(1), to: .seconds(10))
    private var before = KafkaProducer.Counts()
    private var tooLarge = 0
    /// The lines about single messages in this minute.
    private var lines = (count: 0, since: ContinuousClock.now)
    /// Whether the client can send nothing any more: another one takes its place at the next attempt.
    private var isBroken = false
    /// How many were delivered when Kafka began to take nothing; nil as long as it takes something.
    private var refusedAt: Int?
    /// How many were delivered when some were for the last time, and when that was.
    private var acknowledged = (count: 0, at: ContinuousClock.now)
    private var isSilent = false
    private var silentBroker = SilentBroker()

    /// A message is acknowledged within milliseconds; a group of brokers takes some seconds to replace one of them.
    private static let mostSilence: Duration = .seconds(7)
    /// What a person reads.
    private static let mostLines = 10

    init(_ configuration: KafkaConfiguration, _ settings: Settings, service: Service) throws(KafkaError) {
        self.configuration = configuration
        self.settings = settings
        self.service = service
        batchBytes = configuration.properties.last { $0.name == "batch.size" }.flatMap { Int($0.value) } ?? 1_000_000
        events = .journal(service)
        producer = try KafkaProducer(
            configuration, topic: settings[.kafkaTopic], events: events, keepsReturned: true)
        if let largest = largestBatch(), largest < batchBytes {
            batchBytes = largest
            try renew()
        }
    }

    /// What the topic takes; nil when Kafka does not say it.
    private func largestBatch() -> Int? {
        do throws(KafkaError) {
            return max(1, try producer.cluster.largestBatch(of: settings[.kafkaTopic], withinMilliseconds: 2000))
        } catch {
            service.logger.debug("\(error)")
            return nil
        }
    }

    var cluster: KafkaCluster { producer.cluster }

    /// Whether Kafka takes nothing: only a delivery ends that.
    var isRefused: Bool { refusedAt != nil }

    /// What holds messages up, in words; nil when nothing does.
    var trouble: String? { silentBroker.words }

    /// How many messages ended how, since the start. Failed are those that no batch can take.
    var counts: KafkaProducer.Counts {
        let now = producer.counts
        return KafkaProducer.Counts(
            delivered: before.delivered + now.delivered, failed: before.failed + now.failed + tooLarge)
    }

    private var waiting: Int { producer.waiting + returned.count + pending.count }

    /// Queues one message; its bytes are copied.
    ///
    /// - Returns: false when there is no room, or when others have to be sent again before: poll, then try again.
    /// - Throws: `KafkaError` when librdkafka cannot go on.
    func produce(key: RawSpan, value: RawSpan) throws(KafkaError) -> Bool {
        guard returned.isEmpty, pending.isEmpty, nextAttempt <= .now, !isBroken else { return false }
        do throws(KafkaError) {
            return try producer.produce(key: key, value: value)
        } catch {
            if hasGap { return false }
            guard canBeWaitedFor(error) else { throw error }
            wait(producer.fatalError ?? error)
            return false
        }
    }

    /// Counts what was delivered meanwhile, and sends again what came back; waits for the first for a limited time.
    ///
    /// - Throws: `KafkaError` when librdkafka cannot go on.
    func poll(milliseconds: Int32) throws(KafkaError) {
        producer.poll(milliseconds: milliseconds)
        try settle()
    }

    /// Waits until everything queued is delivered or given up, for a limited time, in milliseconds.
    ///
    /// - Returns: how many messages still wait.
    /// - Throws: `KafkaError` when librdkafka cannot go on.
    func flush(milliseconds: Int32) throws(KafkaError) -> Int {
        if producer.flush(milliseconds: milliseconds) == 0, waiting > 0 {
            producer.poll(milliseconds: min(milliseconds, 10))
        }
        try settle()
        return waiting
    }

    /// Says when nothing is acknowledged although messages wait. Call it about once a second.
    func judgeSilence() {
        if let statistics = producer.takeStatistics() {
            silentBroker.update(statistics, topic: settings[.kafkaTopic], at: .now)
        }
        let delivered = counts.delivered
        // Who refuses is not silent.
        if delivered > acknowledged.count || producer.waiting == 0 || (isRefused && !isSilent) {
            acknowledged = (delivered, .now)
            isSilent = false
            return
        }
        let silence = acknowledged.at.duration(to: .now)
        guard silence > Self.mostSilence else { return }
        isSilent = true
        if refusedAt == nil { refusedAt = delivered }
        let cause = trouble.map { ": \($0)" } ?? ""
        service.waits(for: .kafka, "no message was acknowledged for \(Int(silence / .seconds(1))) s\(cause)")
    }

    // MARK: - What came back

    private func settle() throws(KafkaError) {
        if let fatal = producer.fatalError {
            guard hasGap || producer.fatalCode.isRefusal else { throw fatal }
            if !isBroken, !hasGap { wait(fatal) }
            isBroken = true
            producer.giveBack()
            producer.poll(milliseconds: 0)
        }
        let came = producer.takeReturned()
        if !came.isEmpty {
            returned += came
            // So that little overtakes them: librdkafka may have sent the next batch already.
            producer.giveBack()
            producer.poll(milliseconds: 0)
            returned += producer.takeReturned()
        }
        if let refusedAt, counts.delivered > refusedAt {
            self.refusedAt = nil
            backoff.reset()
            service.answered(.kafka)
        }
        guard producer.waiting == 0, nextAttempt <= .now else { return }
        sortOut()
        guard nextAttempt <= .now else { return }
        if isBroken { try renew() }
        try sendAgain()
    }

    /// Decides what becomes of the messages that came back, when no other is on its way.
    private func sortOut() {
        guard !returned.isEmpty else { return }
        var isBatchTooLarge = false
        var again: [KafkaProducer.Returned] = []
        for message in returned.sorted(by: { $0.place < $1.place }) {
            if message.error.code == .messageTooLarge {
                // A batch has other messages only as long as it is not full.
                if message.batchSize > batchBytes {
                    giveUp(key: message.key ?? [], bytes: message.size)
                    continue
                }
                isBatchTooLarge = true
            } else if message.error.code.isAnswer || message.error.isTopicMissing || message.error.isRefusal {
                wait(message.error)
            }
            again.append(message)
        }
        returned = []
        pending = again + pending
        guard isBatchTooLarge else { return }
        if let largest = largestBatch(), largest < batchBytes {
            batchBytes = largest
        } else {
            batchBytes = max(1, batchBytes / 2)
            isGuessing = true
        }
        service.logger.notice("a batch is larger than the topic takes: batches have at most \(batchBytes) bytes now")
        isBroken = true
    }

    private func sendAgain() throws(KafkaError) {
        while let message = pending.first, nextAttempt <= .now {
            do throws(KafkaError) {
                guard try producer.produce(again: message) else { return }
                pending.removeFirst()
            } catch {
                if hasGap { return }
                guard canBeWaitedFor(error) else { throw error }
                wait(error)
            }
        }
    }

    /// Goes on with another client; nothing is on its way.
    private func renew() throws(KafkaError) {
        var configuration = configuration
        try configuration.set("batch.size", "\(batchBytes)")
        // To a new client a broker does not refuse what comes after the first batch that it has refused.
        if isGuessing { try configuration.set("max.in.flight.requests.per.connection", "1") }
        let counts = producer.counts
        before.delivered += counts.delivered
        before.failed += counts.failed
        isBroken = false
        producer = try KafkaProducer(
            configuration, topic: settings[.kafkaTopic], events: events, keepsReturned: true)
    }

    /// Whether the client sends nothing more so that nothing overtakes what was refused.
    private var hasGap: Bool { producer.fatalCode == .gap }

    private func canBeWaitedFor(_ error: KafkaError) -> Bool {
        error.isTopicMissing || error.isRefusal || (error.isFatal && producer.fatalCode.isRefusal)
    }

    private func wait(_ error: KafkaError) {
        service.waits(for: .kafka, "\(error)")
        if refusedAt == nil { refusedAt = counts.delivered }
        // Once, however many messages were refused.
        if nextAttempt <= .now { nextAttempt = .now + .milliseconds(500) + backoff.next() }
    }

    private func giveUp(key: [UInt8], bytes: Int) {
        tooLarge += 1
        if lines.since.duration(to: .now) >= .seconds(60) { lines = (0, .now) }
        lines.count += 1
        guard lines.count <= Self.mostLines else { return }
        service.logger.error(
            """
            a message of customer "\(String(decoding: key, as: UTF8.self))" with \(bytes) bytes is larger than the \
            topic takes: it is not delivered; \(tooLarge) such messages so far
            """)
    }
}
