import Daemon
import HeartRate
import PostgreSQL

/// What the consumer measures. What is stored is counted when the database has committed it.
struct ConsumerMetrics: Sendable {
    private let valid, anomalies, rejected: Metrics.Counter
    private let reasons: [RejectionReason.Code: Metrics.Counter]
    private let commitSeconds, batchMessages: Metrics.Histogram
    let lagMessages, lagSeconds, lagAge, assignedPartitions: Metrics.Gauge
    let gapMessages, holeOffsets, fenced: Metrics.Counter
    private let late, suspect, ahead, restarted: Metrics.Counter

    init(_ metrics: Metrics) {
        func messages(_ outcome: String) -> Metrics.Counter {
            metrics.counter(
                "heartbeat_consumer_messages_total", "Messages that are stored, by what became of them.",
                labels: ["outcome": outcome])
        }
        valid = messages("valid")
        anomalies = messages("anomaly")
        rejected = messages("rejected")
        reasons = Self.reasons(metrics)
        lagMessages = metrics.gauge(
            "heartbeat_consumer_lag_messages",
            "Messages in Kafka that are not stored yet; absent while that is not known.")
        lagAge = metrics.gauge("heartbeat_consumer_lag_age_seconds", "How old what is known of the lag is.")
        lagSeconds = metrics.gauge(
            "heartbeat_consumer_lag_seconds",
            """
            The age of the last stored message of the partition that is furthest behind; 0 when none is behind, absent \
            while that is not known.
            """)
        assignedPartitions = metrics.gauge(
            "heartbeat_consumer_assigned_partitions", "Partitions that the group has given to this consumer.")
        commitSeconds = metrics.histogram(
            "heartbeat_consumer_commit_duration_seconds", "How long a batch's transaction lasted.",
            buckets: [0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10])
        batchMessages = metrics.histogram(
            "heartbeat_consumer_batch_messages", "How many messages a transaction had.",
            buckets: [1, 10, 100, 1000, 5000, 10_000, 20_000, 50_000, 100_000, 1_000_000])
        gapMessages = metrics.counter(
            "heartbeat_consumer_gap_messages_total", "Messages that Kafka deleted before they were read.")
        holeOffsets = metrics.counter(
            "heartbeat_consumer_hole_offsets_total",
            "Offsets without a message for readers: ends of transactions, aborted messages, compaction.")
        fenced = metrics.counter(
            "heartbeat_consumer_fenced_total", "How often another consumer owned a partition that was written to here.")
        late = metrics.counter(
            "heartbeat_consumer_late_readings_total",
            "Readings that came after a later one of the same customer: stored, but judged for no episode.")
        ahead = metrics.counter(
            "heartbeat_consumer_ahead_readings_total",
            "Readings whose time stamp was far ahead of the one before: judged only if a second one confirmed it.")
        restarted = metrics.counter(
            "heartbeat_consumer_clock_restarts_total", "How often a customer's clock was set back.")
        suspect = metrics.counter(
            "heartbeat_consumer_suspect_readings_total", "Readings that were stored with is_suspect.")
    }

    private static func reasons(_ metrics: Metrics) -> [RejectionReason.Code: Metrics.Counter] {
        let counters = RejectionReason.Code.allCases.map { code in
            metrics.counter(
                "heartbeat_consumer_rejected_total",
                "Messages that were found to be rejected, by reason; one that is read again counts again.",
                labels: ["reason": code.rawValue])
        }
        return Dictionary(uniqueKeysWithValues: zip(RejectionReason.Code.allCases, counters))
    }

    /// Measures a transaction.
    func committed(within duration: Duration) { commitSeconds.observe(duration / .seconds(1)) }

    /// Counts a transaction that the database has.
    func stored(_ transaction: Transaction) {
        guard transaction.count > 0 else { return }
        batchMessages.observe(Double(transaction.count))
        valid.add(transaction.readings - transaction.anomalies)
        anomalies.add(transaction.anomalies)
        rejected.add(transaction.rejected)
        late.add(transaction.findings?.late ?? 0)
        ahead.add(transaction.findings?.ahead ?? 0)
        restarted.add(transaction.findings?.restarted.count ?? 0)
        suspect.add(transaction.findings?.suspect.count ?? 0)
    }

    func rejected(_ code: RejectionReason.Code) { reasons[code]?.add() }
}
