public import Logging
internal import FoundationEssentials
internal import Synchronization
internal import Systemd

/// A daemon's life in the eyes of the service manager, of the journal and of the metrics' readers.
///
/// ```swift
/// let service = try Service(.consumer, settings, options: options, needs: [.postgreSQL: "PostgreSQL"])
/// try service.run {
///     service.started()                      // READY=1, once: the rest is waiting for servers
///     let loop = service.loop("intake")      // the watchdog wants every loop to come round
///     ...
///     service.waits(for: .kafka, "\(error)") // as often as it fails: the journal has the first
///     service.answered(.kafka)               // as often as it works: the journal has the first after a failure
///     service.ready()                        // once: what it needs has answered
///     while !service.stop.isRequested {
///         loop.progressed()
///         if service.reloadIfAsked(&settings) { ... }
///         service.tell("20 messages/s")      // STATUS=, at most once a second and only when it has changed
///     }
///     service.stopping()                     // STOPPING=1
/// }
/// ```
///
/// A thread of its own sends what is due: STATUS, WATCHDOG=1 when all loops have progressed, and the metrics file. All calls
/// may come from any thread.
public final class Service: Sendable {
    struct Condition {
        var sentence = ServiceSentence()
        var answered: Set<Dependency> = []
        var loops: [WorkLoop] = []
        /// Why the daemon ends although nobody asked it to.
        var failure: CommandFailure?
        var hasNoMetricsFile = false
    }

    /// Asked for by SIGTERM and SIGINT, and when the start took too long.
    public let stop: StopSignal
    /// What is written to `METRICS_DIRECTORY`.
    public let metrics: Metrics
    /// Writes under the daemon's name.
    public let logger: Logger
    private let schema: SettingsSchema
    private let options: SettingsOptions
    private let signals: Signals
    private let places: [Dependency: String]
    let startTimeout: Duration
    let start = ContinuousClock.now
    let ended = StopSignal()
    let own: OwnMetrics
    let condition = Mutex(Condition())
    let metricsPath: String

    /// Begins a daemon's life: catches signals and starts the thread that reports.
    ///
    /// - Parameters:
    ///   - schema: the daemon's settings; its name is the daemon's.
    ///   - settings: must have `START_TIMEOUT_SECONDS` and `METRICS_DIRECTORY`.
    ///   - options: where a reload finds the settings.
    ///   - needs: the servers that it cannot work without, and how the journal calls each: `Kafka at localhost:9092`.
    ///   - instance: tells apart several daemons of the name on one machine.
    /// - Throws: when the system has no pipe or thread left.
    public init(
        _ schema: SettingsSchema, _ settings: Settings, options: SettingsOptions,
        needs: KeyValuePairs<Dependency, String>,
        instance: String? = nil
    ) throws(SystemError) {
        signals = try Signals.install()
        stop = signals.stop
        self.options = options
        self.schema = schema
        let name = schema.name
        logger = Logger(label: name)
        metrics = Metrics(instance: instance.map { "\(name)-\($0)" } ?? name)
        metricsPath = "\(settings[.metricsDirectory])/\(metrics.instance).prom"
        startTimeout = settings[.startTimeoutSeconds]
        places = Dictionary(needs.map { ($0.key, $0.value) }) { first, _ in first }
        own = OwnMetrics(metrics, needs.map(\.key))
        _ = try WorkThread(name: "service") { [self] in report() }
        reportFiles()
    }

    /// What a person should know of the unit's files before anything goes wrong because of them.
    private func reportFiles() {
        guard standardErrorIsJournal() else { return }
        if options.config == nil, !FileManager.default.fileExists(atPath: schema.defaultPath) {
            logger.notice("there is no \(schema.defaultPath): all settings have their defaults")
        }
        let attributes = try? FileManager.default.attributesOfItem(atPath: schema.secretsPath)
        if let mode = attributes?[.posixPermissions] as? any BinaryInteger, Int(mode) & 0o077 != 0 {
            logger.warning("\(schema.secretsPath) is readable by others than root: chmod 600 \(schema.secretsPath)")
        }
    }

    /// Does the daemon's work.
    ///
    /// - Throws: what the work throws; `CommandFailure` with `unavailable` when the start took too long.
    public func run<Result>(_ work: () throws -> Result) throws -> Result {
        defer { close() }
        let result = try work()
        if let failure = condition.withLock({ $0.failure }) { throw failure }
        return result
    }

    /// Adds a loop that the watchdog watches from now on.
    public func loop(_ name: String) -> WorkLoop {
        let loop = WorkLoop(name)
        condition.withLock { $0.loops.append(loop) }
        return loop
    }

    /// Ends a loop that comes before the daemon's work, such as a wait for a server: the watchdog watches it no longer.
    public func end(_ loop: WorkLoop) { condition.withLock { $0.loops.removeAll { $0 === loop } } }

    // MARK: - The servers that it needs

    /// Says that a server does not answer and that it is tried again.
    ///
    /// - Parameters:
    ///   - cause: what failed, as the error has it.
    ///   - fields: the journal's, such as `POSTGRES_SQLSTATE`.
    public func waits(for dependency: Dependency, _ cause: String, _ fields: Logger.Metadata = [:]) {
        let now = wallClockMicroseconds()
        let isNew = condition.withLock { condition in
            let place = condition.sentence.waiting.firstIndex { $0.dependency == dependency }
            guard let place else {
                condition.sentence.waiting.append(.init(dependency: dependency, since: now, cause: cause))
                return true
            }
            condition.sentence.waiting[place].cause = cause
            return false
        }
        let place = places[dependency] ?? ""
        guard isNew else { return logger.debug("still waiting for \(place): \(cause)") }
        updateReadiness()
        own.waitingSince[dependency]?.set(Double(now) / 1e6)
        logger.report(
            .waiting, "waiting for \(place): \(cause)",
            fields: fields.merging(["HEARTBEAT_WAITS_FOR": "\(dependency.rawValue)"]) { _, new in new })
    }

