import Daemon
import Logging

/// What the producer reports of its progress: a line a minute, its sentence and its metrics once a second, and when it comes
/// to lag behind.
struct ProgressReport {
    /// What there is to count.
    struct Counts: Equatable {
        /// Handed to librdkafka.
        var produced = 0
        /// Acknowledged by Kafka.
        var delivered = 0
        /// Given up by librdkafka.
        var failed = 0

        /// Not yet delivered.
        var waiting: Int { produced - delivered - failed }
        /// Not acknowledged, whether given up or not.
        var undelivered: Int { produced - delivered }
    }

    private let service: Service
    private let metrics: ProducerMetrics
    private var lag = LagReport()
    private var rate = RateMeter()
    private var lastLine: Int64 = 0
    private var lastSecond: Int64 = 0
    private var atLastLine = Counts()
    private var atLastSecond = Counts()
    /// What holds messages up, in words.
    var trouble: String?

    init(_ service: Service) {
        self.service = service
        metrics = ProducerMetrics(service.metrics)
    }

    /// - Parameters:
    ///   - counts: since the start.
    ///   - behind: how late the messages are, in nanoseconds.
    ///   - isRefused: whether Kafka takes none of them, which is told instead of how late they are.
    ///   - now: nanoseconds since the start.
    /// - Returns: whether a second has passed since the last time that it was true.
    mutating func update(_ counts: Counts, behind: Int64, isRefused: Bool, at now: Int64) -> Bool {
        switch isRefused ? nil : lag.observe(lag: behind, at: now) {
        case .behind(let lag):
            service.logger.warning("behind by \(Self.seconds(lag)) s, \(counts.waiting) messages wait for Kafka")
        case .caughtUp: service.logger.notice("caught up: messages come when they are due again")
        case nil: break
        }
        guard now - lastSecond >= 1_000_000_000 else { return false }
        lastSecond = now
        tell(counts, behind)
        if now - lastLine >= 60_000_000_000 { writeLine(counts, now) }
        return true
    }

    private mutating func writeLine(_ counts: Counts, _ now: Int64) {
        let (produced, delivered) = (counts.produced - atLastLine.produced, counts.delivered - atLastLine.delivered)
        let failed = counts.failed - atLastLine.failed
        service.logger.info(
            """
            \(produced) produced, \(delivered) delivered, \(counts.waiting) waiting, \(failed) failed in \
            \(Self.seconds(now - lastLine)) s
            """,
            metadata: [
                "HEARTBEAT_PRODUCED": "\(produced)", "HEARTBEAT_DELIVERED": "\(delivered)",
                "HEARTBEAT_QUEUED": "\(counts.waiting)", "HEARTBEAT_FAILED": "\(failed)",
            ])
        atLastLine = counts
        lastLine = now
    }

    private mutating func tell(_ counts: Counts, _ behind: Int64) {
        rate.add(counts.delivered - atLastSecond.delivered)
        metrics.delivered.add(counts.delivered - atLastSecond.delivered)
        metrics.failed.add(counts.failed - atLastSecond.failed)
        atLastSecond = counts
        metrics.queued.set(Double(counts.waiting))
        metrics.late.set(Double(behind) / 1e9)
        let late = lag.isBehind ? ", behind by \(Self.seconds(behind)) s" : ""
        let held = trouble.map { " (\($0))" } ?? ""
        let failed = counts.failed > 0 ? ", \(counts.failed) given up: too large for the topic" : ""
        service.tell(
            "\(Int(rate.perSecond().rounded())) messages/s delivered, \(counts.waiting) queued\(held)\(late)\(failed)")
    }

    private static func seconds(_ nanoseconds: Int64) -> Int64 { (nanoseconds + 500_000_000) / 1_000_000_000 }
}
