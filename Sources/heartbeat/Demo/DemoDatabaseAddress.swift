import ArgumentParser

/// Which PostgreSQL server to use: `host=...,port=...,dbname=...,user=...`.
struct DemoDatabaseAddress: ExpressibleByArgument, Sendable {
    /// heartbeat's settings for it.
    let settings: [String: String]

    private static let names = [
        "host": "POSTGRES_HOST", "port": "POSTGRES_PORT", "dbname": "POSTGRES_DB", "user": "POSTGRES_USER",
    ]

    init?(argument: String) {
        var settings: [String: String] = [:]
        for pair in argument.split(separator: ",") {
            let parts = pair.split(separator: "=", maxSplits: 1)
            guard parts.count == 2, let name = Self.names[String(parts[0])] else { return nil }
            settings[name] = String(parts[1])
        }
        guard !settings.isEmpty else { return nil }
        self.settings = settings
    }
}
