internal import Daemon

/// What the notifier measures of itself.
struct NotifierMetrics {
    /// What has become of notifications, and of attempts that failed.
    enum Result: String, CaseIterable {
        case sent, failed, dead
    }

    private let metrics: Metrics
    private let delay: Metrics.Histogram
    private var results: [String: [Result: Metrics.Counter]] = [:]
    private var waiting: [String: (count: Metrics.Gauge, since: Metrics.Gauge)] = [:]
    /// How many were sent, of all receivers.
    private(set) var sent = 0

    init(_ metrics: Metrics) {
        self.metrics = metrics
        delay = metrics.histogram(
            "heartbeat_notifier_delay_seconds", "How long after the database had an event its receiver had it.",
            buckets: [0.1, 0.25, 0.5, 1, 2, 3, 5, 10, 60, 600, 3600])
    }

    /// Begins the series of a receiver with zeros, unless they are there.
    mutating func add(_ receiver: String) {
        guard results[receiver] == nil else { return }
        results[receiver] = Dictionary(
            uniqueKeysWithValues: Result.allCases.map { result in
                (
                    result,
                    metrics.counter(
                        "heartbeat_notifier_notifications_total",
                        "Notifications by what became of them; of those that failed each attempt counts.",
                        labels: ["receiver": receiver, "result": result.rawValue])
                )
            })
        waiting[receiver] = (
            metrics.gauge(
                "heartbeat_notifier_waiting", "Notifications that are not sent yet.", labels: ["receiver": receiver]),
            metrics.gauge(
                "heartbeat_notifier_waiting_since_timestamp_seconds",
                "Since when the oldest notification has waited; absent when none waits.", labels: ["receiver": receiver]
            )
        )
    }

    mutating func count(_ result: Result, of receiver: String) {
        results[receiver]?[result]?.add()
        if result == .sent { sent += 1 }
    }

    func delivered(after microseconds: Int64) { delay.observe(max(0, Double(microseconds) / 1e6)) }

    /// - Parameter backlog: what waits; a receiver that is not in it has nothing.
    func set(_ backlog: [(receiver: String, count: Int, since: Int64)]) {
        for (name, gauges) in waiting {
            let entry = backlog.first { $0.receiver == name }
            gauges.count.set(Double(entry?.count ?? 0))
            gauges.since.set(entry.map { Double($0.since) / 1e6 })
        }
    }
}
