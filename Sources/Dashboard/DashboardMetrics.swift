internal import Daemon

/// What the dashboard measures of itself, and what the database has that no daemon counts.
struct DashboardMetrics: Sendable {
    private let requests: Metrics.Counter
    private let polls: Metrics.Histogram
    private let clients: Metrics.Gauge
    private let dropped: Metrics.Counter
    private let high, medium, low: Metrics.Gauge
    private let alarms: Metrics.Gauge
    private let alarmsPerCustomer: Metrics.Gauge
    private let customers: [(status: Status, gauge: Metrics.Gauge)]
    private let needed: [Metrics.Gauge]
    private let lastReading: Metrics.Gauge

    init(_ metrics: Metrics) {
        requests = metrics.counter("heartbeat_dashboard_requests_total", "HTTP requests.")
        polls = metrics.histogram(
            "heartbeat_dashboard_poll_duration_seconds", "How long the database took to answer a poll.",
            buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5])
        clients = metrics.gauge("heartbeat_dashboard_sse_clients", "Pages that are kept up to date.")
        dropped = metrics.counter(
            "heartbeat_dashboard_sse_dropped_total", "Pages that were dropped because they did not read.")
        func open(_ severity: String) -> Metrics.Gauge {
            metrics.gauge("heartbeat_open_episodes", "Episodes that are open now.", labels: ["severity": severity])
        }
        (high, medium, low) = (open("high"), open("medium"), open("low"))
        alarms = metrics.gauge(
            "heartbeat_alarms_last_day", "Episodes of high severity that were raised in the last 24 hours.")
        alarmsPerCustomer = metrics.gauge(
            "heartbeat_alarms_per_customer_day",
            "The same for each customer with a reading in that time, at the rate of the time that was watched.")
        customers = Status.allCases.map { status in
            let gauge = metrics.gauge(
                "heartbeat_customers", "Customers by the worst of their open episodes.",
                // Values of labels are written without blanks.
                labels: ["status": String(status.rawValue.map { $0 == " " ? "_" : $0 })])
            return (status, gauge)
        }
        needed = ["high", "medium"].map { severity in
            metrics.gauge(
                "heartbeat_unseen_customers", "Customers with an episode that nobody has seen as bad as it is.",
                labels: ["severity": severity])
        }
        lastReading = metrics.gauge(
            "heartbeat_last_reading_timestamp_seconds", "The latest reading of all, by its own time stamp.")
    }

    func countRequest() { requests.add() }
    func observePoll(_ seconds: Double) { polls.observe(seconds) }
    func setClients(_ count: Int) { clients.set(Double(count)) }
    func countDropped() { dropped.add() }

    /// Sets the figures of episodes; nil takes them away while they are not known.
    func setEpisodes(_ episodes: Snapshot.Episodes?) {
        high.set((episodes?.bySeverity.high).map(Double.init))
        medium.set((episodes?.bySeverity.medium).map(Double.init))
        low.set((episodes?.bySeverity.low).map(Double.init))
        alarms.set((episodes?.alarmsLastDay).map(Double.init))
        alarmsPerCustomer.set(episodes?.alarmsPerCustomerDay)
    }

    /// Sets the figures of customers from a state; nil takes them away while they are not known.
    func setCustomers(_ snapshot: Snapshot?) {
        for (status, gauge) in customers {
            gauge.set((snapshot?.statusCounts[status.rawValue]).map(Double.init))
        }
        needed[0].set((snapshot?.people.now.high).map(Double.init))
        needed[1].set((snapshot?.people.now.medium).map(Double.init))
        lastReading.set((snapshot?.lastReading?.recordedAt.microseconds).map { Double($0) / 1e6 })
    }
}
