import Foundation
import Harness
import Testing

/// `heartbeat demo` from outside, as a person runs it.
@Suite(.serialized, .ownFolder, .logsOnFailure)
struct DemoTests {
    @Test func endsByItselfAfterTheGivenTimeAndIsSound() async throws {
        let demo = try RunningDemo(["--seconds", "8"])
        try await demo.untilReadingsAreStored()
        try await demo.expectSoundEnd()
    }

    @Test(arguments: [SIGINT, SIGTERM, SIGHUP])
    func aSignalEndsItInGoodOrder(_ signal: Int32) async throws {
        let demo = try RunningDemo(["--seconds", "120"])
        try await demo.untilReadingsAreStored()
        demo.process.kill(signal)
        try await demo.expectSoundEnd()
    }

    @Test func leavesNoProcessBehindWhenItIsKilled() async throws {
        let demo = try RunningDemo(["--seconds", "120"])
        try await demo.untilReadingsAreStored()
        let processes = try demo.processes()
        demo.process.kill(SIGKILL)
        #expect(try await demo.process.waitForEnd(within: .seconds(10)) == .killed(by: SIGKILL))
        try await eventually("all processes of the demo are gone", within: .seconds(30)) {
            processes.allSatisfy { !$0.isAlive }
        }
        // Nobody was left to do it.
        try FileManager.default.removeItem(atPath: demo.folder())
    }

    @Test(arguments: ["consumer", "producer"])
    func aKilledDaemonIsStartedAgainAndNothingIsLost(_ name: String) async throws {
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

    @Test(arguments: [
        ["--postgres", "hots=db"], ["--postgres", "host"], ["--customers", "many"], ["--seconds", "0"],
        ["--partitions", "0"],
    ])
    func refusesArgumentsThatItCanNotUse(_ arguments: [String]) async throws {
        let demo = try RunningDemo(arguments)
        #expect(try await demo.process.waitForEnd(within: .seconds(30)) == .exited(64))
    }

    @Test func saysWhatIsWrongWithASettingOfTheProducer() async throws {
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

    init(_ arguments: [String]) throws {
        var environment = ["PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"]
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

    /// Everything that the demo has started, directly or not.
    func processes() throws -> [RunningProcess] {
        let all = RunningProcess.all()
        var found: [RunningProcess] = []
        var parents: Set = [process.id]
        while !parents.isEmpty {
            let children = all.filter { parents.contains($0.parent) }
            found += children
            parents = Set(children.map(\.id))
        }
        // PostgreSQL with its own processes, broker, producer and consumer.
        guard found.count > 6 else { throw HarnessError("the demo has too few processes: \(found)") }
        return found
    }

    /// Waits for its end and expects that all is stored and nothing is left behind.
    func expectSoundEnd(sourceLocation: SourceLocation = #_sourceLocation) async throws {
        let processes = try processes()
        let end = try await process.waitForEnd(within: .seconds(90))
        let output = process.output
        #expect(end == .exited(0), "\(output)\n\(process.log)", sourceLocation: sourceLocation)
        #expect(
            output.contains(/sound: [1-9][0-9]* messages are stored, each exactly once/), "\(output)",
            sourceLocation: sourceLocation)
        #expect(processes.filter(\.isAlive).isEmpty, sourceLocation: sourceLocation)
        #expect(!FileManager.default.fileExists(atPath: try folder()), sourceLocation: sourceLocation)
    }
}

/// A process of this machine.
struct RunningProcess {
    let id: pid_t
    let parent: pid_t
    let arguments: [String]
    /// When it was started, in ticks since boot: an id can be given again, id and time can not.
    private let start: String

    private init?(_ id: pid_t) {
        // proc(5): pid (name) state ppid ..., and the 22nd field is the start time. The name can have spaces.
        let fields = contents("/proc/\(id)/stat").split(separator: ")").last?.split(separator: " ") ?? []
        guard fields.count > 19, fields[0] != "Z", let parent = pid_t(fields[1]) else { return nil }
        self.id = id
        self.parent = parent
        start = String(fields[19])
        arguments = contents("/proc/\(id)/cmdline").split(separator: "\0").map(String.init)
    }

    static func all() -> [RunningProcess] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return names.compactMap { pid_t($0) }.compactMap(RunningProcess.init)
    }

    var isAlive: Bool { RunningProcess(id)?.start == start }
}
