import Foundation

/// The program under test: the one that was built beside the tests, or the one that `HEARTBEAT` names.
package enum Heartbeat {
    /// A command that has ended.
    package struct Finished: Sendable {
        package let end: ChildProcess.End
        package let output: String
        package let log: String
    }

    /// Where the program is.
    package static let path: String = {
        if let other = ProcessInfo.processInfo.environment["HEARTBEAT"], !other.isEmpty { return other }
        let tests = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        return URL(fileURLWithPath: tests).deletingLastPathComponent().path + "/heartbeat"
    }()

    /// Starts a command with these settings and no others: nothing of the machine's own files and environment.
    package static func start(
        _ name: String, _ arguments: [String], settings: [String: String], config: String? = nil
    ) throws -> ChildProcess {
        let folder = try TestFolder.required()
        guard access(path, X_OK) == 0 else { throw HarnessError("there is no program \(path)") }
        var environment = ["PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "HOME": folder.path]
        // For toolchains whose runtime is not where the program was linked to find it.
        environment["LD_LIBRARY_PATH"] = ProcessInfo.processInfo.environment["LD_LIBRARY_PATH"]
        // Otherwise it would be the machine's own, if there is one.
        environment["METRICS_DIRECTORY"] = folder.path + "/metrics"
        environment.merge(settings) { _, setting in setting }
        // Otherwise it would be /etc/heartbeat's.
        let config = try config ?? folder.write("empty.conf", "")
        let takesSettings = arguments.first != "broker"
        return try ChildProcess(
            name,
            ChildProcess.Command(
                path, arguments + (takesSettings ? ["--config", config] : []), environment: environment),
            in: folder)
    }

    /// Runs a command to its end.
    package static func run(
        _ arguments: [String], _ settings: [String: String], config: String? = nil,
        within limit: Duration = .seconds(120)
    ) async throws -> Finished {
        let process = try start("heartbeat " + (arguments.first ?? ""), arguments, settings: settings, config: config)
        let end = try await process.waitForEnd(within: limit)
        return Finished(end: end, output: process.output, log: process.log)
    }
}
