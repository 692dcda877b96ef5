import Foundation
import Harness
import Testing

/// Debian's Alertmanager.
final class Alertmanager {
    let port: Int
    private let program: String
    private let configuration: String
    private var process: ChildProcess

    /// Starts it.
    ///
    /// - Parameter url: a webhook that it tells at once.
    init(_ program: String, tellingTo url: String) async throws {
        self.program = program
        let folder = try TestFolder.required()
        configuration = try folder.write(
            "alertmanager.yml",
            """
            route: {receiver: hook, group_by: [episode], group_wait: 0s, group_interval: 1s, repeat_interval: 1h}
            receivers:
            - name: hook
              webhook_configs: [{url: "\(url)", send_resolved: true}]
            """)
        // A port that was free a moment ago.
        port = try UselessServer(.closing).address.split(separator: ":").last.flatMap { Int($0) } ?? 0
        process = try Self.start(program, configuration, port: port)
        try await ready()
    }

    var url: String { "http://127.0.0.1:\(port)" }

    /// What is not over, as `KIND SEVERITY STATE`.
    func alerts() throws -> [String] {
        let connection = try HTTPConnection(port: port)
        connection.request("/api/v2/alerts")
        let list = try JSONSerialization.jsonObject(with: Data(try connection.answer().body)) as? [[String: Any]]
        return try #require(list).map { alert in
            let labels = alert["labels"] as? [String: String] ?? [:]
            let state = (alert["status"] as? [String: Any])?["state"] as? String ?? ""
            return "\(labels["kind"] ?? "") \(labels["severity"] ?? "") \(state)"
        }.sorted()
    }

    /// Ends it and starts it again; it forgets all alerts.
    func restart() async throws {
        process.kill(SIGTERM)
        try await process.waitForEnd(within: .seconds(30))
        process = try Self.start(program, configuration, port: port)
        try await ready()
    }

    private func ready() async throws {
        try await eventually("Alertmanager is ready") {
            guard let connection = try? HTTPConnection(port: port) else { return false }
            connection.request("/-/ready")
            return try connection.answer().status == 200
        }
    }

    private static func start(_ program: String, _ configuration: String, port: Int) throws -> ChildProcess {
        let folder = try TestFolder.required()
        return try ChildProcess(
            "alertmanager",
            ChildProcess.Command(
                program,
                [
                    "--config.file=\(configuration)", "--storage.path=\(folder.path)/alertmanager",
                    "--web.listen-address=127.0.0.1:\(port)", "--cluster.listen-address=",
                ]), in: folder)
    }
}
