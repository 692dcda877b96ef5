import Daemon
import HeartRate
import Logging
import PostgreSQL
import Schema
import SharedSettings

/// The thread that owns the session with the database: it writes batches and looks positions up until it is stopped.
///
/// While PostgreSQL is unreachable it keeps its batch and retries with a growing pause. Nothing is dropped.
struct Writer: ~Copyable {
    private let exchange: BatchExchange
    private let parameters: [String: String]
    private let consumerName: String
    private let service: Service
    private let metrics: ConsumerMetrics
    private var episodes: EpisodeReport
    private let loop: WorkLoop
    private var store: ReadingStore?
    /// Whether the session has done something yet.
    private var hasWorked = false
    private var batch = Batch()
    /// To which epoch of the exchange what it does belongs.
    private var epoch = 0
    private var detection: Detection
    /// By which rules it detects episodes; nil when they are switched off.
    private var rules: EpisodeRules?
    /// What is read here.
    private var sources: [Int32] = []
    private var preparedDays: Set<Int32> = []
    /// At most 3 s, so that batches are written again within 5 s of the server's return.
    private var backoff = Backoff(to: .seconds(3))
    private var patience = Patience()
    private var lastLog = ContinuousClock.now
    private var lastLook = ContinuousClock.now
    private var lastReminder = ContinuousClock.now
    private var limitsMark: String?
    private var lastLimits = ContinuousClock.now - .seconds(60)

    init(
        _ exchange: BatchExchange, context: ConsumerContext, episodes: EpisodeReport, loop: WorkLoop
    ) {
        self.exchange = exchange
        parameters = context.settings.postgresParameters
        consumerName = context.name
        detection = Detection(most: context.settings[.customersInMemory])
        rules = EpisodeRules(context.settings)
        service = context.service
        metrics = context.metrics
        self.episodes = episodes
        self.loop = loop
    }

    /// Does jobs until it is told to stop.
    mutating func run() {
        // Before anybody asks, so that a database that does not answer is told at once.
        _ = untilDone { _ throws(PostgreSQLError) in }
        while true {
            loop.progressed()
            if let next = exchange.next(into: &batch, milliseconds: 1000) {
                epoch = next.epoch
                switch next.job {
                case .stop: return
                case .locate(let request): locate(request)
                case .readStored(let request): readStored(request)
                case .detect(let rules): reload(rules)
                case .write: write()
                }
            }
            lookForLimits()
            lookForSilence()
            logIdleMinute()
            episodes.tellUntold()
            remind()
        }
    }

    /// Answers where to go on, as soon as the database can say so.
    private mutating func locate(_ request: LocateRequest) {
        let found = untilDone { store throws(PostgreSQLError) in try store.locate(request) }
        guard let found else { return }
        exchange.answer(.positions(found), epoch: epoch)
        sources = found.map(\.sourceID)
        watchCustomers()
    }

    /// Takes other rules over, and has the customers' limits read again. Who is watched for silence stays so.
    private mutating func reload(_ rules: EpisodeRules?) {
        let isNew = self.rules == nil && rules != nil
        self.rules = rules
        if rules == nil { detection.forget() } else { detection.reload() }
        if isNew { watchCustomers() }
    }

    /// Takes over within seconds what people have set for customers. A look that fails is left to the next one.
    private mutating func lookForLimits() {
        guard rules != nil, store != nil, .now - lastLimits >= .seconds(5) else { return }
        lastLimits = .now
        guard let mark = try? store?.limitsMark() else { return }
        if let limitsMark, limitsMark != mark { detection.reload() }
        limitsMark = mark
    }

    /// A new assignment: others may have written since, and whoever falls silent now was read by others.
    private mutating func watchCustomers() {
        detection.forget()
        guard let rules else { return }
        // Before the limits are read, so that none is missed that is set meanwhile.
        limitsMark = untilDone { store throws(PostgreSQLError) in try store.limitsMark() }
        let sources = sources
        var last = ""
        while true {
            let after = last
            let customers = untilDone { store throws(PostgreSQLError) in
                try store.watchedDetectors(sources: sources, after: after)
            }
            guard let customers, let end = customers.last else { return }
            detection.watch(customers, at: monotonicMilliseconds(), by: rules)
            last = end.id
        }
    }

