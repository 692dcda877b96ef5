import Daemon
import FoundationEssentials
import SharedSettings

/// `heartbeat doctor`: looks at everything that an operator would look at, and changes nothing.
public struct Doctor {
    private let installation: Installation

    /// A doctor for an installation.
    public init(_ installation: Installation) { self.installation = installation }

    /// Looks at these areas. Each takes some seconds at most, also when a server does not answer.
    public func examine(_ areas: [Area]) -> Diagnosis {
        Diagnosis(areas.flatMap(checks))
    }

    private func checks(_ area: Area) -> [Check] {
        switch area {
        case .settings: SettingsChecks(installation).checks
        case .files: FileChecks(installation).checks
        case .versions: VersionChecks(installation).checks
        case .units: UnitChecks().checks
        case .kafka: KafkaChecks(installation).checks
        case .postgresql: asUser("heartbeat-consumer", area) ?? PostgreSQLChecks(installation).checks
        case .disk: asUser("postgres", area) ?? DiskChecks(installation).checks
        case .clock: ClockChecks().checks
        }
    }

    /// Over the local socket PostgreSQL wants a system user of the role's name, and root is none: root has that user ask.
    ///
    /// - Returns: nil when that is not needed or not possible.
    private func asUser(_ user: String, _ area: Area) -> [Check]? {
        guard ProcessInfo.processInfo.userName == "root", let settings = installation.consumer,
            settings.postgresParameters["user"] == nil, settings.remotePostgreSQL == nil,
            installation.environment["PGUSER"] == nil,
            let program = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        else { return nil }
        let doctor = Program("runuser", "-u", user, "--", program, "doctor", "--json", "--only", area.rawValue)
        guard let answer = doctor.with(["--config", installation.folder]).run(within: 60), !answer.output.isEmpty,
            let diagnosis = try? JSONDecoder().decode(Diagnosis.self, from: Data(answer.output.utf8))
        else { return nil }
        return diagnosis.checks
    }
}

extension Diagnosis {
    /// For programs.
    public var json: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return (try? encoder.encode(self)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
    }
}
