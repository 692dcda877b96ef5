import Doctor
import Foundation
import Harness
import Testing

/// An installation that the doctor looks at: a database, a cluster, and a folder with the settings of all parts.
struct Patient {
    /// A row to put into a settings file, by its name.
    typealias Lines = [String: String]

    static let parts = ["producer", "gateway", "consumer", "dashboard", "notifier", "database"]

    let database: TestDatabase
    let broker: FaultyBroker
    let folder: String
    var metrics: String { folder + "/metrics" }

    init(_ database: TestDatabase, brokers: Int = 1) async throws {
        self.database = database
        broker = try await FaultyBroker(brokers: brokers)
        folder = try TestFolder.required().path + "/etc"
        try FileManager.default.createDirectory(
            atPath: folder + "/metrics", withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
        for part in Self.parts { try write(part) }
    }

    /// Writes a part's file as it should be, with these changes.
    func write(_ part: String, _ changes: Lines = [:], adding line: String = "") throws {
        var lines: Lines =
            ["dashboard", "notifier"].contains(part) ? [:] : ["KAFKA_BOOTSTRAP_SERVERS": broker.bootstrapServers]
        if ["producer", "gateway", "consumer"].contains(part) { lines["KAFKA_TOPIC"] = broker.topic }
        // Maintenance and status are the superuser's.
        let roles = [
            "consumer": "heartbeat-consumer", "dashboard": "heartbeat-dashboard", "notifier": "heartbeat-notifier",
            "database": "postgres",
        ]
        if let role = roles[part] { lines.merge(database.settings(as: role)) { $1 } }
        if part == "notifier" { lines["NOTIFIER_ROUTES_FILE"] = folder + "/notifier.routes" }
        if ["gateway", "dashboard"].contains(part) {
            lines[part.uppercased() + "_TOKENS_FILE"] = "\(folder)/\(part).tokens"
        }
        lines["METRICS_DIRECTORY"] = part == "database" ? nil : metrics
        lines.merge(changes) { $1 }
        let text = lines.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)\n" }.joined() + line + "\n"
        try text.write(toFile: "\(folder)/\(part).conf", atomically: true, encoding: .utf8)
        chmod("\(folder)/\(part).conf", 0o644)
    }

    /// Writes the file of metrics of a daemon that runs.
    func pretend(_ daemon: String, version: String = "0.1.0") throws {
        let now = Date().timeIntervalSince1970 + 3600
        try """
        heartbeat_build_info{version="\(version)"} 1
        heartbeat_updated_timestamp_seconds \(now)

        """.write(toFile: "\(metrics)/\(daemon).prom", atomically: true, encoding: .utf8)
    }

    /// What the doctor says; of the units and the clock it would say how this machine is.
    func examine(_ areas: [Area] = [.settings, .files, .versions, .kafka, .postgresql, .disk]) async throws -> Diagnosis
    {
        let only = areas.flatMap { ["--only", $0.rawValue] }
        // The harness adds "--config", and the settings are in the files.
        let done = try await Heartbeat.run(["doctor", "--json"] + only, ["METRICS_DIRECTORY": metrics], config: folder)
        let diagnosis = try JSONDecoder().decode(Diagnosis.self, from: Data(done.output.utf8))
        #expect(done.end == .exited(diagnosis.status))
        return diagnosis
    }

    /// Expects that the doctor finds this and nothing else.
    ///
    /// - Returns: the remedy that it names.
    @discardableResult
    func finds(
        _ name: String, _ verdict: Check.Verdict, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> String {
        let diagnosis = try await examine()
        let found = diagnosis.checks.filter { $0.verdict >= .warning }
        #expect(found.map(\.name) == [name], "\(diagnosis.text(isBrief: true))", sourceLocation: sourceLocation)
        #expect(found.first?.verdict == verdict, sourceLocation: sourceLocation)
        #expect(diagnosis.status == (verdict == .error ? 2 : 1), sourceLocation: sourceLocation)
        return try #require(found.first?.remedy, sourceLocation: sourceLocation)
    }

    /// Expects that the doctor finds nothing.
    func isWell(sourceLocation: SourceLocation = #_sourceLocation) async throws {
        let diagnosis = try await examine()
        #expect(diagnosis.verdict == .ok, "\(diagnosis.text(isBrief: true))", sourceLocation: sourceLocation)
        #expect(diagnosis.status == 0, sourceLocation: sourceLocation)
    }

    /// Runs the statements that a remedy names, as the superuser, each by itself.
    func run(_ remedy: String) throws {
        let statements = remedy.replacing("as postgres in psql: ", with: "").split(separator: ";")
        for statement in statements {
            try database.connect().executeAlone(String(statement), unableTo: "run \(statement)")
        }
    }
}