    private mutating func readStored(_ request: StoredRequest) {
        let stored = untilDone { store throws(PostgreSQLError) in
            try store.connection.storedOffsets(ofTopic: request.topic, inCluster: request.clusterID)
        }
        if let stored { exchange.answer(.stored(stored), epoch: epoch) }
    }

    /// Writes the batch, as often as it takes, and says how it ended.
    private mutating func write() {
        var isInDoubt = false
        while exchange.isCurrent(epoch) {
            loop.progressed()
            do throws(PostgreSQLError) {
                if isInDoubt {
                    switch try standing() {
                    case .before: break
                    case .after: return finish(.written(batch.moved))
                    case .elsewhere(let partitions): return finish(.refused(.fenced(partitions: partitions)))
                    }
                }
                let repeated = try findRepeated()
                guard repeated.isEmpty else { return finish(.refused(.repeated(repeated))) }
                try writeOnce()
                recovered()
                lastLog = .now
                return finish(.written(batch.moved))
            } catch {
                // Whatever failed: only what the database says afterwards tells whether the batch was written.
                isInDoubt = true
                if error.fault == .data {
                    try? store?.rollBack()
                    if forgoesSilence() { continue }
                    if batch.readings.rowCount > 0 {
                        let refusal = Refusal.data(messages: batch.count, last: batch.last, cause: error.cause)
                        return finish(.refused(refusal))
                    }
                }
                // Fenced: the next round finds out which partitions, without a pause.
                if error.sqlState == ReadingStore.fenced, (try? store?.rollBack()) != nil { continue }
                guard pause(after: error) else { break }
            }
        }
        finish(nil)
    }

    /// The messages of the batch that ask to be stored only once and are stored.
    private mutating func findRepeated() throws(PostgreSQLError) -> [Batch.Place] {
        guard !batch.onces.isEmpty else { return [] }
        do throws(PostgreSQLError) {
            try connect()
            return try store?.repeated(in: batch) ?? []
        } catch {
            // Nothing of the batch was sent.
            throw error.fault == .data ? error.with(.lasting) : error
        }
    }

    private mutating func writeOnce() throws(PostgreSQLError) {
        do throws(PostgreSQLError) {
            try connect()
            try createPartitions()
            batch.arrange()
            try detect()
        } catch {
            // Until here nothing of the batch was sent.
            throw error.fault == .data ? error.with(.lasting) : error
        }
        if batch.isEmpty, batch.findings?.isEmpty ?? true { return }
        let start = ContinuousClock.now
        try store?.write(batch)
        metrics.committed(within: ContinuousClock.now - start)
    }

    private mutating func createPartitions() throws(PostgreSQLError) {
        for day in batch.days.subtracting(preparedDays) {
            do throws(PostgreSQLError) {
                try store?.createPartition(day: day)
            } catch {
                // Somebody's event trigger does not want a new table: the default partition takes the day's readings.
                guard error.fault == .data else { throw error }
                service.logger.warning("\(error). Its readings go to the default partition")
            }
            preparedDays.insert(day)
        }
    }

    /// What was found in the silence of customers belongs to no message: it is written without, so that no message is
    /// refused for it. The silence is judged again with the next batch.
    private mutating func forgoesSilence() -> Bool {
        guard batch.silence != nil, !batch.isEmpty else { return false }
        batch.forgoSilence()
        detection.forget()
        return true
    }

    /// Judges the batch, once.
    private mutating func detect() throws(PostgreSQLError) {
        guard let rules, batch.findings == nil else { return }
        let involved = detection.prepare(batch)
        if !involved.unknown.isEmpty { try restore(involved.unknown) }
        detection.judge(&batch, involved, at: monotonicMilliseconds(), by: rules)
    }

    /// Puts customers at what the database has of them; when it does not answer, it is asked again for all.
    private mutating func restore(_ unknown: [Int]) throws(PostgreSQLError) {
        var ids = CustomerSet()
        for place in unknown { _ = ids.insert(detection.states.id(place).span) }
        do throws(PostgreSQLError) {
            let stored = try store?.detectors(of: ids.array) ?? []
            detection.restore(unknown, stored, at: monotonicMilliseconds())
        } catch {
            // Their entries are empty.
            detection.reload()
            throw error
        }
    }

