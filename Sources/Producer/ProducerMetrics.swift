import Daemon

/// What the producer counts and measures, for Prometheus.
struct ProducerMetrics {
    let delivered, failed: Metrics.Counter
    let queued, late: Metrics.Gauge

    init(_ metrics: Metrics) {
        func messages(_ outcome: String) -> Metrics.Counter {
            metrics.counter(
                "heartbeat_producer_messages_total", "Messages by what became of them.", labels: ["outcome": outcome])
        }
        delivered = messages("delivered")
        failed = messages("failed")
        queued = metrics.gauge(
            "heartbeat_producer_queued_messages", "Messages that Kafka has not acknowledged yet.")
        late = metrics.gauge("heartbeat_producer_late_seconds", "How late the messages are.")
    }
}
