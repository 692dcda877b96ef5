import Foundation
import Harness
import Testing

/// Somebody who is told: `Tests/Receiver`, in a process of its own.
struct EpisodeReceiver {
    /// A message that it has taken.
    struct Received {
        let id: String
        let isSigned: Bool?
        let path: String
        /// The body, as it was read from JSON.
        let body: [String: Any]
        /// Seconds since 1970.
        let at: Double

        var type: String { body["type"] as? String ?? "" }
        var episode: [String: Any] { body["data"] as? [String: Any] ?? [:] }
        var customer: String { episode["customer_id"] as? String ?? "" }
        var sequence: Int { body["sequence"] as? Int ?? 0 }
        /// The change that it tells of.
        var change: String { "\(customer) \(type.dropFirst("episode.".count)) \(body["timestamp"] ?? "")" }
    }

    let process: ChildProcess
    let port: Int

    /// - Parameters:
    ///   - kind: `http` or `mail`.
    ///   - port: 0 for a free one.
    init(_ name: String = "receiver", _ kind: String = "http", port: Int = 0, options: [String] = []) async throws {
        let process = try ChildProcess(
            name,
            ChildProcess.Command(
                "/usr/bin/python3", ["-B", Self.program, kind, "--port", "\(port)"] + options,
                environment: ["LC_ALL": "C.UTF-8"]), in: TestFolder.required())
        self.process = process
        self.port = try await first("\(name) listens") {
            process.output.split(separator: "\n").first.flatMap { Int($0) }
        }
    }

    private static let program: String = {
        let tests = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        return tests.path + "/Receiver/receiver.py"
    }()

    var url: String { "http://127.0.0.1:\(port)/alarms" }

    /// What it has taken, each as a line of JSON.
    var lines: [[String: Any]] {
        get throws {
            // The last line may not be there in full.
            try process.output.split(separator: "\n", omittingEmptySubsequences: false).dropFirst().dropLast().map {
                try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
            }
        }
    }

    /// The messages of a plain webhook, in the order in which they came.
    var received: [Received] {
        get throws {
            try lines.map { line in
                Received(
                    id: line["id"] as? String ?? "", isSigned: line["is_signed"] as? Bool,
                    path: line["path"] as? String ?? "", body: line["body"] as? [String: Any] ?? [:],
                    at: line["at"] as? Double ?? 0)
            }
        }
    }

    /// Has it answer so from now on: a status, or "hang".
    func answer(_ words: String) async throws {
        process.write(words)
        // It reads the line at once; there is nothing to see of that from outside.
        try await Task.sleep(for: .milliseconds(300))
    }
}
