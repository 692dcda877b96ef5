import Daemon
import Logging
import Subprocess
import Synchronization

/// Runs a program of the operator's for events, so that people can be told by mail, pager or whatever they have.
///
/// It never holds up the one who tells: events wait in a bounded queue, and one command runs at a time, for a bounded time.
/// No shell is involved. What an event says is in the command's environment and nowhere else, so that no name that somebody
/// has given to a customer can become an option or a word of a shell; of the daemon's own environment it has nothing.
final class CommandHook: Sendable {
    /// What became of an event.
    enum Outcome: String, CaseIterable, Sendable {
        /// The command has ended with status 0.
        case succeeded
        /// It could not be run, or has ended with another status or by a signal.
        case failed
        /// It was ended because it took too long.
        case timedOut = "timed out"
        /// The queue was full, or the daemon has ended before its turn came.
        case dropped
    }

    private struct Event {
        let command: [String]
        let variables: [String: String]
    }

    /// As many events wait; more are dropped. At 30 s each they would last 50 minutes, and nobody reads older ones.
    private static let mostWaiting = 100

    private let command: Mutex<[String]>
    private let queue: AsyncStream<Event>.Continuation
    private let waiting = Atomic<Int>(0)
    private let runner: Runner
    private let worker: Mutex<Task<Void, Never>?>
    private let ended = Latch()

    /// - Parameters:
    ///   - command: a program's path and its arguments; empty for none.
    ///   - timeout: within which a command has to end. Then it gets SIGTERM, and SIGKILL a second later.
    ///   - count: is told each event's outcome, on any thread.
    init(
        _ command: [String], timeout: Duration = .seconds(30), _ logger: Logger,
        count: @escaping @Sendable (Outcome) -> Void
    ) {
        let (jobs, queue) = AsyncStream.makeStream(of: Event.self, bufferingPolicy: .bufferingOldest(Self.mostWaiting))
        self.command = Mutex(command)
        self.queue = queue
        runner = Runner(timeout: timeout, logger: logger, count: count)
        worker = Mutex(nil)
        let (runner, ended) = (runner, ended)
        let task = Task { [weak self] in
            for await job in jobs {
                // What is in the queue comes even then.
                if Task.isCancelled { break }
                self?.waiting.subtract(1, ordering: .relaxed)
                await runner.run(job.command, job.variables)
            }
            ended.open()
        }
        worker.withLock { $0 = task }
    }

    deinit { worker.withLock { $0?.cancel() } }

    /// Changes what is run for the events that come from now on.
    func setCommand(_ command: [String]) { self.command.withLock { $0 = command } }

    /// Has the command run with these variables in its environment. Returns at once; does nothing when there is no command.
    func submit(_ variables: [String: String]) {
        let command = command.withLock { $0 }
        guard !command.isEmpty else { return }
        waiting.add(1, ordering: .relaxed)
        if case .enqueued = queue.yield(Event(command: command, variables: variables)) { return }
        waiting.subtract(1, ordering: .relaxed)
        runner.finished(.dropped, "an event is not told: \(Self.mostWaiting) others wait for \(command[0])")
    }

    /// Takes no more events, and gives those that are there some time before it ends what runs.
    ///
    /// Returns when nothing runs any more, at most some 2 s after that time. It blocks, so it is not for a `Task`.
    func close(within duration: Duration) {
        queue.finish()
        if ended.wait(for: duration) { return }
        worker.withLock { $0?.cancel() }
        _ = ended.wait(for: .seconds(2))
        let count = waiting.exchange(0, ordering: .relaxed)
        guard count > 0 else { return }
        for _ in 0..<count { runner.count(.dropped) }
        runner.logger.warning("\(count) events are not told to the command, because of the stop")
    }
}

/// Runs commands and says how they end: at most one complaint a minute, however many fail.
private final class Runner: Sendable {
    private struct Complaints {
        var last: ContinuousClock.Instant?
        var unsaid = 0
    }