    /// Says that a server answers.
    public func answered(_ dependency: Dependency) {
        let (since, isFirst) = condition.withLock { condition in
            let waiting = condition.sentence.waiting.firstIndex { $0.dependency == dependency }
            return (
                waiting.map { condition.sentence.waiting.remove(at: $0).since },
                condition.answered.insert(dependency).inserted
            )
        }
        guard let since else { return }
        updateReadiness()
        own.waitingSince[dependency]?.set(nil)
        if !isFirst { own.reconnects[dependency]?.add() }
        let seconds = max(0, wallClockMicroseconds() - since) / 1_000_000
        let name = dependency.rawValue
        let time = seconds == 0 ? "less than 1 s" : "\(seconds) s"
        logger.report(
            .recovered, isFirst ? "\(name) has answered after \(time)" : "\(name) is available again after \(time)",
            fields: ["HEARTBEAT_WAITS_FOR": "\(name)", "HEARTBEAT_SECONDS": "\(seconds)"])
    }

    /// Whether it waits for a server.
    public func isWaiting(for dependency: Dependency) -> Bool {
        condition.withLock { $0.sentence.waiting.contains { $0.dependency == dependency } }
    }

    /// Ends the daemon for a reason that does not pass by itself. The first reason counts.
    public func fail(_ failure: CommandFailure) {
        condition.withLock { condition in
            guard condition.failure == nil else { return }
            condition.failure = failure
            condition.sentence.failure = failure.message
        }
        stop.request()
    }

    // MARK: - From the start to the stop

    /// Says that the daemon works, whether or not the servers answer that it needs: READY=1. Only the first call counts.
    ///
    /// A start does not wait for servers: it would keep the machine's boot waiting, too.
    public func started() {
        let sentence = condition.withLock { condition -> ServiceSentence? in
            guard !condition.sentence.isStarted else { return nil }
            condition.sentence.isStarted = true
            return condition.sentence
        }
        if let sentence { notify(.ready, .status(sentence.text)) }
    }

    /// Says that everything that the daemon needs has answered. Only the first call counts.
    public func ready() {
        let sentence = condition.withLock { condition -> ServiceSentence? in
            guard !condition.sentence.isReady else { return nil }
            condition.sentence.isReady = true
            return condition.sentence
        }
        guard let sentence else { return }
        let names = own.needs.map(\.rawValue)
        let verb = names.count == 1 ? "has" : "have"
        logger.report(.started, "ready: \(names.joined(separator: " and ")) \(verb) answered")
        updateReadiness()
        notify(.status(sentence.text))
    }

    private func updateReadiness() {
        condition.withLock { condition in
            let sentence = condition.sentence
            own.ready.set(sentence.isReady && sentence.waiting.isEmpty && !sentence.isStopping ? 1 : 0)
        }
    }

    /// Says in a sentence how the work goes. It is for `systemctl status` only and may change as often as it likes.
    public func tell(_ work: String) { condition.withLock { $0.sentence.work = work } }

    /// Says that the daemon is about to end: STOPPING=1.
    public func stopping() {
        let sentence = condition.withLock { condition in
            condition.sentence.isStopping = true
            return condition.sentence
        }
        updateReadiness()
        notify(.stopping, .status(sentence.text))
    }

    /// Takes new settings over when SIGHUP has asked for it; bad ones change nothing, and journal and status say why.
    ///
    /// - Returns: whether `settings` has changed.
    public func reloadIfAsked(_ settings: inout Settings) -> Bool {
        guard signals.takeReloadRequest() else { return false }
        // Before that the start is what the service manager waits for, and READY=1 would end it.
        let hasStarted = condition.withLock { $0.sentence.isStarted }
        if hasStarted { notify(.reloading) }
        let hasChanged = reload(&settings)
        if hasStarted { notify(.ready, .status(condition.withLock { $0.sentence.text })) }
        return hasChanged
    }

    private func reload(_ settings: inout Settings) -> Bool {
        do throws(SettingsError) {
            let reload = try options.reload(settings, of: schema)
            settings = reload.settings
            setLogLevel(settings[.logLevel])
            let changed = reload.changed.joined(separator: ", ")
            let needsRestart = reload.needsRestart.joined(separator: ", ")
            condition.withLock { $0.sentence.refusal = nil }
            logger.report(
                .reloaded, "reloaded: \(changed.isEmpty ? "nothing" : changed) changed",
                fields: ["HEARTBEAT_CHANGED": "\(changed)", "HEARTBEAT_NEEDS_RESTART": "\(needsRestart)"])
            if !needsRestart.isEmpty { logger.warning("a restart is needed for \(needsRestart)") }
            return true
        } catch {
            let causes = error.problems.joined(separator: "; ")
            condition.withLock { $0.sentence.refusal = causes }
            logger.report(.settingsRefused, "reload refused, keeping the current settings: \(causes)")
            return false
        }
    }

    private func close() {
        ended.request()
        removeFile(metricsPath)
    }
}
