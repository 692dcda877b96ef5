import Daemon
import Foundation
import Synchronization

/// A program that runs beside the test, its output in files. With this value it ends, and with the test program too.
package final class ChildProcess: Sendable {
    /// How a process came to its end.
    package enum End: Equatable, Sendable {
        /// It ended by itself with a status.
        case exited(Int32)
        /// A signal ended it.
        case killed(by: Int32)
    }

    /// Which program, and as whom.
    package struct Command: Sendable {
        package var program: String
        package var arguments: [String]
        package var environment: [String: String] = [:]
        /// The user and group to become; nil stays who the test is.
        package var user: (id: uid_t, group: gid_t)?
        /// The signal that the kernel sends it when the test program is gone.
        package var lastSignal = "KILL"

        package init(_ program: String, _ arguments: [String], environment: [String: String] = [:]) {
            self.program = program
            self.arguments = arguments
            self.environment = environment
        }
    }

    package let name: String
    package let id: pid_t
    /// What it writes to standard output and to standard error.
    package let outputFile, logFile: String
    private let input: Int32
    private struct Ending {
        var end: End?
        var isEndExpected = false
    }
    private let state = Mutex(Ending())

    /// Starts it.
    package init(_ name: String, _ command: Command, in folder: TestFolder) throws {
        self.name = name
        (outputFile, logFile) = folder.files(for: name)
        (id, input) = try spawn(command, outputFile: outputFile, logFile: logFile)
        folder.add(self)
    }

    deinit {
        kill(SIGKILL)
        waitForEnd()
        close(input)
    }

    package var output: String { contents(outputFile) }
    package var log: String { contents(logFile) }

    /// How it ended; nil as long as it runs.
    package var end: End? {
        state.withLock { state in
            if state.end == nil { state.end = reap(id, WNOHANG) }
            return state.end
        }
    }

    /// How it ended, when nobody here asked it to.
    package var unexpectedEnd: End? { state.withLock { $0.isEndExpected } ? nil : end }

    /// Sends a signal; nothing when the process has ended, since its id may be somebody else's by now.
    package func kill(_ signal: Int32) {
        state.withLock { state in
            if state.end == nil { state.end = reap(id, WNOHANG) }
            if state.end == nil { _ = Foundation.kill(id, signal) }
            if ![SIGSTOP, SIGCONT, SIGHUP].contains(signal) { state.isEndExpected = true }
        }
    }

    /// Says that it is going to end by itself.
    package func expectEnd() { state.withLock { $0.isEndExpected = true } }

    /// Writes a line to its standard input.
    package func write(_ line: String) {
        let line = line + "\n"
        _ = line.withCString { Foundation.write(input, $0, strlen($0)) }
    }

    /// Waits for its end, and fails when that takes too long.
    @discardableResult
    package func waitForEnd(within limit: Duration) async throws -> End {
        expectEnd()
        return try await first("\(name) ends", within: limit) { end }
    }

    /// Whether SIGSTOP has reached all of its threads.
    package var isStopped: Bool {
        let threads = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(id)/task")) ?? []
        return threads.allSatisfy { thread in processState("/proc/\(id)/task/\(thread)/stat") ?? "T" == "T" }
    }

    /// The most of its memory that ever was in RAM.
    package var peakKilobytes: Int {
        let line = contents("/proc/\(id)/status").split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
        return line.flatMap { Int($0.filter(\.isNumber)) } ?? 0
    }

    private func waitForEnd() {
        state.withLock { state in
            if state.end == nil { state.end = reap(id, 0) }
        }
    }
}

private func reap(_ id: pid_t, _ options: Int32) -> ChildProcess.End? {
    var status: Int32 = 0
    guard waitpid(id, &status, options) == id else { return nil }
    // As the macros WIFSIGNALED, WTERMSIG and WEXITSTATUS, which Swift can not see.
    let signal = status & 0x7f
    return signal == 0 ? .exited((status >> 8) & 0xff) : .killed(by: signal)
}

package func contents(_ file: String) -> String {
    // Other programs' output is not always UTF-8.
    FileManager.default.contents(atPath: file).map { String(decoding: $0, as: UTF8.self) } ?? ""
}

/// The state of a process or a thread by its `stat` file, as proc(5) has it: R, S, T, ...; nil when it is gone.
package func processState(_ file: String) -> Character? {
    // It is the first field after the name, which stands in parentheses and may have any character.
    contents(file).split(separator: ")").last?.dropFirst().first
}

// MARK: - Starting

/// Starts every child. The kernel sends a child its last signal when the *thread* that started it ends, so that has to
/// be one that never does.
private final class Spawner: Sendable {
    static let shared = Spawner()
    private let jobs = Monitor<[@Sendable () -> Void]>([])

    private init() {
        do {
            _ = try WorkThread(name: "spawner") { [jobs] in
                while let job = jobs.wait({ $0.isEmpty ? nil : $0.removeFirst() }) { job() }
            }
        } catch {
            preconditionFailure("unable to start a thread: \(error)")
        }
    }

    func run<Answer: Sendable>(_ body: @escaping @Sendable () -> Answer) -> Answer {
        let answer = Monitor<Answer?>(nil)
        jobs.withLock {
            $0.append {
                let found = body()
                answer.withLock { $0 = found }
                answer.wakeAll()
            }
        }
        jobs.wakeAll()
        while true {
            if let found = answer.wait({ $0 }) { return found }
        }
    }
}

private func spawn(
    _ command: ChildProcess.Command, outputFile: String, logFile: String
) throws -> (id: pid_t, input: Int32) {
    var arguments = ["setpriv", "--pdeathsig", command.lastSignal]
    if let user = command.user { arguments += ["--reuid", "\(user.id)", "--regid", "\(user.group)", "--clear-groups"] }
    arguments += ["--", command.program] + command.arguments
    let words = arguments
    let (code, id, input) = Spawner.shared.run { () -> (Int32, pid_t, Int32) in
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { return (errno, 0, -1) }
        _ = fcntl(ends[1], F_SETFD, FD_CLOEXEC)
        defer { close(ends[0]) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, ends[0], 0)
        posix_spawn_file_actions_addopen(&actions, 1, outputFile, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0o644)
        posix_spawn_file_actions_addopen(&actions, 2, logFile, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0o644)
        if ends[0] != 0 { posix_spawn_file_actions_addclose(&actions, ends[0]) }
        // The threads of the test program block signals; a child has to start with none blocked.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        var id: pid_t = 0
        let code = withCStrings(words) { words in
            withCStrings(command.environment.map { "\($0)=\($1)" }) { environment in
                posix_spawnp(&id, "setpriv", &actions, &attributes, words, environment)
            }
        }
        return (code, id, ends[1])
    }
    guard code == 0 else {
        throw HarnessError("unable to start \(command.program): \(String(cString: strerror(code)))")
    }
    return (id, input)
}

private func withCStrings<Result>(
    _ strings: [String], _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Result
) -> Result {
    var pointers = strings.map { strdup($0) } + [nil]
    defer { for pointer in pointers { free(pointer) } }
    return pointers.withUnsafeMutableBufferPointer { buffer in
        // There is always the nil at the end.
        body(buffer.baseAddress!)
    }
}
