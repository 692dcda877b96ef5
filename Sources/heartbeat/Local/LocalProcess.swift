import Daemon
import Subprocess
import Synchronization

/// A process below a command: what to run, and how it ends.
struct LocalProcess: Sendable {
    /// As the screen shows it.
    let name: String
    /// The program's path.
    let program: String
    var arguments: [String]
    var environment: [String: String]
    /// Asks it to end.
    var stopSignal = Signal.terminate
    /// How long it may take to end before it is killed.
    var patience = Duration.seconds(15)
    /// What the kernel sends it when the command itself is gone, whatever ended that.
    var lastSignal = "KILL"
    /// Whether it is started again when it was killed or has failed, as systemd would do.
    var isRestarted = false

    /// Runs it while `body` works; then asks it to end and waits until it has.
    ///
    /// - Parameter isReady: whether a line of its output says that `body` can begin. The default begins at once.
    /// - Throws: what `body` throws; `CommandFailure` when the process has ended before.
    func run<Result: Sendable>(
        on screen: LocalScreen, isReady: (@Sendable (String) -> Bool)? = nil,
        while body: @escaping @Sendable (_ readyLine: String) async throws -> Result
    ) async throws -> Result {
        let (lines, readyLine) = AsyncStream.makeStream(of: String.self)
        if isReady == nil { readyLine.yield("") }
        return try await withThrowingTaskGroup(of: Result?.self) { group in
            group.addTask {
                try await keepRunning(on: screen) { line in
                    if let isReady, isReady(line) { readyLine.yield(line) }
                }
                return nil
            }
            group.addTask {
                for await line in lines { return try await body(line) }
                return nil
            }
            while let finished = try await group.next() {
                guard let result = finished else { continue }
                group.cancelAll()
                try await group.waitForAll()
                return result
            }
            throw CancellationError()
        }
    }

    /// Runs it to its end. Its lines are shown afterwards, when it has failed.
    ///
    /// - Throws: `CommandFailure` when its status is not 0.
    func runToEnd(on screen: LocalScreen) async throws {
        let lines = Mutex<[String]>([])
        let status = try await runOnce { line in lines.withLock { $0.append(line) } }
        guard !status.isSuccess else { return }
        for line in lines.withLock({ $0 }) { screen.show(line, from: name) }
        throw CommandFailure(.software, "\(name) has failed: \(Self.words(status))")
    }

    /// Returns when the task is cancelled and the process has ended.
    private func keepRunning(on screen: LocalScreen, _ receive: @escaping @Sendable (String) -> Void) async throws {
        var failuresInARow = 0
        while true {
            let start = ContinuousClock.now
            let status = try await runOnce { line in
                screen.show(line, from: name)
                receive(line)
            }
            if Task.isCancelled { return reportEnd(status, on: screen) }
            failuresInARow = ContinuousClock.now - start < .seconds(10) ? failuresInARow + 1 : 1
            // 78: its settings cannot be used, and they will not change.
            guard isRestarted, status != .exited(Exit.config.rawValue), failuresInARow < 5 else {
                throw CommandFailure(.software, "\(name) has ended by itself: \(Self.words(status))")
            }
            screen.note("\(name) has ended by itself (\(Self.words(status))): it is started again")
            try? await Task.sleep(for: .seconds(1))
            if Task.isCancelled { return }
        }
    }

    private func reportEnd(_ status: TerminationStatus, on screen: LocalScreen) {
        guard !status.isSuccess else { return }
        screen.note("\(name) exited abnormally: \(Self.words(status))")
    }

    /// When the task is cancelled, the process is asked to end and then killed.
    private func runOnce(_ receive: @escaping @Sendable (String) -> Void) async throws -> TerminationStatus {
        var options = PlatformOptions()
        // The terminal's Ctrl-C is for the command alone: it ends the others in their order.
        options.createSession = true
        options.teardownSequence = [.send(signal: stopSignal, allowedDurationToNextStep: patience)]
        let variables = environment.reduce(into: [Environment.Key: String]()) { variables, pair in
            if let key = Environment.Key(rawValue: pair.key) { variables[key] = pair.value }
        }
        let result = try await Subprocess.run(
            .name("setpriv"), arguments: Arguments(["--pdeathsig", lastSignal, "--", program] + arguments),
            environment: .custom(variables), platformOptions: options, input: .none, output: .sequence,
            error: .combinedWithOutput
        ) { execution in
            let lines = execution.standardOutput.strings()
            // A task of its own, which a cancellation does not reach: the last lines are worth reading, too.
            let reader = Task {
                for try await line in lines { receive(line) }
            }
            try await reader.value
        }
        return result.terminationStatus
    }

    private static func words(_ status: TerminationStatus) -> String {
        switch status {
        case .exited(let code): "status \(code)"
        case .signaled(let signal): "signal \(signal)"
        }
    }
}