    private mutating func standing() throws(PostgreSQLError) -> ReadingStore.Standing {
        try connect()
        return try store?.standing(of: batch) ?? .before
    }

    private mutating func finish(_ reply: Reply?) {
        if case .written? = reply {
            metrics.stored(batch)
            if let findings = batch.findings { tell(episodes.choose(findings)) }
        } else {
            detection.forget()
        }
        exchange.finish(reply, epoch: epoch)
        batch.removeAll()
    }

    // MARK: - The session

    private mutating func connect() throws(PostgreSQLError) {
        guard store == nil else { return }
        store = try ReadingStore(parameters, consumerName: consumerName)
        hasWorked = false
        // Others may have dropped partitions meanwhile.
        preparedDays.removeAll()
    }

    /// Repeats a question until the database answers it; nil when nobody wants the answer any more.
    private mutating func untilDone<Answer>(
        _ body: (borrowing ReadingStore) throws(PostgreSQLError) -> Answer
    ) -> Answer? {
        while exchange.isCurrent(epoch) {
            loop.progressed()
            do throws(PostgreSQLError) {
                try connect()
                guard let answer = try ask(body) else { continue }
                recovered()
                return answer
            } catch {
                guard pause(after: error) else { return nil }
            }
        }
        return nil
    }

    private func ask<Answer>(
        _ body: (borrowing ReadingStore) throws(PostgreSQLError) -> Answer
    ) throws(PostgreSQLError) -> Answer? {
        guard store != nil else { return nil }
        return try body(store!)
    }

    /// Closes the session, says so once, and sleeps.
    ///
    /// - Returns: whether the job still has to be done.
    private mutating func pause(after error: PostgreSQLError) -> Bool {
        // A session that somebody has ended while it was idle is opened again without a word, once.
        let isOver = hasWorked && store?.connection.isBroken ?? false
        store = nil
        if isOver {
            service.logger.debug("the session has ended: \(error)")
            hasWorked = false
            return exchange.isCurrent(epoch)
        }
        if let failure = patience.failure(error) { service.fail(failure) }
        service.waits(
            for: .postgreSQL, "\(error)",
            error.sqlState.map { ["POSTGRES_SQLSTATE": .string($0.rawValue)] } ?? [:])
        return exchange.sleep(milliseconds: Int(backoff.next() / .milliseconds(1)), while: epoch)
    }

    private mutating func recovered() {
        hasWorked = true
        backoff.reset()
        patience.reset()
        service.answered(.postgreSQL)
    }

    // MARK: - The journal

    /// Tells people of what they were not told before a restart.
    private mutating func tell(_ changes: [CustomerEpisode]) {
        guard !changes.isEmpty else { return }
        var untold = changes
        do throws(PostgreSQLError) {
            untold = try ask { store throws(PostgreSQLError) in try store.untold(changes) } ?? changes
        } catch {
            // Rather told twice than never; the next job will wait for the database and say so.
            store = nil
        }
        for change in untold { episodes.tell(change) }
    }

    /// Looks, every ten seconds, for what nobody has acknowledged in time.
    private mutating func remind() {
        guard let delay = rules?.reminder, !sources.isEmpty, ContinuousClock.now - lastReminder >= .seconds(10) else {
            return
        }
        lastReminder = .now
        do throws(PostgreSQLError) {
            try connect()
            for reminder in try store?.reminders(after: delay, most: EpisodeChoice.mostInAMinute) ?? [] {
                episodes.tell(reminder)
            }
        } catch {
            store = nil
        }
    }

    /// Has it found out, once a second, whether customers who are overdue are really silent.
    private mutating func lookForSilence() {
        guard ContinuousClock.now - lastLook >= .seconds(1) else { return }
        lastLook = .now
        guard detection.silences.isDue(at: monotonicMilliseconds()) else { return }
        exchange.answer(.silenceDue, epoch: epoch)
    }

    /// A row of `pipeline_log` for a minute in which nothing came, so that silence can be told from absence.
    private mutating func logIdleMinute() {
        guard !sources.isEmpty, ContinuousClock.now - lastLog >= .seconds(60) else { return }
        lastLog = .now
        do throws(PostgreSQLError) {
            try connect()
            try store?.logIdleMinute()
        } catch {
            // The next job will wait for the database and say so.
            store = nil
        }
    }
}
