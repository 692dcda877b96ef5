import Daemon
import HeartRate
import Kafka
import Logging
import SharedSettings

/// The thread that reads Kafka: it polls one message at a time, decodes and judges it, and adds it to a batch.
///
/// It also answers the group's rebalances. What it has assigned always begins at the offsets that the database has.
struct Intake: ~Copyable {
    /// How the work ended.
    enum End {
        /// It was asked to stop.
        case stopped
        /// Everything that the log had at the start is in the database.
        case drained
    }

    let consumer: KafkaConsumer
    let exchange: BatchExchange
    let topic: String
    let stop: StopSignal
    let service: Service
    let metrics: ConsumerMetrics
    private let command: CommandHook
    private let loop: WorkLoop
    var settings: Settings
    var judge: MessageJudge
    /// Fewer than the settings say while the one message is searched for that the database refuses.
    var batchRows: Int { didSet { if batchRows != oldValue { exchange.limit(to: batchRows) } } }

    var assignment = Assignment()
    private let examinations: Examinations
    /// How Kafka is.
    private var health: KafkaHealth
    var questions: Questions
    /// While the group has given no partition.
    private var standby: Standby?
    /// When the database said last where to go on.
    private var locatedAt = ContinuousClock.now
    private var lastDoubt = ContinuousClock.now
    private var origins: Origins
    /// Partitions that another consumer had moved on, and when that was found.
    var fenced: (partitions: [Int32], at: ContinuousClock.Instant)?
    var drain: Drain?
    var silence = SilenceWatch()
    /// With `--drain`: whether what waited for late readings was judged.
    private var isLastJudged = false
    var report: ProgressReport

    init(
        _ consumer: KafkaConsumer, _ exchange: BatchExchange, context: ConsumerContext, command: CommandHook,
        isDrain: Bool
    ) {
        settings = context.settings
        service = context.service
        metrics = context.metrics
        self.command = command
        loop = service.loop("intake")
        self.consumer = consumer
        origins = Origins(consumer)
        questions = Questions(consumer.cluster, topic: context.settings[.kafkaTopic])
        self.exchange = exchange
        examinations = context.examinations
        health = KafkaHealth(context.settings[.kafkaTopic], at: .now)
        stop = service.stop
        topic = context.settings[.kafkaTopic]
        report = ProgressReport(
            topic, service, metrics: metrics, skew: Microseconds(context.settings[.maxClockSkewSeconds]))
        judge = MessageJudge(settings)
        batchRows = settings[.batchRows]
        drain = isDrain ? Drain(examinations) : nil
    }

    /// Works until it is asked to stop or everything is drained.
    ///
    /// - Throws: `KafkaError` when librdkafka cannot go on.
    mutating func run() throws(KafkaError) -> End {
        try consumer.subscribe(to: topic)
        var sinceTick = 0
        var ticked = judge.now
        while !stop.isRequested {
            let event = consumer.poll(milliseconds: questions.isLocating ? 10 : 100)
            sinceTick += 1
            // Also when messages come just often enough that no poll is in vain; a clock that was set ends the wait, too.
            let isDue = !(0..<100_000).contains(judge.now.microsecondsSince1970 - ticked.microsecondsSince1970)
            if try handle(event) || sinceTick >= 1000 || isDue {
                sinceTick = 0
                ticked = judge.now
                try tick()
                if isDrained() { return .drained }
            }
        }
        return .stopped
    }

    /// Lets the writer finish what has gathered and tells the group how far it came.
    ///
    /// - Returns: whether everything that was read is in the database. What is not will be read again.
    mutating func finish(milliseconds: Int) -> Bool {
        let isWritten = exchange.waitUntilWritten(milliseconds: milliseconds)
        noteWritten()
        report.finish(consumer)
        return isWritten
    }

    // MARK: - Events

    /// - Returns: whether it is time for the things that are not done for every message.
    mutating func handle(_ event: consuming KafkaConsumer.Event) throws(KafkaError) -> Bool {
        switch consume event {
        case .nothing: return true
        case .message(let message):
            try take(message)
            return false
        case .end(let place):
            health.answered(place.partition)
            let origin = origins.origin(place.broker)
            try perform(assignment.handle(.end(place.partition, offset: place.offset, origin)))
            return false
        case .assigned(let partitions):
            // Nothing is fetched before the database has said where to go on.
            health.forgetTroubles()
            health.isAssigned = true
            questions.forgetExaminations()
            try perform(assignment.handle(.given(partitions.map(\.partition))))
            standby = partitions.isEmpty ? Standby() : nil
            if partitions.isEmpty {
                health.failed(-1, "the group has given no partition")
                report.started([])
            }
        case .revoked:
            // Bounded: what is not written by then is dropped here and read again by the next owner.
            _ = exchange.waitUntilWritten(milliseconds: stop.isRequested ? 1000 : 5000)
            noteWritten()
            report.commit(to: consumer)
            health.isAssigned = false
            standby = nil
            questions.forgetExaminations()
            try perform(assignment.handle(.taken))
            try consumer.unassign()
        case .partitionFailed(let place, let error): try fail(place, error)
        case .troubled(let error):
            health.failed(-1, "\(error)")
            service.waits(for: .kafka, "\(error)")
        case .statistics(let statistics):
            health.take(statistics, at: .now)
            judgeKafka()
        case .failed(let error): throw error
        }
        return true
    }

