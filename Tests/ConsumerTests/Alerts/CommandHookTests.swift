import Foundation
import Logging
import Synchronization
import Testing

@testable import Consumer

@Suite("The command that is run for events") struct CommandHookTests {
    /// What was counted, and what was logged.
    private final class Record: Sendable {
        private let outcomes = Mutex<[CommandHook.Outcome]>([])
        private let lines = Mutex<[String]>([])

        var found: [CommandHook.Outcome] { outcomes.withLock { $0 } }
        var log: [String] { lines.withLock { $0 } }
        func add(_ outcome: CommandHook.Outcome) { outcomes.withLock { $0.append(outcome) } }

        var logger: Logger {
            Logger(label: "test") { _ in Handler { line in self.lines.withLock { $0.append(line) } } }
        }
    }

    private struct Handler: LogHandler {
        let write: @Sendable (String) -> Void
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.info
        init(_ write: @escaping @Sendable (String) -> Void) { self.write = write }
        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }
        func log(event: LogEvent) { write("\(event.level): \(event.message)") }
    }

    private let record = Record()
    /// A folder of its own with a file for the command to write to.
    private final class Folder {
        let url = FileManager.default.temporaryDirectory.appending(path: "heartbeat-\(UUID())")
        init() throws { try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true) }
        deinit { try? FileManager.default.removeItem(at: url) }
    }

    private let folder: Folder
    private var path: String { folder.url.appending(path: "output").path }

    init() throws {
        folder = try Folder()
        try Data().write(to: folder.url.appending(path: "output"))
    }

    private func hook(_ script: String, timeout: Duration = .seconds(30)) throws -> CommandHook {
        let program = folder.url.appending(path: "command").path
        try "#!/bin/sh\n\(script)\n".write(toFile: program, atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: program)
        return CommandHook([program, path], timeout: timeout, record.logger) { [record] in record.add($0) }
    }

    @Test("it gets the event as its environment, arguments as they are, and nothing of ours")
    func environment() async throws {
        let hook = try hook("env >$1; readlink /proc/self/fd/0 >>$1; echo said; echo complained >&2")
        hook.submit(["HEARTBEAT_CUSTOMER": "$(id); -x\n\"'"])
        await close(hook, within: .seconds(60))
        #expect(record.found == [.succeeded])
        let text = try String(contentsOfFile: path, encoding: .utf8)
        #expect(text.contains("HEARTBEAT_CUSTOMER=$(id); -x\n\"'\n"))
        #expect(text.hasSuffix("/dev/null\n"))
        let names = Set(text.matches(of: /(?m)^([A-Z_]+)=/).map { String($0.1) })
        // The shell's own: PWD, and perhaps more.
        #expect(names.subtracting(["PWD", "OLDPWD", "SHLVL", "_"]) == ["HEARTBEAT_CUSTOMER", "PATH"])
        #expect(record.log.filter { $0.hasSuffix(": said") }.count == 1)
        #expect(record.log.filter { $0.hasSuffix(": complained") }.count == 1)
    }

    @Test("they run one at a time, in order; failures are counted and complained of once a minute")
    func failures() async throws {
        let hook = try hook("echo $N >>$1; [ $N = 2 ] && kill -9 $$; exit $N")
        for n in 0..<4 { hook.submit(["N": "\(n)"]) }
        await close(hook, within: .seconds(60))
        #expect(record.found == [.succeeded, .failed, .failed, .failed])
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "0\n1\n2\n3\n")
        #expect(record.log.count == 1 && record.log[0].hasPrefix("warning: ") && record.log[0].hasSuffix("status 1"))
    }

    @Test("one that hangs is ended with all that it has started, also when it does not listen")
    func hangs() async throws {
        let hook = try hook(
            "trap '' TERM; sleep 1000 & echo $! >$1; echo $$ >>$1; wait; sleep 1000", timeout: .seconds(2))
        hook.submit([:])
        await close(hook, within: .seconds(60))
        #expect(record.found == [.timedOut])
        let found = try processes()
        #expect(found.count == 2)
        for pid in found { #expect(await isGone(pid), "\(pid) lives") }
    }

    @Test("what waits beyond the bound is dropped at once, and a stop leaves nothing behind")
    func stops() async throws {
        let hook = try hook("echo $$ >>$1; sleep 1000")
        for _ in 0..<200 { hook.submit([:]) }
        #expect(record.found.count >= 99 && Set(record.found) == [.dropped])
        let start = ContinuousClock.now
        while try processes().isEmpty, ContinuousClock.now - start < .seconds(60) {
            try await Task.sleep(for: .milliseconds(10))
        }
        await close(hook, within: .zero)
        // The daemon waits for 2 s; on a busy machine the command may be gone later than that.
        while record.found.count < 200, ContinuousClock.now - start < .seconds(60) {
            try await Task.sleep(for: .milliseconds(10))
        }
        #expect(record.found.count == 200 && record.found.filter { $0 == .failed }.count == 1)
        let found = try processes()
        #expect(found.count == 1)
        for pid in found { #expect(await isGone(pid), "\(pid) lives") }
        #expect(record.log.contains { $0.contains("events are not told to the command, because of the stop") })
    }

    @Test("what it writes is bounded, and never stops it")
    func output() async throws {
        let hook = try hook("yes | head -c 1000000; exit 0")
        hook.submit([:])
        await close(hook, within: .seconds(60))
        #expect(record.found == [.succeeded] && record.log.count == 20)
    }

    @Test("a new command is for what comes from then on; none is none")
    func change() async throws {
        let hook = CommandHook([], record.logger) { [record] in record.add($0) }
        hook.submit([:])
        hook.setCommand(["/no/such/program"])
        hook.submit([:])
        hook.setCommand([])
        hook.submit([:])
        await close(hook, within: .seconds(60))
        #expect(record.found == [.failed])
    }

    /// It blocks, which the threads of Swift's tasks must not: the hook needs one of them.
    private func close(_ hook: CommandHook, within duration: Duration) async {
        await withCheckedContinuation { closed in
            Thread.detachNewThread {
                hook.close(within: duration)
                closed.resume()
            }
        }
    }

    /// An orphan is buried by somebody else, a moment later.
    private func isGone(_ pid: pid_t) async -> Bool {
        let start = ContinuousClock.now
        while kill(pid, 0) == 0 {
            if ContinuousClock.now - start > .seconds(60) { return false }
            try? await Task.sleep(for: .milliseconds(10))
        }
        return errno == ESRCH
    }

    private func processes() throws -> [pid_t] {
        try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").compactMap { pid_t($0) }
    }
}
