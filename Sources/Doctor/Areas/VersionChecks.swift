import Daemon
import FoundationEssentials
import Kafka
import PostgreSQL

/// What this is made of, and whether it is known to work.
struct VersionChecks {
    /// The versions themselves.
    struct Versions: Equatable {
        /// As `252`; nil without systemd.
        var systemd: Int?
        /// As `2.0.2`.
        var librdkafka: String
        /// As `15`.
        var libpq: Int
        /// Daemons by their names that run another version of heartbeat, with that version.
        var others: [String: String] = [:]
        /// What RDKAFKA_SASL_MECHANISM asks for.
        var mechanism = ""
    }

    private let versions: Versions

    init(_ versions: Versions) { self.versions = versions }

    /// Looks at this machine.
    init(_ installation: Installation) {
        let mechanism = installation.consumer?.kafkaProperties.last { $0.name == "sasl.mechanism" }?.value
        versions = Versions(
            systemd: Self.systemd(), librdkafka: KafkaConfiguration.libraryVersion,
            libpq: PostgreSQLConnection.libraryVersion / 10_000, others: Self.others(installation),
            mechanism: mechanism ?? "")
    }

    private static func systemd() -> Int? {
        guard let answer = Program("systemctl", "--version").run(), answer.isSuccess else { return nil }
        return answer.output.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) }
    }

    /// By the files of metrics, as far as they are not left over.
    private static func others(_ installation: Installation) -> [String: String] {
        guard let folder = installation.consumer?[.metricsDirectory] else { return [:] }
        let daemons = DaemonMetrics.all(in: folder).filter { $0.isCurrent && $0.version != heartbeatVersion }
        return Dictionary(uniqueKeysWithValues: daemons.map { ($0.name, $0.version ?? "an unknown version") })
    }

    var checks: [Check] {
        [heartbeat, systemd, librdkafka, libpq]
    }

    private var heartbeat: Check {
        let name = "versions.heartbeat"
        guard versions.others.isEmpty else {
            let list = versions.others.sorted { $0.key < $1.key }.map { "\($0.key) runs \($0.value)" }
            return .warning(
                name, "this is \(heartbeatVersion), but " + list.joined(separator: ", "),
                remedy: "systemctl restart heartbeat.target")
        }
        return .ok(name, heartbeatVersion)
    }

    private var systemd: Check {
        let name = "versions.systemd"
        guard let version = versions.systemd else { return .skipped(name, "there is no systemd") }
        guard version >= 252 else {
            return .warning(
                name, "\(version), and the units are made for 252 or newer", remedy: "upgrade to Debian 12 or newer")
        }
        return .ok(name, "\(version)")
    }

    private var librdkafka: Check {
        let name = "versions.librdkafka"
        let numbers = versions.librdkafka.split(separator: ".").map { Int($0.prefix { $0.isNumber }) ?? 0 }
        guard !numbers.lexicographicallyPrecedes([2, 0, 2]) else {
            return .warning(
                name, "\(versions.librdkafka), and nothing older than 2.0.2 was ever tried",
                remedy: "upgrade to Debian 12 or newer")
        }
        guard !versions.mechanism.hasPrefix("SCRAM") || !numbers.lexicographicallyPrecedes([2, 6]) else {
            return .warning(
                name, "\(versions.librdkafka) cannot log in by \(versions.mechanism) at brokers of Kafka 3.8 or newer",
                remedy: "RDKAFKA_SASL_MECHANISM=PLAIN over TLS, or upgrade to Debian 13")
        }
        return .ok(name, versions.librdkafka)
    }

    private var libpq: Check {
        let name = "versions.libpq"
        guard versions.libpq >= 15 else {
            return .warning(
                name, "\(versions.libpq), and nothing older than 15 was ever tried",
                remedy: "upgrade to Debian 12 or newer")
        }
        return .ok(name, "\(versions.libpq)")
    }
}
