import Daemon
import Dashboard
import Gateway

/// Whether secrets are secret, and whether the daemons may write what they have to.
struct FileChecks {
    private let installation: Installation

    init(_ installation: Installation) { self.installation = installation }

    var checks: [Check] { [folder, secrets, passwords, hashes, metrics] }

    private var folder: Check {
        let name = "files.folder"
        let path = installation.folder
        guard let entry = installation.entry(path) else { return .skipped(name, "there is no \(path)") }
        guard entry.mode & 0o022 == 0 else {
            return .error(
                name, "\(path) has mode \(entry.octal): others than its owner can change the settings",
                remedy: "chmod go-w \(path)")
        }
        return .ok(name, "\(path) belongs to \(entry.owner), who alone can change it")
    }

    private var secrets: Check {
        let name = "files.secrets"
        var found: [String] = []
        var faults: [String] = []
        var remedies: [String] = []
        for part in Installation.schemas.map(\.name) {
            let path = installation.secrets(of: part)
            guard let entry = installation.entry(path) else { continue }
            found.append(path)
            if entry.mode & 0o077 != 0 {
                faults.append("\(path) has mode \(entry.octal): others than its owner can read it")
                remedies.append("chmod 600 \(path)")
            }
            if let owner = installation.entry(installation.folder)?.owner, entry.owner != owner {
                faults.append("\(path) belongs to \(entry.owner)")
                remedies.append("chown \(owner): \(path)")
            }
        }
        guard faults.isEmpty else {
            return .error(name, faults.joined(separator: "; "), remedy: remedies.joined(separator: "; "))
        }
        return .ok(name, found.isEmpty ? "there are none" : found.joined(separator: ", ") + ": for their owner alone")
    }

    /// A password in a file that everybody can read.
    private var passwords: Check {
        let name = "files.passwords"
        var faults: [String] = []
        var files: Set<String> = []
        for settings in Installation.schemas.compactMap({ installation.settings[$0.name] }) {
            for secret in settings.secrets {
                guard case .file(let path, _) = secret.origin, path.hasSuffix(".conf"),
                    let entry = installation.entry(path), entry.mode & 0o004 != 0
                else { continue }
                faults.append("\(secret.origin) has \(secret.name), and everybody can read that file")
                files.insert(path.dropLast(".conf".count) + ".secrets")
            }
        }
        guard faults.isEmpty else {
            return .error(
                name, faults.joined(separator: "; "),
                remedy: """
                    move the line to \(files.sorted().joined(separator: " or ")), mode 600, and change the password
                    """)
        }
        return .ok(name, "no file that everybody can read has one")
    }

    /// Who can write a hash into one of these can let himself in.
    private var hashes: Check {
        let name = "files.hashes"
        let dashboard = installation.settings["dashboard"]
        let paths = [
            dashboard?[.dashboardPasswordFile], dashboard?[.dashboardActingPasswordFile],
            dashboard?[.dashboardTokensFile], installation.settings["gateway"]?[.gatewayTokensFile],
        ]
        let open = paths.compactMap(\.self).filter { (installation.entry($0)?.mode ?? 0) & 0o022 != 0 }
        guard open.isEmpty else {
            return .error(
                name, "others than the owner can write to " + open.joined(separator: ", "),
                remedy: "chmod go-w " + open.joined(separator: " "))
        }
        return .ok(name, "only their owners can change whose password or token is taken")
    }

    private var metrics: Check {
        let name = "files.metrics"
        guard let path = installation.consumer?[.metricsDirectory] else {
            return .skipped(name, "the consumer's settings cannot be used")
        }
        guard let entry = installation.entry(path) else {
            return .warning(
                name, "there is no \(path): the daemons' metrics are not written, and the dashboard does not know them",
                remedy: path == "/run/heartbeat" ? "systemd-tmpfiles --create heartbeat-monitor.conf" : "mkdir \(path)")
        }
        return .ok(name, "\(path) has mode \(entry.octal)")
    }
}
