import Consumer
import Daemon
import Database
import FoundationEssentials
import SharedSettings

/// Whether the settings files can be used, and agree with each other.
struct SettingsChecks {
    private let installation: Installation

    init(_ installation: Installation) { self.installation = installation }

    var checks: [Check] {
        Installation.schemas.map { file($0.name) } + [agreement]
    }

    private func file(_ name: String) -> Check {
        let check = "settings.\(name)"
        let path = installation.file(of: name)
        if let problems = installation.problems[name] {
            let command = name == "database" ? "database status" : name
            return .error(
                check, problems.joined(separator: "; "),
                remedy: "correct the line; \"heartbeat \(command) --check-config\" says when it is right")
        }
        guard installation.entry(path) != nil else {
            return .warning(
                check, "there is no \(path): every setting is at its default",
                remedy: "apt install --reinstall -o Dpkg::Options::=--force-confmiss heartbeat-monitor")
        }
        return .ok(check, path)
    }

    /// What one part says of another's business must be the same there.
    private var agreement: Check {
        let name = "settings.agreement"
        var differences: [String] = []
        func compare<Value>(_ setting: Setting<Value>, _ parts: [String]) {
            let known = parts.compactMap { installation.settings[$0] }
            // Without the secrets in any file; a password is no setting that has to be the same.
            let texts = known.map { $0.text(of: setting) }
            guard let first = texts.first, !texts.allSatisfy({ $0 == first }) else { return }
            differences.append(known.map { "\($0.name) has \($0.describe(setting))" }.joined(separator: ", "))
        }
        compare(Setting.kafkaBootstrapServers, ["producer", "gateway", "consumer", "database"])
        compare(Setting.kafkaTopic, ["producer", "gateway", "consumer"])
        compare(Setting.postgresHost, ["consumer", "dashboard", "database"])
        compare(Setting.postgresPort, ["consumer", "dashboard", "database"])
        compare(Setting.postgresDB, ["consumer", "dashboard", "database"])
        compare(Setting.retentionDays, ["consumer", "database"])
        guard !differences.isEmpty else { return .ok(name, "the files agree") }
        return .warning(
            name, differences.joined(separator: "; "),
            remedy: "give them the same value, unless each is meant for another server")
    }
}
