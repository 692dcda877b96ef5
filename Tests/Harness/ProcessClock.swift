import Foundation

/// A clock for processes that can be set while they run, those that use librdkafka, too: `Tests/Clock`. For others there is
/// `Faketime`.
package final class ProcessClock: Sendable {
    private let file: String
    /// The environment of the processes.
    package let settings: [String: String]

    /// A clock that is right.
    package init() async throws {
        let folder = try TestFolder.required()
        let name = folder.path + "/clock-\(UUID().uuidString)"
        let compiler = try ChildProcess(
            "cc",
            ChildProcess.Command(
                "/usr/bin/cc", ["-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o", name + ".so", Self.source],
                environment: ["PATH": "/usr/bin:/bin"]),
            in: folder)
        guard try await compiler.waitForEnd(within: .seconds(60)) == .exited(0) else {
            throw HarnessError("unable to compile \(Self.source): \(compiler.log)")
        }
        file = name
        settings = ["LD_PRELOAD": name + ".so", "HEARTBEAT_TEST_CLOCK": name]
        try set(secondsAhead: 0)
    }

    private static let source: String = {
        let tests = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        return tests.path + "/Clock/clock.c"
    }()

    /// Sets it, at once for whoever runs by it.
    package func set(secondsAhead: Int) throws {
        // In place, since they have it mapped.
        let descriptor = open(file, O_WRONLY | O_CREAT, 0o644)
        guard descriptor >= 0 else { throw HarnessError("unable to open \(file)") }
        defer { close(descriptor) }
        var seconds = Int64(secondsAhead)
        guard write(descriptor, &seconds, 8) == 8 else { throw HarnessError("unable to write \(file)") }
    }
}
