import Logging
import Systemd

/// What the producer tells of its progress: a line a minute, a status every 10 s, and when it comes to lag behind.
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
        /// Neither acknowledged until now.
        var undelivered: Int { produced - delivered }
    }

    private let logger: Logger
    private var lag = LagReport()
    private var lastLine: Int64 = 0
    private var lastStatus: Int64 = 0
    private var atLastLine = Counts()
    private var atLastStatus = Counts()

    init(_ logger: Logger) { self.logger = logger }

    /// - Parameters:
    ///   - counts: since the start.
    ///   - behind: how late the messages are, in nanoseconds.
    ///   - now: nanoseconds since the start.
    mutating func update(_ counts: Counts, behind: Int64, at now: Int64) {
        switch lag.observe(lag: behind, at: now) {
        case .behind(let lag):
            logger.warning("behind by \(Self.seconds(lag)) s, \(counts.waiting) messages wait for Kafka")
        case .caughtUp: logger.notice("caught up: messages come when they are due again")
        case nil: break
        }
        if now - lastStatus >= 10_000_000_000 { writeStatus(counts, behind, now) }
        if now - lastLine >= 60_000_000_000 { writeLine(counts, now) }
    }

    private mutating func writeLine(_ counts: Counts, _ now: Int64) {
        logger.info(
            """
            \(counts.produced - atLastLine.produced) produced, \(counts.delivered - atLastLine.delivered) delivered, \
            \(counts.waiting) waiting, \(counts.failed - atLastLine.failed) failed in \(Self.seconds(now - lastLine)) s
            """)
        atLastLine = counts
        lastLine = now
    }

    private mutating func writeStatus(_ counts: Counts, _ behind: Int64, _ now: Int64) {
        let rate = (counts.delivered - atLastStatus.delivered) * 1_000_000_000 / Int(now - lastStatus)
        atLastStatus = counts
        lastStatus = now
        let late = lag.isBehind ? ", behind by \(Self.seconds(behind)) s" : ""
        notify(.status("\(rate) messages/s delivered, \(counts.waiting) waiting\(late)"))
    }

    private static func seconds(_ nanoseconds: Int64) -> Int64 { (nanoseconds + 500_000_000) / 1_000_000_000 }
}