    private enum CommandEnd {
        case status(TerminationStatus)
        case error(any Error)
        case timeIsOver
    }

    /// The most that is shown of what a command writes; the rest is read and thrown away.
    private static let mostLines = 20
    private static let mostCharacters = 300

    let timeout: Duration
    let logger: Logger
    let count: @Sendable (CommandHook.Outcome) -> Void
    private let complaints = Mutex(Complaints())

    init(timeout: Duration, logger: Logger, count: @escaping @Sendable (CommandHook.Outcome) -> Void) {
        self.timeout = timeout
        self.logger = logger
        self.count = count
    }

    /// Returns when the command has ended, or was ended because it took too long or the task was cancelled.
    func run(_ command: [String], _ variables: [String: String]) async {
        let end = await withTaskGroup(of: CommandEnd.self) { group in
            group.addTask { [self] in await runToEnd(command, variables) }
            group.addTask { [timeout] in
                try? await Task.sleep(for: timeout)
                return .timeIsOver
            }
            // Whichever is first ends the other.
            let first = await group.next() ?? .timeIsOver
            group.cancelAll()
            await group.waitForAll()
            return first
        }
        switch end {
        case .status(.exited(0)): finished(.succeeded)
        case .status(.exited(let status)): finished(.failed, "\(command[0]) has failed: status \(status)")
        case .status(.signaled(let signal)): finished(.failed, "\(command[0]) was ended by signal \(signal)")
        case .error(let error): finished(.failed, "unable to run \(command[0]): \(error)")
        case .timeIsOver where Task.isCancelled: finished(.failed, "\(command[0]) was ended because of the stop")
        case .timeIsOver:
            let seconds = Int(timeout / .seconds(1))
            finished(.timedOut, "\(command[0]) had not ended after \(seconds) s and was ended")
        }
    }

    /// Counts an event, and complains of it unless that was done within the last minute.
    func finished(_ outcome: CommandHook.Outcome, _ complaint: String? = nil) {
        count(outcome)
        guard let complaint else { return }
        let now = ContinuousClock.now
        let unsaid = complaints.withLock { complaints -> Int? in
            if let last = complaints.last, now - last < .seconds(60) {
                complaints.unsaid += 1
                return nil
            }
            defer { complaints = Complaints(last: now) }
            return complaints.unsaid
        }
        guard let unsaid else { return }
        logger.warning("\(complaint)\(unsaid > 0 ? "; \(unsaid) others were not told, either" : "")")
    }

    private func runToEnd(_ command: [String], _ variables: [String: String]) async -> CommandEnd {
        var options = PlatformOptions()
        // A session of its own: what it has started is ended with it.
        options.createSession = true
        options.teardownSequence = [
            .send(signal: .terminate, toProcessGroup: true, allowedDurationToNextStep: .seconds(1))
        ]
        var environment: [Environment.Key: String] = [
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        ]
        for (name, value) in variables {
            if let key = Environment.Key(rawValue: name) { environment[key] = value }
        }
        do {
            // The library takes a program's name and folders to look in; so this is the path as it is.
            let slash = command[0].lastIndex(of: "/") ?? command[0].startIndex
            let program = try await Executable.name(String(command[0][slash...].dropFirst()))
                .resolveExecutablePath(in: .custom(["PATH": String(command[0][..<slash])]))
            let result = try await Subprocess.run(
                .path(program), arguments: Arguments(Array(command.dropFirst())), environment: .custom(environment),
                platformOptions: options, input: .none, output: .sequence, error: .combinedWithOutput
            ) { [logger] execution in
                var lines = 0
                for try await line in execution.standardOutput.strings() {
                    lines += 1
                    if lines <= Self.mostLines { logger.info("\(command[0]): \(line.prefix(Self.mostCharacters))") }
                }
            }
            return .status(result.terminationStatus)
        } catch {
            return .error(error)
        }
    }
}