    /// A partition cannot be read.
    private mutating func fail(_ place: KafkaPlace, _ error: KafkaError) throws(KafkaError) {
        if error.code == .autoOffsetReset || error.code == .offsetOutOfRange {
            return try perform(assignment.handle(.outOfRange(place.partition)))
        }
        health.failed(place.partition, "\(error)")
        service.waits(for: .kafka, "\(error)")
        try perform(assignment.handle(.failed(place.partition)))
    }

    /// Says whether Kafka answers: nobody asks it, librdkafka's figures say when it has last answered.
    private mutating func judgeKafka() {
        if health.isAway(at: .now) {
            let silence = health.silence(at: .now)
            service.waits(for: .kafka, "no broker has answered for \(Int(silence / .seconds(1))) s")
        }
        if health.hasAnswered(whileWaiting: service.isWaiting(for: .kafka), at: .now) { service.answered(.kafka) }
    }

    private mutating func take(_ message: borrowing KafkaMessage) throws(KafkaError) {
        let fingerprint = message.fingerprint
        let origin = origins.origin(message.broker)
        let verdict = assignment.judge(
            message.partition, offset: message.offset, fingerprint: fingerprint, origin)
        health.answered(message.partition)
        switch verdict {
        case .drop: return
        case .act(let actions): try perform(actions)
        case .gather(let slot, let hole):
            if let hole { skip(slot, hole) }
            let room = gather(message, fingerprint, slot: slot)
            if room != .free { try makeRoom() }
        }
    }

    private mutating func skip(_ slot: Int, _ hole: Range<Int64>) {
        report.countHole(hole)
        exchange.gather { $0.skip(slot, from: hole.lowerBound, to: hole.upperBound) }
    }

    /// Does what the assignment wants done.
    mutating func perform(_ actions: [Assignment.Action]) throws(KafkaError) {
        for action in actions {
            switch action {
            case .forget:
                exchange.abandon()
                questions.endLocating()
                fenced = nil
                silence.reset()
                drain?.forget()
                isLastJudged = false
                report.forget()
                try consumer.assign([])
            case .locate(let partitions): questions.locate(partitions)
            case .start(let positions): start(at: positions)
            case .fetch(let offsets): try fetch(offsets)
            case .examine(let partitions): questions.examine(partitions)
            case .skip(let slot, let hole): skip(slot, hole)
            }
        }
    }

    private mutating func fetch(_ offsets: [Int32: Int64]) throws(KafkaError) {
        origins.ask()
        try consumer.assign(
            offsets.map { partition, offset in
                PartitionOffset(partition: TopicPartition(topic: topic, partition: partition), offset: offset)
            })
    }

    /// Decodes, judges and appends one message.
    private mutating func gather(
        _ message: borrowing KafkaMessage, _ fingerprint: Int64, slot: Int
    ) -> BatchExchange.Room {
        let timestamp = message.timestamp
        do throws(RejectionReason) {
            let (reading, anomaly, day) = try judge.judge(message)
            let offset = message.offset
            let isOnce = message.hasHeader("heartbeat-once")
            report.countReading(reading.recordedAt, at: judge.now)
            return exchange.gather { batch in
                batch.append(reading, anomaly: anomaly, day: day, slot: slot, offset: offset)
                if let timestamp { batch.noteArrival(at: timestamp) }
                if isOnce { batch.storeOnce(slot: slot, offset: offset) }
                batch.note(timestamp: timestamp, fingerprint: fingerprint, slot: slot)
            }
        } catch {
            report.countRejected(error)
            let unstorable = judge.unstorable
            return exchange.gather { batch in
                batch.reject(message, error, slot: slot)
                if let unstorable { batch.observe(unstorable) }
                batch.note(timestamp: timestamp, fingerprint: fingerprint, slot: slot)
            }
        }
    }

    // MARK: - Now and then

    /// Takes new thresholds, a new batch size and a new command over, without a rebalance.
    private mutating func reloadIfAsked() {
        guard service.reloadIfAsked(&settings) else { return }
        judge.reload(settings)
        exchange.send(.detect(EpisodeRules(settings)))
        batchRows = settings[.batchRows]
        command.setCommand(settings[.episodeCommand])
    }

