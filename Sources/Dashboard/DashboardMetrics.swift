internal import Daemon

/// What the dashboard measures of itself.
struct DashboardMetrics: Sendable {
    private let requests: Metrics.Counter
    private let polls: Metrics.Histogram
    private let clients: Metrics.Gauge
    private let dropped: Metrics.Counter

    init(_ metrics: Metrics) {
        requests = metrics.counter("heartbeat_dashboard_requests_total", "HTTP requests.")
        polls = metrics.histogram(
            "heartbeat_dashboard_poll_duration_seconds", "How long the database took to answer a poll.",
            buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5])
        clients = metrics.gauge("heartbeat_dashboard_sse_clients", "Pages that are kept up to date.")
        dropped = metrics.counter(
            "heartbeat_dashboard_sse_dropped_total", "Pages that were dropped because they did not read.")
    }

    func countRequest() { requests.add() }
    func observePoll(_ seconds: Double) { polls.observe(seconds) }
    func setClients(_ count: Int) { clients.set(Double(count)) }
    func countDropped() { dropped.add() }
}
