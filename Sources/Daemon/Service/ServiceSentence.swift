internal import FoundationEssentials

/// A server that a daemon cannot work without.
public enum Dependency: String, Sendable, CaseIterable {
    /// Kafka's brokers.
    case kafka = "Kafka"
    /// The database.
    case postgreSQL = "PostgreSQL"
}

/// What `systemctl status` shows of a daemon: one sentence, put together of what is known.
struct ServiceSentence: Equatable {
    /// What is waited for.
    struct Waiting: Equatable {
        let dependency: Dependency
        /// Microseconds since 1970.
        let since: Int64
        /// The last error.
        var cause: String
    }

    /// What the daemon says of its work: `19.8 messages/s, lag 3 messages, 0.2 s`.
    var work = ""
    /// It was told to the service manager.
    var isStarted = false
    /// What it needs has answered.
    var isReady = false
    var isStopping = false
    /// In the order in which they were lost.
    var waiting: [Waiting] = []
    /// The names of loops that do not get on.
    var stalled: [String] = []
    /// Why the last reload changed nothing.
    var refusal: String?
    /// Why the daemon ends although nobody asked it to.
    var failure: String?

    var text: String {
        if let failure { return cut("stops: \(failure)") }
        if isStopping { return "stopping: finishes what is in flight" }
        var parts = waiting.map { "waiting for \($0.dependency.rawValue) since \(utc($0.since)): \($0.cause)" }
        if !isReady, parts.isEmpty { parts.append("starting") }
        if !stalled.isEmpty { parts.append("no progress: " + stalled.joined(separator: ", ")) }
        if isReady { parts.append(work.isEmpty ? "ready" : work) }
        if let refusal { parts.append("the last reload was refused: \(refusal)") }
        return cut(parts.joined(separator: "; "))
    }

    /// Longer than that nobody reads it, and the service manager has a limit, too. An id in a cause may be a few Characters
    /// of any number of scalars.
    private func cut(_ text: String) -> String { String(String.UnicodeScalarView(text.unicodeScalars.prefix(500))) }
}

/// `2026-11-23T02:45:10Z`.
func utc(_ microseconds: Int64) -> String {
    Date(timeIntervalSince1970: Double(microseconds / 1_000_000)).formatted(Date.ISO8601FormatStyle())
}
