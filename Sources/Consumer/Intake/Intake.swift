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
    private var rule: AnomalyRule
    private var detection: DetectionSettings
    private let limits: DecodingLimits
    private let retentionDays: Int32

    private var decoder = ReadingDecoder()
    private var positions: [Position] = []
    /// For each partition's number its place in `positions`; -1 when it is not assigned.
    private var slots: [Int] = []
    /// Partitions that the group gave, as long as it is not known where to go on with them.
    private var unlocated: [Int32]?
    private var isRequested = false
    private var isWaiting = false
    /// Partitions that another consumer had moved on, and when that was found.
    private var fenced: (partitions: [Int32], at: ContinuousClock.Instant)?
    /// The gap that was seen last: it is believed when the same fetch comes to it twice.
    private var suspectedGap: PartitionOffset?
    /// What the database refused, by the message, as its reason.
    private var refusedByDatabase: [PartitionOffset: String] = [:]
    private let isDrain: Bool
    /// With `isDrain` what has to be stored, and where it is asked whether it is.
    private var drain: (targets: DrainTargets, stored: StoredRequest)?
    private var silence = SilenceWatch()
    private var report: ProgressReport
    private var now = Instant(microsecondsSince1970: wallClockMicroseconds())

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
        self.exchange = exchange
        stop = service.stop
        topic = context.settings[.kafkaTopic]
        report = ProgressReport(topic, service, metrics: metrics)
        rule = AnomalyRule(settings)
        detection = exchange.detection
        limits = DecodingLimits(
            maximumPayloadBytes: settings[.maxMessageBytes],
            maximumClockSkew: Microseconds(settings[.maxClockSkewSeconds]))
        retentionDays = Int32(settings[.retentionDays])
        self.isDrain = isDrain
    }

    /// Works until it is asked to stop or everything is drained.
    ///
    /// - Throws: `KafkaError` when librdkafka cannot go on.
    mutating func run() throws(KafkaError) -> End {
        try consumer.subscribe(to: topic)
        var sinceTick = 0
        var ticked = now
        while !stop.isRequested {
            let event = consumer.poll(milliseconds: unlocated == nil ? 100 : 10)
            sinceTick += 1
            // Also when messages come just often enough that no poll is in vain; a clock that was set ends the wait, too.
            let isDue = !(0..<100_000).contains(now.microsecondsSince1970 - ticked.microsecondsSince1970)
            if try handle(event) || sinceTick >= 1000 || isDue {
                sinceTick = 0
                ticked = now
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
        case .nothing:
            return true
        case .message(let message):
            try take(message)
            return false
        case .assigned(let partitions):
            // Nothing is fetched before the database has said where to go on.
            try consumer.assign([])
            forgetAssignment()
            locate(partitions.map(\.partition))
            return true
        case .revoked:
            // Bounded: what is not written by then is dropped here and read again by the next owner.
            if !exchange.waitUntilWritten(milliseconds: 5000) { forgetAssignment() }
            report.commit(exchange.committed, to: consumer)
            forgetAssignment()
            try consumer.unassign()
            return true
        case .failed(let error):
            throw error
        }
    }

    private mutating func take(_ message: borrowing KafkaMessage) throws(KafkaError) {
        let partition = Int(message.partition)
        // Messages that were fetched before a wait are dropped here: they are fetched again afterwards.
        guard !isWaiting, partition < slots.count, slots[partition] >= 0 else { return }
        let slot = slots[partition]
        let expected = positions[slot].offset
        let offset = message.offset
        if offset != expected {
            // Earlier ones are in the batch or in the database already.
            guard offset > expected, try isGap(slot, from: expected, to: offset) else { return }
        }
        let room = gather(message, slot)
        positions[slot].offset = offset + 1
        if room != .free { try makeRoom(room) }
    }

    /// Decodes, judges and appends one message.
    private mutating func gather(_ message: borrowing KafkaMessage, _ slot: Int) -> BatchExchange.Room {
        let timestamp = message.timestamp
        do throws(RejectionReason) {
            now = Instant(microsecondsSince1970: wallClockMicroseconds())
            let reading = try decoder.decode(message.payload, receivedAt: now, limits: limits)
            if !refusedByDatabase.isEmpty { try checkRefusal(message) }
            let anomaly = rule.judge(reading.heartRate)
            let day = partitionDay(of: reading.recordedAt)
            let offset = message.offset
            return exchange.gather { batch in
                batch.append(reading, anomaly: anomaly, day: day, slot: slot, offset: offset)
                batch.note(timestamp: timestamp, slot: slot)
            }
        } catch {
            report.countRejected(error.code)
            return exchange.gather { batch in
                batch.reject(message, error, slot: slot)
                batch.note(timestamp: timestamp, slot: slot)
            }
        }
    }

    private mutating func checkRefusal(_ message: borrowing KafkaMessage) throws(RejectionReason) {
        let place = PartitionOffset(
            partition: TopicPartition(topic: topic, partition: message.partition), offset: message.offset)
        guard let cause = refusedByDatabase[place] else { return }
        throw .refusedByDatabase(cause)
    }

    /// The UTC day since 1970 whose partition a reading belongs to; nil for the default partition.
    private func partitionDay(of instant: Instant) -> Int32? {
        let microsecondsPerDay: Int64 = 86_400_000_000
        let today = now.microsecondsSince1970 / microsecondsPerDay
        let day = instant.microsecondsSince1970 / microsecondsPerDay
        return day <= today + 1 && day >= today - Int64(retentionDays) ? Int32(day) : nil
    }

    /// Whether the log really has nothing between two offsets. It is asked a second time before that is believed.
    private mutating func isGap(_ slot: Int, from expected: Int64, to offset: Int64) throws(KafkaError) -> Bool {
        let partition = TopicPartition(topic: topic, partition: positions[slot].partition)
        let place = PartitionOffset(partition: partition, offset: expected)
        guard suspectedGap == place else {
            suspectedGap = place
            try read()
            return false
        }
        suspectedGap = nil
        metrics.gapMessages.add(Int(offset - expected))
        service.logger.report(
            .gap, "Kafka does not hand out \(offset - expected) messages: they are recorded in \"offset_gaps\"",
            fields: [
                "KAFKA_TOPIC": "\(topic)", "KAFKA_PARTITION": "\(partition.partition)", "KAFKA_OFFSET": "\(expected)",
                "KAFKA_OFFSET_END": "\(offset - 1)",
            ])
        _ = exchange.gather { $0.skip(slot, from: expected, to: offset) }
        return true
    }

    // MARK: - Back-pressure

    /// Waits for the writer. When that takes longer, nothing is fetched meanwhile but the group's membership lives on.
    ///
    /// Not by `rd_kafka_pause_partitions`: when its counterpart and an assignment come together, librdkafka 2.0.2 can drop
    /// one of the two, and never fetches the partition again.
    private mutating func makeRoom(_ found: BatchExchange.Room) throws(KafkaError) {
        var room = found == .full ? exchange.waitForRoom(milliseconds: 1000) : found
        if room == .full {
            try consumer.assign([])
            isWaiting = true
            while room == .full, !stop.isRequested, !positions.isEmpty {
                // It waits on purpose, and tells of it.
                loop.progressed()
                reloadIfAsked()
                report.update(exchange, consumer)
                _ = try handle(consumer.poll(milliseconds: 10))
                room = exchange.waitForRoom(milliseconds: 100)
            }
            isWaiting = false
            if !positions.isEmpty { try read() }
        }
        try startOver()
    }

    /// If the database has refused a batch: reads on from where the database stands.
    private mutating func startOver() throws(KafkaError) {
        guard let refusal = exchange.refusal else { return }
        var partitions = positions.map(\.partition)
        switch refusal {
        case .fenced(let lost):
            partitions.removeAll { lost.contains($0) }
            fenced = (lost, .now)
            metrics.fenced.add()
            service.logger.report(
                .fenced, "fenced: another consumer owns partitions \(lost); nothing of them was written here",
                fields: [
                    "KAFKA_TOPIC": "\(topic)",
                    "KAFKA_PARTITION": "\(lost.map { String($0) }.joined(separator: ","))",
                ])
        case .data(let messages, let last, let cause):
            if messages == 1 {
                let partition = TopicPartition(topic: topic, partition: last.partition)
                refusedByDatabase[PartitionOffset(partition: partition, offset: last.offset)] = cause
            }
        }
        try consumer.assign([])
        let stillFenced = fenced
        forgetAssignment()
        fenced = stillFenced
        if case .data(let messages, _, _) = refusal { exchange.narrow(to: max(1, messages / 2)) }
        locate(partitions)
    }

    /// Takes fenced partitions up again when the group has not given them to anybody else meanwhile: then the fence was
    /// our own session, which had been cut off and whose COMMIT came late, or a person who moved the offsets.
    private mutating func claimFenced() throws(KafkaError) {
        guard let found = fenced, unlocated == nil, found.at.duration(to: .now) > Self.claimAfter else { return }
        let partitions = positions.map(\.partition) + found.partitions
        _ = exchange.waitUntilWritten(milliseconds: 1000)
        try consumer.assign([])
        forgetAssignment()
        locate(partitions)
    }

    /// Longer than the session's timeout, within which the group tells a consumer that it is out.
    private static let claimAfter: Duration = .seconds(30)

    // MARK: - The assignment

    /// Has the database asked where to go on with these partitions.
    private mutating func locate(_ partitions: [Int32]) {
        unlocated = partitions
        isRequested = false
    }

    private mutating func forgetAssignment() {
        exchange.abandon()
        positions = []
        slots = []
        unlocated = nil
        isRequested = false
        fenced = nil
        silence.reset()
    }

    /// Reads every partition from the next offset that has not gathered.
    private func read() throws(KafkaError) {
        try consumer.assign(
            positions.map {
                PartitionOffset(partition: TopicPartition(topic: topic, partition: $0.partition), offset: $0.offset)
            })
    }

    // MARK: - Now and then

    /// Takes new thresholds, a new batch size and a new command over, without a rebalance.
    private mutating func reloadIfAsked() {
        guard service.reloadIfAsked(&settings) else { return }
        rule = AnomalyRule(settings)
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
        if let partitions = unlocated {
            if !isRequested { request(partitions) }
            if isRequested, let found = exchange.takePositions(waitingMilliseconds: 50) { try start(at: found) }
        } else {
            silence.update(
                positions, exchange: exchange, consumer: consumer, of: topic,
                isKafkaAway: service.isWaiting(for: .kafka))
        }
        report.update(exchange, consumer)
    }

    /// Asks Kafka between which offsets the partitions can be read, and the writer where to go on.
    private mutating func request(_ partitions: [Int32]) {
        do throws(KafkaError) {
            guard let clusterID = consumer.cluster.id(withinMilliseconds: 2000) else {
                return service.waits(for: .kafka, "unable to ask for the cluster's id: no broker answers")
            }
            var watermarks: [Int32: Watermarks] = [:]
            for partition in partitions {
                watermarks[partition] = try consumer.cluster.watermarks(
                    of: TopicPartition(topic: topic, partition: partition), withinMilliseconds: 2000)
            }
            if isDrain, drain == nil { drain = try drainTargets(clusterID) }
            exchange.locate(LocateRequest(clusterID: clusterID, topic: topic, watermarks: watermarks))
            isRequested = true
        } catch {
            service.waits(for: .kafka, "\(error)")
        }
    }

    private mutating func start(at found: [Position]) throws(KafkaError) {
        unlocated = nil
        isRequested = false
        positions = found
        slots = [Int](repeating: -1, count: Int(found.map(\.partition).max() ?? -1) + 1)
        for (slot, position) in found.enumerated() { slots[Int(position.partition)] = slot }
        // Long remembered refusals of messages that were stored since.
        refusedByDatabase = refusedByDatabase.filter { place, _ in
            found.contains { $0.partition == place.partition.partition && $0.offset <= place.offset }
        }
        try read()
        report.started(found)
    }

    // MARK: - Draining

    private func drainTargets(
        _ clusterID: String
    ) throws(KafkaError) -> (DrainTargets, StoredRequest)? {
        guard let found = try consumer.cluster.topic(topic, withinMilliseconds: 2000) else { return nil }
        var watermarks: [Int32: Watermarks] = [:]
        for partition in 0..<Int32(found.partitions) {
            watermarks[partition] = try consumer.cluster.watermarks(
                of: TopicPartition(topic: topic, partition: partition), withinMilliseconds: 2000)
        }
        return (DrainTargets(watermarks), .init(clusterID: clusterID, topic: topic))
    }

    /// Whether everything that the topic had at the start is stored, also by the others of the group.
    private var isDrained: Bool {
        guard let drain, drain.targets.areReached(by: exchange.committed),
            let stored = exchange.readStored(drain.stored)
        else { return false }
        return drain.targets.isTopicReached(by: stored)
    }
}
