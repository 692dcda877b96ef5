import Daemon
import FoundationEssentials

/// What a daemon of this machine tells of itself in its file of metrics.
struct DaemonMetrics {
    /// As the file is called: `consumer-2`.
    let name: String
    /// heartbeat's version, as that process has it.
    let version: String?
    /// When the file was written, in seconds since 1970.
    let updatedAt: Double

    /// Whether it was written a moment ago, as it is each second.
    var isCurrent: Bool { Double(wallClockMicroseconds()) / 1e6 - updatedAt < 10 }

    /// All of a folder.
    static func all(in folder: String) -> [DaemonMetrics] {
        let files = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
        return files.filter { $0.hasSuffix(".prom") }.compactMap { file in
            guard let bytes = try? readWholeFile("\(folder)/\(file)") else { return nil }
            var metrics = MetricsText()
            metrics.add(String(decoding: bytes, as: UTF8.self))
            return DaemonMetrics(
                name: String(file.dropLast(".prom".count)),
                version: metrics.samples("heartbeat_build_info").first?.labels["version"],
                updatedAt: metrics.samples("heartbeat_updated_timestamp_seconds").first?.value ?? 0)
        }
    }
}