    private mutating func tick() throws(KafkaError) {
        try attend(waitingMilliseconds: questions.isLocating ? 50 : 0)
        try claimFenced()
        try takeExamined()
        try lookAround()
        questions.ask(exchange, examinations, unstored: assignment.unstored(report.committed))
        guard !questions.isLocating else { return }
        try doubt()
        let positions = assignment.positions
        // Nobody waits for the next reading of a recording.
        guard drain == nil else { return }
        let moment = silence.update(
            positions, isComplete: assignment.isComplete, health: health,
            isKafkaAway: service.isWaiting(for: .kafka) || health.isUnsettled)
        guard let moment else { return }
        let next = Dictionary(uniqueKeysWithValues: positions.map { ($0.partition, $0.offset) })
        exchange.gather { $0.judgeSilence(at: moment, next: next) }
    }

    /// What has to be done also while the batch is full.
    mutating func attend(waitingMilliseconds: Int = 0) throws(KafkaError) {
        loop.progressed()
        reloadIfAsked()
        try takeReplies(waitingMilliseconds: waitingMilliseconds)
        reportProgress()
    }

    private mutating func reportProgress() {
        var doubt = health.doubt(about: assignment.partitions, examined: assignment.examined, at: .now)
        if doubt == nil, service.isWaiting(for: .kafka) { doubt = "Kafka does not answer" }
        if assignment.isPaused, health.trouble == nil {
            let isRecent = assignment.partitions.allSatisfy { health.recentEnd(of: $0, at: .now) != nil }
            doubt = isRecent ? nil : "nothing is fetched until PostgreSQL takes what was read"
        }
        report.update(consumer, health: &health, doubt: doubt)
    }

    private mutating func takeExamined() throws(KafkaError) {
        // Those that are not examined yet wait for what was read of them to be stored. It would be dropped here.
        guard !questions.isWaitingToExamine else { return }
        let done = examinations.takeDone()
        guard !done.isEmpty else { return }
        // What the others have gathered is written first, as far as that is a matter of a moment.
        _ = exchange.waitUntilWritten(milliseconds: 100)
        try perform(assignment.handle(.examined(done)))
    }

    /// Finds out whether others read what the group has not given here.
    private mutating func lookAround() throws(KafkaError) {
        switch standby?.update(examinations, at: .now) {
        case .othersRead:
            health.forgetTroubles()
            ready([])
        case .nobodyReads:
            service.logger.notice(
                "nobody in the group reads the topic: joining again", metadata: ["KAFKA_TOPIC": "\(topic)"])
            try consumer.subscribe(to: topic)
        case .failed(let cause):
            health.failed(-1, cause)
            service.waits(for: .kafka, cause)
        case .unsettled, nil: break
        }
    }

    /// Has a partition looked at whose leader is another one or was connected to again, although nothing comes from it;
    /// every 10 s one that could not be read.
    private mutating func doubt() throws(KafkaError) {
        if assignment.isComplete || ContinuousClock.now - locatedAt > .seconds(10) { ready(assignment.positions) }
        guard lastDoubt.duration(to: .now) >= .seconds(1) else { return }
        let isRetry = health.trouble != nil
        guard !isRetry || lastDoubt.duration(to: .now) >= .seconds(10) else { return }
        lastDoubt = .now
        let (health, origins) = (health, origins)
        let found = assignment.doubtful { health.leader(of: $0).map { origins.now(of: $0.id) } }
        if let found { try perform(assignment.handle(.doubted(found))) }
    }

    /// Says that all that the group gave is read; nothing may be known against it.
    private func ready(_ positions: [Position]) {
        guard health.trouble == nil, positions.isEmpty || assignment.isHeardOf else { return }
        if !service.isWaiting(for: .kafka) { service.ready() }
    }

    private mutating func start(at found: [Position]) {
        locatedAt = .now
        judge.forgetRefusals(before: found)
        // None when all of them have to be examined first.
        if !found.isEmpty { report.started(found) }
        exchange.gather { $0.start(at: found) }
    }

    private mutating func isDrained() -> Bool {
        guard assignment.isComplete || assignment.isEmpty else { return false }
        guard drain?.isOver(committed: report.committed, questions.storedRequest, exchange) ?? false else {
            return false
        }
        guard !assignment.isEmpty else { return true }
        if isLastJudged { return exchange.waitUntilWritten(milliseconds: 0) }
        // What waited for late readings is judged now: no more are to come.
        isLastJudged = true
        let next = Dictionary(uniqueKeysWithValues: assignment.positions.map { ($0.partition, $0.offset) })
        exchange.gather { $0.judgeLast(next: next) }
        return false
    }
}
