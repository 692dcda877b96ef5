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
    let exchange: BatchExchange
    private let parameters: [String: String]
    private let consumerName: String
    private let service: Service
    private let metrics: ConsumerMetrics
    var episodes: EpisodeReport
    private let loop: WorkLoop
    var store: ReadingStore?
    /// Whether the session has done something yet.
    private var hasWorked = false
    private var batch = Batch()
    /// What is written with it, and with those before it in the same transaction.
    private var transaction = Transaction()
    /// How many batches are written alone, since a transaction of several has failed.
    private var alone = 0
    /// To which epoch of the exchange what it does belongs.
    var epoch = 0
    var detection: Detection
    /// By which rules it detects episodes; nil when they are switched off.
    var rules: EpisodeRules?
    /// What is read here, and how far it is stored.
    var positions: [Position] = []
    var sources: [Int32] { positions.map(\.sourceID) }
    /// When the database last did what it was asked.
    var lastAnswer = ContinuousClock.now
    private var preparedDays: Set<Int32> = []
    /// At most 3 s, so that batches are written again within 5 s of the server's return.
    private var backoff = Backoff(to: .seconds(3))
    private var patience = Patience()
    var lastLog = ContinuousClock.now
    var lastLook = ContinuousClock.now
    var lastReminder = ContinuousClock.now
    var limitsVersion: Int64?
    var lastLimits = ContinuousClock.now - .seconds(60)

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
            lookAfterDatabase()
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
        positions = found
        watchCustomers()
    }

    /// Takes other rules over, and has the customers' limits read again. Who is watched for silence stays so.
    private mutating func reload(_ rules: EpisodeRules?) {
        let isNew = self.rules == nil && rules != nil
        self.rules = rules
        if rules == nil { detection.forget() } else { detection.reload() }
        if isNew { watchCustomers() }
    }

    /// A new assignment: others may have written since, and whoever falls silent now was read by others.
    private mutating func watchCustomers() {
        detection.forget()
        guard let rules else { return }
        // Before the limits are read, so that none is missed that is set meanwhile.
        limitsVersion = untilDone { store throws(PostgreSQLError) in try store.limitsVersion() }
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

    /// Writes the batch, with those behind it where that is worth it, as often as it takes, and says how it ended.
    private mutating func write() {
        var isInDoubt = false
        transaction = Transaction()
        while exchange.isCurrent(epoch) {
            loop.progressed()
            do throws(PostgreSQLError) {
                if isInDoubt {
                    switch try standing() {
                    case .before:
                        guard transaction.copied == 0 else { return finish(.refused(.unfinished)) }
                    case .after: return finish(.written(transaction.moved))
                    case .elsewhere(let partitions): return finish(.refused(.fenced(partitions: partitions)))
                    case .behind(let partitions): return finish(.refused(.behind(partitions: partitions)))
                    }
                }
                let repeated = try findRepeated()
                guard repeated.isEmpty else { return finish(.refused(.repeated(repeated))) }
                try writeOnce()
                recovered()
                lastLog = .now
                return finish(.written(transaction.moved))
            } catch {
                // Whatever failed: only what the database says afterwards tells whether the batch was written.
                isInDoubt = true
                if error.fault == .data {
                    try? store?.rollBack()
                    if transaction.copied > 0 || forgoesSilence() { continue }
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
        transaction = Transaction()
        try prepare()
        if batch.isEmpty, batch.findings?.isEmpty ?? true { return }
        let start = ContinuousClock.now
        while alone == 0, !detection.isFull, transaction.isWorthMore(after: batch) {
            try store?.copy(batch)
            transaction.noteCopy()
            loop.progressed()
            guard try takeNext() else {
                batch.removeAll()
                break
            }
            try prepare()
        }
        try store?.write(batch, endOf: transaction, rules == nil ? nil : detection)
        metrics.committed(within: ContinuousClock.now - start)
    }

    /// Takes the batch behind the one that is being copied, if there is one soon that the transaction takes.
    private mutating func takeNext() throws(PostgreSQLError) -> Bool {
        let (progress, days, epoch) = (transaction.progress, preparedDays, epoch)
        func take(_ batch: inout Batch, within milliseconds: Int) -> Bool {
            exchange.nextFull(into: &batch, epoch: epoch, milliseconds: milliseconds) {
                Transaction.takes($0, after: progress, days: days)
            }
        }
        if take(&batch, within: 0) { return true }
        // With nothing to make ready meanwhile, the server gets the rest of what is being copied.
        try store?.finishCopy()
        return take(&batch, within: 250)
    }

    /// Makes a batch ready to be copied, and adds it to the transaction.
    private mutating func prepare() throws(PostgreSQLError) {
        do throws(PostgreSQLError) {
            try connect()
            try createPartitions()
            batch.arrange()
            try detect()
        } catch {
            // Until here nothing of the batch was sent; it may be a fault of those before in the same transaction.
            throw error.fault == .data && transaction.copied == 0 ? error.with(.lasting) : error
        }
        transaction.add(batch)
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
        let connection = store?.connection
        detection.judge(&batch, involved, at: monotonicMilliseconds(), by: rules) { connection?.push() }
    }

    /// Puts customers at what the database has of them; when it does not answer, it is asked again for all.
    private mutating func restore(_ unknown: [Int]) throws(PostgreSQLError) {
        do throws(PostgreSQLError) {
            try store?.finishCopy()
            var rest = unknown[...]
            // A thousand at once: what was needed for very many would stay in the process.
            while !rest.isEmpty {
                let places = rest.prefix(1000)
                var ids = ArrayText(capacity: places.count * 16)
                for place in places { ids.append(utf8: detection.states.id(place)) }
                let stored = try store?.detectors(of: ids) ?? []
                detection.restore(places, stored, at: monotonicMilliseconds())
                rest = rest.dropFirst(places.count)
            }
        } catch {
            // Their entries are empty.
            detection.reload()
            throw error
        }
    }

    private mutating func standing() throws(PostgreSQLError) -> ReadingStore.Standing {
        try connect()
        return try store?.standing(of: transaction.progress) ?? .before
    }

    private mutating func finish(_ reply: Reply?) {
        switch reply {
        case .written(let moved)?:
            for progress in moved {
                guard let place = positions.firstIndex(where: { $0.sourceID == progress.sourceID }) else { continue }
                positions[place].offset = progress.next
            }
            detection.trim()
            alone = max(alone - 1, 0)
            metrics.stored(transaction)
            if let findings = transaction.findings { tell(episodes.choose(findings)) }
        case .refused(.unfinished)?:
            alone = transaction.copied + 1
            detection.forget()
        default: detection.forget()
        }
        exchange.finish(reply, epoch: epoch)
        batch.removeAll()
        transaction = Transaction()
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
    mutating func untilDone<Answer>(
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

    /// Asks the database once. When it does not answer, the next job will wait for it and say so.
    mutating func attempt<Answer>(
        _ body: (borrowing ReadingStore) throws(PostgreSQLError) -> Answer
    ) -> Answer? {
        do throws(PostgreSQLError) {
            try connect()
            return try ask(body)
        } catch {
            store = nil
            return nil
        }
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
        lastAnswer = .now
        backoff.reset()
        patience.reset()
        service.answered(.postgreSQL)
    }
}
