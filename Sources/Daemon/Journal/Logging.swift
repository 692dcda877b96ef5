internal import FoundationEssentials
public import Logging
internal import Synchronization
internal import Systemd

/// Makes every `Logger` write to the journal when standard error leads there, and otherwise lines to standard error.
///
/// Metadata become journal fields, so keys are `KAFKA_PARTITION` and the like. Call it once, before the first `Logger` is
/// made; a later call only changes the level.
///
/// - Parameters:
///   - level: the least important level that is logged; `setLogLevel` changes it for all loggers.
///   - identifier: the journal's `SYSLOG_IDENTIFIER`, such as `heartbeat-consumer`, for `journalctl -t`.
public func startLogging(level: Logger.Level, identifier: String = "heartbeat") {
    setLogLevel(level)
    guard !isStarted.exchange(true, ordering: .acquiringAndReleasing) else { return }
    nameJournal(identifier)
    let write = logWriter()
    LoggingSystem.bootstrap { label in LineHandler(label: label, write: write) }
}

/// Sets the journal's `SYSLOG_IDENTIFIER`, also for what is written before `startLogging`.
func nameJournal(_ identifier: String) {
    commonIdentifier.withLock { $0 = identifier }
}

/// Changes the least important level that is logged, for all loggers that have not been given one of their own.
public func setLogLevel(_ level: Logger.Level) {
    commonLevel.store(Logger.Level.allCases.firstIndex(of: level) ?? 0, ordering: .relaxed)
}

private let isStarted = Atomic(false)

/// An index into `Logger.Level.allCases`, which are in the order of importance.
private let commonLevel = Atomic(Logger.Level.allCases.firstIndex(of: .info) ?? 0)

/// The journal's `SYSLOG_IDENTIFIER`.
private let commonIdentifier = Mutex("heartbeat")

func logWriter() -> @Sendable (LogLine) -> Void {
    let identifier = commonIdentifier.withLock { $0 }
    guard standardErrorIsJournal() else {
        return { line in writeToStandardError(line.text(at: wallClockMicroseconds())) }
    }
    return { line in
        if !Journal.send(line.journalFields(identifier: identifier)) {
            // The stream of standard error is another way to the journal, which knows this prefix.
            writeToStandardError("<\(line.priority)>" + line.text(at: wallClockMicroseconds()))
        }
    }
}

func standardErrorIsJournal() -> Bool {
    Journal.isBehind(stream: ProcessInfo.processInfo.environment["JOURNAL_STREAM"])
}

/// Gives each event that is important enough to a writer.
struct LineHandler: LogHandler {
    let label: String
    let write: @Sendable (LogLine) -> Void
    var metadata: Logger.Metadata = [:]
    var metadataProvider: Logger.MetadataProvider?
    private var ownLevel: Logger.Level?

    init(label: String, write: @escaping @Sendable (LogLine) -> Void) {
        self.label = label
        self.write = write
    }

    /// The common level, as long as nobody has set another for this logger.
    var logLevel: Logger.Level {
        get { ownLevel ?? Logger.Level.allCases[commonLevel.load(ordering: .relaxed)] }
        set { ownLevel = newValue }
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var all = metadata
        all.merge(metadataProvider?.get() ?? [:]) { _, provided in provided }
        all.merge(event.metadata ?? [:]) { _, explicit in explicit }
        if let error = event.error { all["ERROR"] = "\(error)" }
        write(LogLine(level: event.level, label: label, message: event.message.description, metadata: all))
    }
}
