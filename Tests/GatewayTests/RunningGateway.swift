import Foundation
import Harness
import Testing

/// A gateway before a pipeline of its own.
struct RunningGateway {
    /// May write everybody whose id begins with `gym_`, and `bed 7`.
    let token: String
    let pipeline: Pipeline
    let process: ChildProcess
    let port: Int
    let tokensFile: String
    private let settings: [String: String]

    /// Starts it and waits until it listens.
    ///
    /// - Parameter isReady: also waits until Kafka has answered it.
    init(_ more: [String: String] = [:], pipeline given: Pipeline? = nil, isReady: Bool = true) async throws {
        let pipeline = if let given { given } else { try await Pipeline() }
        self.pipeline = pipeline
        tokensFile = try TestFolder.required().path + "/gateway.tokens"
        settings = pipeline.broker.producerSettings.merging([
            "GATEWAY_PORT": "0", "GATEWAY_TOKENS_FILE": tokensFile,
        ]) { $1 }.merging(more) { $1 }
        token = try await Self.newToken("gym", for: "gym_*,bed%207", in: tokensFile)
        (process, port) = try await Self.start("gateway", settings)
        if isReady { try await ready() }
    }

    private init(_ old: RunningGateway, _ process: ChildProcess, port: Int) {
        (token, pipeline, tokensFile, settings) = (old.token, old.pipeline, old.tokensFile, old.settings)
        (self.process, self.port) = (process, port)
    }

    private static func start(
        _ name: String, _ settings: [String: String]
    ) async throws -> (ChildProcess, Int) {
        let process = try Heartbeat.start(name, ["gateway"], settings: settings)
        let port = try await first("the gateway listens") {
            process.log.firstMatch(of: /serving on http:\/\/\S+:(\d+)/).flatMap { Int($0.1) }
        }
        return (process, port)
    }

    /// The same one, started again at the same address.
    func again(_ name: String) async throws -> RunningGateway {
        let (process, port) = try await Self.start(name, settings.merging(["GATEWAY_PORT": "\(port)"]) { $1 })
        let gateway = RunningGateway(self, process, port: port)
        try await gateway.ready()
        return gateway
    }

    private func ready() async throws {
        try await eventually("\(process.name) is ready") { process.log.contains("ready: Kafka has answered") }
    }

    /// Makes a token by the command.
    static func newToken(_ name: String, for customers: String, in file: String, _ more: [String] = []) async throws
        -> String
    {
        let made = try await Heartbeat.run(
            ["gateway", "token", name, "--customers", customers] + more, ["GATEWAY_TOKENS_FILE": file])
        #expect(made.end == .exited(0), "\(made.log)")
        return made.output.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// One request on a connection of its own.
    func post(
        _ target: String, _ body: String, type: String = "application/json", token: String? = nil,
        headers: [String] = []
    ) throws -> HTTPConnection.Answer {
        try post(target, Array(body.utf8), type: type, token: token, headers: headers)
    }

    func post(
        _ target: String, _ body: [UInt8], type: String, token: String? = nil, headers: [String] = []
    ) throws -> HTTPConnection.Answer {
        let connection = try HTTPConnection(port: port)
        let all = ["Content-Type: \(type)", "Authorization: Bearer \(token ?? self.token)"] + headers
        connection.post(target, all, body: body)
        return try connection.answer()
    }

    /// Sends readings as the contract has them.
    func send(_ body: String, type: String = "application/json") throws -> HTTPConnection.Answer {
        try post("/api/v1/readings", body, type: type)
    }

    func get(_ target: String) throws -> HTTPConnection.Answer {
        let connection = try HTTPConnection(port: port)
        connection.request(target)
        return try connection.answer()
    }
}

/// A reading as the contract has it.
func reading(_ customer: String = "gym_1", at time: String = "2026-02-19T15:53:03Z", _ rate: String = "72") -> String {
    #"{"customer_id": "\#(customer)", "timestamp": "\#(time)", "heart_rate": \#(rate)}"#
}

/// One at a time, since each loads the machine.
@Suite("The gateway", .serialized, .privatePostgreSQL, .ownFolder, .logsOnFailure) enum OnAGateway {}
