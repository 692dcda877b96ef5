import Foundation
import Synchronization

/// A Kafka cluster in memory that can be told to misbehave: `Tests/Broker`, in a process of its own.
///
/// Commands are lines of JSON on its standard input; each waits until the cluster has done it.
package final class FaultyBroker: Sendable {
    /// A user who has to log in by SASL PLAIN.
    package struct User: Sendable {
        package var name, password: String

        package init(name: String, password: String) {
            self.name = name
            self.password = password
        }
    }

    /// What the cluster says to a command; what that is for, depends on the command.
    struct Answer: Decodable {
        let id: Int
        let error: String?
        let low, high, first, last: Int64?
        let producer: Int64?
    }

    package let process: ChildProcess
    package let bootstrapServers: String
    package let topic: String
    package let partitions: Int
    private let user: User?
    private let asked = Mutex(0)

    /// Starts brokers, numbered from 1, with a topic whose partitions are spread over them.
    package init(brokers: Int = 1, partitions: Int = 4, user: User? = nil) async throws {
        topic = "heartbeat-test-\(UUID().uuidString.prefix(8))"
        self.partitions = partitions
        self.user = user
        var arguments = [
            "-B", Self.program, "--brokers", "\(brokers)", "--topic", topic, "--partitions", "\(partitions)",
        ]
        if let user { arguments += ["--user", "\(user.name):\(user.password)"] }
        let process = try ChildProcess(
            "broker", ChildProcess.Command("/usr/bin/python3", arguments, environment: ["LC_ALL": "C.UTF-8"]),
            in: TestFolder.required())
        self.process = process
        bootstrapServers = try await Harness.first("the brokers say their addresses") {
            process.output.split(separator: "\n").first.map(String.init)
        }
    }

    private static let program: String = {
        let tests = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        return tests.deletingLastPathComponent().path + "/Broker/broker.py"
    }()

    /// librdkafka's properties of a client that may log in.
    package var clientProperties: [String: String] {
        guard let user else { return [:] }
        return [
            "security.protocol": "sasl_plaintext", "sasl.mechanisms": "PLAIN", "sasl.username": user.name,
            "sasl.password": user.password,
        ]
    }

    /// Has it carry out commands; no client sees anything between two of them.
    ///
    /// - Returns: the last one's answer.
    /// - Throws: when it refuses one.
    @discardableResult
    func ask(_ commands: [(name: String, arguments: [String: Any])]) async throws -> Answer {
        let id = try asked.withLock { asked in
            asked += 1
            let words = commands.map { $0.arguments.merging(["do": $0.name]) { $1 } }
            let line: [String: Any] = ["id": asked, "commands": words]
            process.write(String(decoding: try JSONSerialization.data(withJSONObject: line), as: UTF8.self))
            return asked
        }
        let answer = try await Harness.first("the broker has done \(commands.last?.name ?? "nothing")") {
            process.output.split(separator: "\n").dropFirst().lazy
                // After thousands of commands not all of them can be read again.
                .filter { $0.hasPrefix("{\"id\": \(id)") }
                .compactMap { try? JSONDecoder().decode(Answer.self, from: Data($0.utf8)) }
                .first { $0.id == id }
        }
        if let error = answer.error { throw HarnessError("the broker: \(error)") }
        return answer
    }

    @discardableResult
    func ask(_ name: String, _ arguments: [String: Any] = [:]) async throws -> Answer {
        try await ask([(name, arguments)])
    }
}
