internal import Daemon
internal import FoundationEssentials

/// What the daemons of this machine tell of themselves: each renames a file with its metrics into a common folder.
struct DaemonFiles: Sendable {
    /// A daemon that has written nothing for so long is not there any more, in microseconds.
    private static let silence: Int64 = 10_000_000
    /// What is beyond this number is none of our daemons' doing.
    private static let mostFiles = 100

    /// All files together.
    private(set) var metrics = MetricsText()
    private(set) var daemons: [Snapshot.DaemonItem] = []
    private(set) var lag: Snapshot.Lag?

    /// Reads the files, as far as there are any.
    ///
    /// - Parameter own: the metrics of this process, instead of its file, which is a little older; nil when this is no
    ///   dashboard.
    init(in directory: String, own: String?, at now: Int64) {
        let names = ((try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? [])
            .filter { $0.hasSuffix(".prom") && (own == nil || $0 != "dashboard.prom") }.sorted().prefix(Self.mostFiles)
        var lags: [Snapshot.Lag] = []
        for name in names {
            guard let bytes = try? readWholeFile(directory + "/" + name) else { continue }
            let text = String(decoding: bytes, as: UTF8.self)
            metrics.add(text)
            var daemon = MetricsText()
            daemon.add(text)
            let item = Self.item(String(name.dropLast(".prom".count)), daemon, at: now)
            daemons.append(item)
            if item.state != .silent, let found = Self.lag(daemon) { lags.append(found) }
        }
        for kind in ["producer", "consumer"] where !daemons.contains(where: { $0.kind == kind }) {
            daemons.append(Snapshot.DaemonItem(name: kind, kind: kind, state: .absent))
        }
        if own == nil, !names.contains("dashboard.prom") {
            daemons.append(Snapshot.DaemonItem(name: "dashboard", kind: "other", state: .absent))
        }
        if let own { metrics.add(own) }
        if !lags.isEmpty {
            lag = Snapshot.Lag(
                messages: lags.reduce(0) { $0 + $1.messages }, seconds: lags.compactMap(\.seconds).max())
        }
    }

    private static func item(_ name: String, _ metrics: MetricsText, at now: Int64) -> Snapshot.DaemonItem {
        let kind = name.prefix { $0 != "-" }
        var item = Snapshot.DaemonItem(
            name: name, kind: ["producer", "consumer"].contains(kind) ? String(kind) : "other", state: .starting)
        item.version = metrics.samples("heartbeat_build_info").first?.labels["version"]
        let updated = metrics.samples("heartbeat_updated_timestamp_seconds").first.map { microseconds($0.value) }
        item.updatedAt = updated.map { Moment(microseconds: $0) }
        let waiting = metrics.samples("heartbeat_waiting_since_timestamp_seconds")
        if now - (updated ?? 0) > silence {
            item.state = .silent
            item.since = item.updatedAt
        } else if let since = waiting.map(\.value).min() {
            item.state = .waiting
            item.since = Moment(microseconds: microseconds(since))
            item.waitingFor = waiting.compactMap { $0.labels["for"] }.sorted()
        } else if metrics.samples("heartbeat_ready").first?.value == 1 {
            item.state = .ready
        }
        return item
    }

    private static func lag(_ metrics: MetricsText) -> Snapshot.Lag? {
        guard let messages = metrics.samples("heartbeat_consumer_lag_messages").first?.value, messages >= 0 else {
            return nil
        }
        let seconds = metrics.samples("heartbeat_consumer_lag_seconds").first?.value
        return Snapshot.Lag(
            messages: Int64(exactly: messages.rounded()) ?? 0,
            seconds: seconds.flatMap { $0.isFinite ? max(0, $0) : nil })
    }

    private static func microseconds(_ seconds: Double) -> Int64 {
        Int64(exactly: (seconds * 1e6).rounded()) ?? 0
    }
}
