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

    private let consumer: KafkaConsumer
    private let exchange: BatchExchange
    private let topic: String
    private let stop: StopSignal
    private let service: Service
    private let metrics: ConsumerMetrics
    private let command: CommandHook
    private let loop: WorkLoop
    private var settings: Settings
    private var detection: DetectionSettings
    private var judge: MessageJudge

    private var assignment = Assignment()
    private let examinations: Examinations
    /// How Kafka is.
    private var health: KafkaHealth
    /// Partitions for which the database has to be asked where to go on, and whether it was.
    private var unlocated: (partitions: [Int32], isAsked: Bool)?
    /// Partitions that are to be examined as soon as the cluster's id is known.
    private var unexamined: [Int32] = []
    private var clusterID: String?
    /// When the database said last where to go on.
    private var locatedAt = ContinuousClock.now
    private var lastDoubt = ContinuousClock.now
    private var origins: Origins
    /// Partitions that another consumer had moved on, and when that was found.
    private var fenced: (partitions: [Int32], at: ContinuousClock.Instant)?
    private let isDrain: Bool
    private var silence = SilenceWatch()
    private var report: ProgressReport

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
        self.exchange = exchange
        examinations = context.examinations
        health = KafkaHealth(context.settings[.kafkaTopic], at: .now)
        stop = service.stop
        topic = context.settings[.kafkaTopic]
        report = ProgressReport(topic, service, metrics: metrics)
        detection = exchange.detection
        judge = MessageJudge(settings)
        self.isDrain = isDrain
    }

    /// Works until it is asked to stop or everything is drained.
    ///
    /// - Throws: `KafkaError` when librdkafka cannot go on.
    mutating func run() throws(KafkaError) -> End {
        try consumer.subscribe(to: topic)
        if isDrain { examinations.lookUpEnds() }
        var sinceTick = 0
        var ticked = judge.now
        while !stop.isRequested {
            let event = consumer.poll(milliseconds: unlocated == nil ? 100 : 10)
            sinceTick += 1
            // Also when messages come just often enough that no poll is in vain; a clock that was set ends the wait, too.
            let isDue = !(0..<100_000).contains(judge.now.microsecondsSince1970 - ticked.microsecondsSince1970)
            if try handle(event) || sinceTick >= 1000 || isDue {
                sinceTick = 0
                ticked = judge.now
                try tick()
                if isDrained { return .drained }
            }
        }
        return .stopped
    }

    /// Lets the writer finish what has gathered and tells the group how far it came.
    ///
    /// - Returns: whether everything that was read is in the database. What is not will be read again.
    mutating func finish(milliseconds: Int) -> Bool {
        let isWritten = exchange.waitUntilWritten(milliseconds: milliseconds)
        report.finish(exchange, consumer)
        return isWritten
    }

    // MARK: - Events

    /// - Returns: whether it is time for the things that are not done for every message.
    private mutating func handle(_ event: consuming KafkaConsumer.Event) throws(KafkaError) -> Bool {
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
            unexamined = []
            try perform(assignment.handle(.given(partitions.map(\.partition))))
            if partitions.isEmpty { ready([]) }
        case .revoked:
            // Bounded: what is not written by then is dropped here and read again by the next owner.
            if !exchange.waitUntilWritten(milliseconds: stop.isRequested ? 1000 : 5000) { exchange.abandon() }
            report.commit(exchange.committed, to: consumer)
            unexamined = []
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

    /// Says whether Kafka is away: nobody asks it, librdkafka's figures say when it has last answered.
    private func judgeKafka() {
        let silence = health.silence(at: .now)
        if silence > KafkaHealth.mostSilence {
            service.waits(for: .kafka, "no broker has answered for \(Int(silence / .seconds(1))) s")
        } else if health.trouble == nil, health.isAnswered, service.isWaiting(for: .kafka) {
            service.answered(.kafka)
        }
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
            if room != .free { try makeRoom(room) }
        }
    }

    private mutating func skip(_ slot: Int, _ hole: Range<Int64>) {
        report.countHole(hole)
        _ = exchange.gather { $0.skip(slot, from: hole.lowerBound, to: hole.upperBound) }
    }

    /// Does what the assignment wants done.
    private mutating func perform(_ actions: [Assignment.Action]) throws(KafkaError) {
        for action in actions {
            switch action {
            case .forget:
                exchange.abandon()
                unlocated = nil
                fenced = nil
                silence.reset()
                try consumer.assign([])
            case .locate(let partitions): unlocated = (partitions, false)
            case .start(let positions): start(at: positions)
            case .fetch(let offsets): try fetch(offsets)
            case .examine(let partitions): unexamined += partitions
            case .skip(let slot, let hole): skip(slot, hole)
            }
        }
    }

    private func fetch(_ offsets: [Int32: Int64]) throws(KafkaError) {
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
            return exchange.gather { batch in
                batch.append(reading, anomaly: anomaly, day: day, slot: slot, offset: offset)
                batch.note(timestamp: timestamp, fingerprint: fingerprint, slot: slot)
            }
        } catch {
            report.countRejected(error.code)
            return exchange.gather { batch in
                batch.reject(message, error, slot: slot)
                batch.note(timestamp: timestamp, fingerprint: fingerprint, slot: slot)
            }
        }
    }

    // MARK: - Back-pressure

    /// Waits for the writer. When that takes longer, nothing is fetched meanwhile but the group's membership lives on.
    private mutating func makeRoom(_ found: BatchExchange.Room) throws(KafkaError) {
        var room = found == .full ? exchange.waitForRoom(milliseconds: 1000) : found
        if room == .full {
            let assigned = assignment.positions.map { TopicPartition(topic: topic, partition: $0.partition) }
            try consumer.pause(assigned)
            _ = assignment.handle(.paused)
            while room == .full, !stop.isRequested, !assignment.isEmpty {
                // It waits on purpose, and tells of it.
                loop.progressed()
                reloadIfAsked()
                reportProgress()
                _ = try handle(consumer.poll(milliseconds: 10))
                room = exchange.waitForRoom(milliseconds: 100)
            }
            try perform(assignment.handle(.resumed))
            // Also when the group took them away meanwhile: librdkafka keeps a partition paused across assignments.
            try consumer.resume(assigned)
        }
        try startOver()
    }

    /// If the database has refused a batch: reads on from where the database stands.
    private mutating func startOver() throws(KafkaError) {
        guard let refusal = exchange.refusal else { return }
        var lost: [Int32] = []
        switch refusal {
        case .fenced(let partitions):
            lost = partitions
            metrics.fenced.add()
            service.logger.report(
                .fenced, "fenced: another consumer owns partitions \(lost); nothing of them was written here",
                fields: [
                    "KAFKA_TOPIC": "\(topic)",
                    "KAFKA_PARTITION": "\(lost.map { String($0) }.joined(separator: ","))",
                ])
        case .data(let messages, let last, let cause):
            if messages == 1 { judge.refuse(last.partition, last.offset, cause: cause) }
        }
        // What is fenced here because its log is examined is no other consumer's.
        let examined = assignment.examined
        let stillFenced = fenced
        try perform(assignment.handle(.refused(lost: lost.filter { !examined.contains($0) })))
        fenced = lost.isEmpty ? stillFenced : (lost.filter { !examined.contains($0) }, .now)
        if case .data(let messages, _, _) = refusal { exchange.narrow(to: max(1, messages / 2)) }
    }

    /// Takes fenced partitions up again when the group has not given them to anybody else meanwhile: then the fence was
    /// our own session, which had been cut off and whose COMMIT came late, or a person who moved the offsets.
    private mutating func claimFenced() throws(KafkaError) {
        guard let found = fenced, unlocated == nil, found.at.duration(to: .now) > Self.claimAfter else { return }
        _ = exchange.waitUntilWritten(milliseconds: 1000)
        try perform(assignment.handle(.reclaimed(found.partitions)))
    }

    private static let claimAfter: Duration = .seconds(30)  // longer than the session.timeout.ms of the group

    // MARK: - Now and then

    /// Takes new thresholds, a new batch size and a new command over, without a rebalance.
    private mutating func reloadIfAsked() {
        guard service.reloadIfAsked(&settings) else { return }
        judge.reload(settings)
        detection = DetectionSettings(rules: EpisodeRules(settings), revision: detection.revision + 1)
        exchange.setDetection(detection)
        exchange.setMostRows(settings[.batchRows])
        command.setCommand(settings[.episodeCommand])
    }

    private mutating func tick() throws(KafkaError) {
        loop.progressed()
        reloadIfAsked()
        try startOver()
        try claimFenced()
        try takeExamined()
        if let (partitions, isAsked) = unlocated {
            if !isAsked { ask(partitions) }
            if let found = exchange.takePositions(waitingMilliseconds: 50) {
                unlocated = nil
                try perform(assignment.handle(.located(found)))
            }
        } else {
            try doubt()
            silence.update(
                assignment.positions, isComplete: assignment.isComplete, exchange: exchange, health: health,
                isKafkaAway: service.isWaiting(for: .kafka))
        }
        reportProgress()
    }

    private mutating func reportProgress() {
        var doubt = health.doubt(about: assignment.partitions, examined: assignment.examined, at: .now)
        if doubt == nil, service.isWaiting(for: .kafka) { doubt = "Kafka does not answer" }
        report.update(exchange, consumer, health: &health, doubt: doubt)
    }

    /// Asks the writer where to go on. The cluster's id is known as soon as some broker has answered.
    private mutating func ask(_ partitions: [Int32]) {
        guard let id = knownClusterID() else { return }
        exchange.locate(LocateRequest(clusterID: id, topic: topic, partitions: partitions))
        unlocated = (partitions, true)
    }

    private mutating func knownClusterID() -> String? {
        if clusterID == nil { clusterID = consumer.cluster.id(withinMilliseconds: 0) }
        return clusterID
    }

    private mutating func takeExamined() throws(KafkaError) {
        if !unexamined.isEmpty, let id = knownClusterID() {
            examinations.examine(LocateRequest(clusterID: id, topic: topic, partitions: unexamined))
            unexamined = []
        }
        let done = examinations.takeDone()
        guard !done.isEmpty else { return }
        // What the others have gathered is written first, as far as that is a matter of a moment.
        _ = exchange.waitUntilWritten(milliseconds: 100)
        try perform(assignment.handle(.examined(done)))
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
        if health.silence(at: .now) < KafkaHealth.mostSilence { service.answered(.kafka) }
        if !service.isWaiting(for: .kafka) { service.ready() }
    }

    private mutating func start(at found: [Position]) {
        locatedAt = .now
        judge.forgetRefusals(before: found)
        report.started(found)
    }

    // MARK: - Draining

    /// Whether everything that the topic had at the start is stored, also by the others of the group.
    private var isDrained: Bool {
        guard isDrain, let clusterID, let ends = examinations.ends, assignment.isComplete || assignment.isEmpty else {
            return false
        }
        let targets = DrainTargets(ends)
        guard targets.areReached(by: exchange.committed),
            let stored = exchange.readStored(StoredRequest(clusterID: clusterID, topic: topic))
        else { return false }
        return targets.isTopicReached(by: stored)
    }
}
