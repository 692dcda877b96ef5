import Foundation
import Harness
import Testing

/// `heartbeat demo` from outside, as a person runs it.
@Suite(.serialized, .ownFolder, .logsOnFailure)
struct DemoTests {
    @Test("ends by itself after the given time and is sound")
    func ends() async throws {
        let demo = try RunningDemo(["--seconds", "8"])
        try await demo.untilReadingsAreStored()
        try await demo.expectSoundEnd()
    }

    @Test("a signal ends it in order", arguments: [SIGINT, SIGTERM, SIGHUP])
    func order(_ signal: Int32) async throws {
        let demo = try RunningDemo(["--seconds", "120"])
        try await demo.untilReadingsAreStored()
        try demo.expectAllProcesses()
        demo.process.kill(signal)
        try await demo.expectSoundEnd()
    }

    @Test("leaves no process behind when it is killed")
    func leaves() async throws {
        let demo = try RunningDemo(["--seconds", "120"])
        try await demo.untilReadingsAreStored()
        try demo.expectAllProcesses()
        demo.process.kill(SIGKILL)
        #expect(try await demo.process.waitForEnd(within: .seconds(10)) == .killed(by: SIGKILL))
        try await eventually("all processes of the demo are gone", within: .seconds(30)) {
            try demo.processes().isEmpty
        }
        // Nobody was left to do it.
        try FileManager.default.removeItem(atPath: demo.folder())
    }

    @Test("a killed daemon is started again and nothing is lost", arguments: ["consumer", "producer"])
    func lost(_ name: String) async throws {
        let demo = try RunningDemo(["--seconds", "120"])
        try await demo.untilReadingsAreStored()
        let victim = try #require(try demo.processes().first { $0.arguments.dropFirst().first == name })
        kill(victim.id, SIGKILL)
        try await eventually("\(name) is ready again") {
            demo.process.output.components(separatedBy: "\(name): ready:").count == 3
        }
        demo.process.kill(SIGTERM)
        try await demo.expectSoundEnd()
        #expect(demo.process.output.contains("\(name) has ended by itself (signal 9): it is started again"))
    }

    @Test(
        "refuses arguments that it cannot use",
        arguments: [
            ["--postgres", "hots=db"], ["--postgres", "host"], ["--customers", "many"], ["--seconds", "0"],
            ["--partitions", "0"],
        ])
    func use(_ arguments: [String]) async throws {
        let demo = try RunningDemo(arguments)
        #expect(try await demo.process.waitForEnd(within: .seconds(30)) == .exited(64))
    }

    @Test("says what is wrong with a setting of the producer")
    func producer() async throws {
        let demo = try RunningDemo(["--seconds", "120", "--interval", "9999"])
        #expect(try await demo.process.waitForEnd(within: .seconds(60)) == .exited(70))
        #expect(demo.process.output.contains("INTERVAL_SECONDS=9999.0: expected"))
        #expect(demo.process.log.contains("producer has ended by itself: status 78"))
        #expect(!FileManager.default.fileExists(atPath: try demo.folder()))
    }
}

/// A demo beside the test.
struct RunningDemo {
    let process: ChildProcess
    /// A variable that all processes of this demo inherit.
    private static let mark = "HEARTBEAT_TEST_FOLDER"
    private let mark: String

    init(_ arguments: [String]) throws {
        mark = try TestFolder.required().path
        var environment = ["PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", Self.mark: mark]
        environment["LD_LIBRARY_PATH"] = ProcessInfo.processInfo.environment["LD_LIBRARY_PATH"]
        process = try ChildProcess(
            "demo", ChildProcess.Command(Heartbeat.path, ["demo"] + arguments, environment: environment),
            in: try TestFolder.required())
    }

    /// The demo's own folder, as it says it.
    func folder() throws -> String {
        guard let path = process.output.firstMatch(of: /cluster in (\S+)/)?.1 else {
            throw HarnessError("the demo has not said its folder: \(process.output)")
        }
        return String(path)
    }

    func untilReadingsAreStored() async throws {
        try await eventually("the demo shows that readings are stored", within: .seconds(120)) {
            process.output.contains(/readings [1-9]/)
        }
    }

    /// Everything that the demo has started and that runs.
    func processes() throws -> [RunningProcess] {
        let folder = try folder()
        return RunningProcess.all().filter { found in
            // PostgreSQL's processes work in the folder and show it; the others have inherited the mark.
            found.id != process.id
                && (found.environment.contains("\(Self.mark)=\(mark)") || found.workingFolder.hasPrefix(folder + "/"))
        }
    }

    /// Expects PostgreSQL with its own processes, broker, producer and consumer.
    func expectAllProcesses(sourceLocation: SourceLocation = #_sourceLocation) throws {
        let processes = try processes()
        #expect(processes.count > 6, "\(processes)", sourceLocation: sourceLocation)
    }

    /// Waits for its end and expects that all is stored and nothing is left behind.
    func expectSoundEnd(sourceLocation: SourceLocation = #_sourceLocation) async throws {
        let end = try await process.waitForEnd(within: .seconds(90))
        let output = process.output
        #expect(end == .exited(0), "\(output)\n\(process.log)", sourceLocation: sourceLocation)
        #expect(
            output.contains(/sound: [1-9][0-9]* messages are stored, each exactly once/), "\(output)",
            sourceLocation: sourceLocation)
        #expect(try processes().isEmpty, sourceLocation: sourceLocation)
        #expect(!FileManager.default.fileExists(atPath: try folder()), sourceLocation: sourceLocation)
    }
}

/// A process of this machine.
struct RunningProcess {
    let id: pid_t
    let arguments: [String]
    /// As it was when the program was started.
    let environment: [String]
    /// Empty when it is somebody else's.
    let workingFolder: String

    /// All that run; what has ended and was not waited for does not.
    static func all() -> [RunningProcess] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return names.compactMap { pid_t($0) }.compactMap(RunningProcess.init)
    }

    private init?(_ id: pid_t) {
        // proc(5): pid (name) state ... The name can have spaces.
        guard let state = contents("/proc/\(id)/stat").split(separator: ")").last?.split(separator: " ").first,
            state != "Z"
        else { return nil }
        self.id = id
        func words(_ file: String) -> [String] {
            contents("/proc/\(id)/\(file)").split(separator: "\0").map(String.init)
        }
        arguments = words("cmdline")
        environment = words("environ")
        workingFolder = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(id)/cwd")) ?? ""
    }
}
