internal import Bytes

public import ArgumentParser
internal import Logging

/// How the program ends, in the numbers of sysexits(3). They are a part of the interface: the units rely on them.
public enum Exit: Int32, Sendable {
    /// All is done.
    case ok = 0
    /// Kafka or PostgreSQL does not answer.
    case unavailable = 69
    /// Something that a restart may fix, or a bug of ours.
    case software = 70
    /// Standard output cannot be written.
    case ioError = 74
    /// PostgreSQL refuses the work, and would again: a right, a table or a column is missing.
    case refused = 76
    /// The settings cannot be used; the units do not start the daemon again (`RestartPreventExitStatus=78`).
    case config = 78
}

/// Ends a command with a status and a sentence.
public struct CommandFailure: Error, Equatable, CustomStringConvertible {
    /// The status.
    public let exit: Exit
    /// What went wrong: lower case, the cause after a colon.
    public let message: String
    /// What to do about it, if anybody knows.
    public let hint: String?

    /// A failure to throw from a command's `run()`.
    public init(_ exit: Exit, _ message: String, hint: String? = nil) {
        self.exit = exit
        self.message = message
        self.hint = hint
    }

    /// The message and the hint.
    public var description: String { message + (hint.map { " (hint: \($0))" } ?? "") }
}

extension ParsableCommand {
    /// Runs the program: reads the arguments, runs the command, and ends the process with its status.
    ///
    /// It stands in for ArgumentParser's `main()`, which ends every failure with status 1.
    public static func runAndExit(_ arguments: [String]? = nil) -> Never {
        do {
            var command = try parseAsRoot(arguments)
            try command.run()
            try finishOutput()
        } catch {
            end(with: error)
        }
        exit()
    }

    /// Ends the process because of an error: one line on standard error, or in the journal, and the fitting status.
    ///
    /// Settings have a line for each problem. Mistakes in arguments and requests for help are ArgumentParser's to tell;
    /// their status is 64 and 0.
    public static func end(with error: any Error) -> Never {
        var failure = Failure(error)
        // ArgumentParser has a status of its own for what is its to tell, and 1 for any other error.
        let code = exitCode(for: error)
        if error is ExitCode || code != .failure {
            if code == .success { print(fullMessage(for: error)) }
            do {
                try finishOutput()
                if code == .success { exit() }
                exit(withError: error)
            } catch {
                failure = Failure(error)
            }
        }
        for line in failure.lines { complain(line, failure.event) }
        // The journal looks up whose lines these are. Of a process that is gone by then it does not know the unit, and
        // neither "journalctl -u" nor "systemctl status" would show them.
        if standardErrorIsJournal() { sleepThisThread(milliseconds: 500) }
        exitOrderly(failure.exit.rawValue)
    }
}

private func finishOutput() throws(CommandFailure) {
    do throws(SystemError) {
        try flushStandardOutput()
    } catch {
        throw CommandFailure(.ioError, "unable to write to standard output: \(error)")
    }
}

/// What an error means for the process.
struct Failure: Equatable {
    let lines: [String]
    let exit: Exit

    /// As the journal knows it.
    var event: JournalEvent? {
        switch exit {
        case .config: .settingsRefused
        case .unavailable: .unavailable
        case .refused: .refused
        case .ok, .software, .ioError: nil
        }
    }

    init(_ error: any Error) {
        switch error {
        case let error as SettingsError: (lines, exit) = (error.problems, .config)
        case let error as CommandFailure: (lines, exit) = ([escapingControls("\(error)")], error.exit)
        default: (lines, exit) = ([escapingControls("\(error)")], .software)
        }
    }
}

private func complain(_ line: String, _ event: JournalEvent?) {
    if standardErrorIsJournal() {
        let fields = event.map { [JournalEvent.field: Logger.MetadataValue.string($0.id)] } ?? [:]
        logWriter()(LogLine(level: .error, label: "heartbeat", message: line, metadata: fields))
    } else {
        writeToStandardError("heartbeat: \(line)")
    }
}
