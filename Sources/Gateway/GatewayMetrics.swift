internal import Daemon

/// What the gateway measures of itself.
struct GatewayMetrics: Sendable {
    private let requests: [(codes: Range<Int>, counter: Metrics.Counter)]
    private let duration: Metrics.Histogram
    private let accepted, rejected, unacknowledged: Metrics.Counter
    private let waiting: Metrics.Gauge

    init(_ metrics: Metrics) {
        requests = [200..<300, 300..<400, 400..<500, 500..<600].map { codes in
            let counter = metrics.counter(
                "heartbeat_gateway_requests_total", "HTTP requests by the class of their status.",
                labels: ["code": "\(codes.lowerBound / 100)xx"])
            return (codes, counter)
        }
        duration = metrics.histogram(
            "heartbeat_gateway_request_duration_seconds", "How long requests took, Kafka included.",
            buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 2.5, 10])
        func readings(_ outcome: String) -> Metrics.Counter {
            metrics.counter(
                "heartbeat_gateway_readings_total", "Readings by what became of them.", labels: ["outcome": outcome])
        }
        (accepted, rejected, unacknowledged) = (
            readings("accepted"), readings("rejected"), readings("unacknowledged")
        )
        waiting = metrics.gauge(
            "heartbeat_gateway_waiting_messages", "Messages that Kafka has not acknowledged yet.")
    }

    func answered(_ code: Int, within time: Duration) {
        requests.first { $0.codes.contains(code) }?.counter.add()
        duration.observe(time / .seconds(1))
    }

    func count(accepted: Int = 0, rejected: Int = 0, unacknowledged: Int = 0) {
        self.accepted.add(accepted)
        self.rejected.add(rejected)
        self.unacknowledged.add(unacknowledged)
    }

    func setWaiting(_ count: Int) { waiting.set(Double(count)) }
}
