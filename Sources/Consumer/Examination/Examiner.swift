import Daemon
import HeartRate
import Kafka
import KafkaService
import Logging
import PostgreSQL
import SharedSettings

/// The thread that finds out what became of a log that is not as the database has it. Only it waits for answers, of Kafka by
/// a client of its own and of the database by a session of its own; nobody waits for it.
struct Examiner: ~Copyable {
    private let examinations: Examinations
    private let configuration: KafkaConfiguration
    private let parameters: [String: String]
    private let topic: String
    private let service: Service
    private let metrics: ConsumerMetrics
    private let name: String
    private let group: String
    private var backoff = Backoff(to: .seconds(5))
    private var patience = Patience()
    private var decoder = ReadingDecoder()

    init(_ configuration: KafkaConfiguration, context: ConsumerContext) {
        examinations = context.examinations
        self.configuration = configuration
        parameters = context.settings.postgresParameters
        topic = context.settings[.kafkaTopic]
        service = context.service
        metrics = context.metrics
        name = context.name
        group = context.settings[.kafkaGroupID]
    }

    /// Does jobs until it is stopped.
    mutating func run() {
        while true {
            switch examinations.next() {
            case .stop: return
            case .lookUpEnds: lookUpEnds()
            case .lookUpReaders: examinations.finish(readers())
            case .examine(let request): examine(request)
            }
        }
    }

    private mutating func lookUpEnds() {
        do throws(KafkaError) {
            let reader = try LogReader(configuration)
            let count = try reader.partitionCount(of: topic) ?? 0
            let ends = try watermarks(of: Array(0..<Int32(count)), reader)
            if count > 0, ends.count == count { return examinations.finish(ends) }
        } catch {
            service.logger.debug("unable to look up where the topic ends: \(error)")
        }
        _ = examinations.sleep(milliseconds: Int(backoff.next() / .milliseconds(1)))
    }

    private func readers() -> Examinations.Readers {
        do throws(KafkaError) {
            let reader = try LogReader(configuration)
            guard try reader.partitionCount(of: topic) != nil else { return .failed("unknown topic \"\(topic)\"") }
            do throws(KafkaError) {
                return try reader.hasReaders(group: group).map { $0 ? .othersRead : .nobodyReads } ?? .unsettled
            } catch {
                service.logger.debug("\(error)")
                return .othersRead
            }
        } catch {
            return .failed("\(error)")
        }
    }

    private mutating func examine(_ request: LocateRequest) {
        var left = Set(request.partitions)
        repeat {
            do {
                let reader = try LogReader(configuration)
                let store = try ReadingStore(parameters, consumerName: name)
                let found = try watermarks(of: left.sorted(), reader)
                for (partition, watermarks) in found.sorted(by: { $0.key < $1.key }) {
                    let log = ExaminedLog(request: request, partition: partition, watermarks: watermarks)
                    guard let next = try judge(log, by: reader, store) else { continue }
                    left.remove(partition)
                    examinations.finish([partition: next])
                }
                patience.reset()
                if left.isEmpty { return backoff.reset() }
            } catch {
                if let error = error as? PostgreSQLError, let failure = patience.failure(error) {
                    service.fail(failure)
                }
                service.logger.debug("unable to examine a log yet: \(error)")
            }
        } while examinations.sleep(milliseconds: Int(backoff.next() / .milliseconds(1)))
    }

    private func watermarks(
        of partitions: [Int32], _ reader: borrowing LogReader
    ) throws(KafkaError) -> [Int32: Watermarks] {
        let found = try reader.watermarks(of: partitions.map { TopicPartition(topic: topic, partition: $0) })
        return Dictionary(uniqueKeysWithValues: found.map { ($0.key.partition, $0.value) })
    }

    /// - Returns: where reading goes on; nil when it has to be examined again.
    private mutating func judge(
        _ found: ExaminedLog, by reader: borrowing LogReader, _ store: borrowing ReadingStore
    ) throws -> Continuation? {
        var log = found
        let history = try store.history(of: log.partition, log.request)
        // Before all else is asked: should another log take the place of this one meanwhile, the intake finds another message
        // there, and has it examined again.
        let start = max(history?.offsets.upperBound ?? 0, log.watermarks.low)
        let first = start > 0 ? try messages(log.partition, in: start..<Int64.max, most: 1, reader).first : nil
        guard let watermarks = try watermarks(of: [log.partition], reader)[log.partition] else { return nil }
        log.watermarks = watermarks
        func continuation(_ offset: Int64, _ last: Landmark?) -> Continuation {
            let next = last == nil && offset == start ? first?.landmark : nil
            return Continuation(offset: offset, last: last, next: next)
        }
        guard let history else {
            try store.addSource(log.partition, at: watermarks.low, log.request)
            return continuation(watermarks.low, nil)
        }
        let (comparison, same) = try compare(history, to: log, reader: reader, store: store)
        let verdict = LogVerdict(history, watermarks, comparison: comparison)
        var lost: Int64 = 0
        if case .endLost(let start) = verdict { lost = try store.count(of: history.segments, from: start) }
        guard try store.record(verdict, history, lost: lost, last: same) else { return nil }
        report(verdict, history, of: log, lost: lost)
        return continuation(verdict.next, same)
    }

    /// Which offsets were compared, and where log and database part; nil when there is nothing to compare. Besides, the last
    /// message that both have.
    private mutating func compare(
        _ history: LogHistory, to log: ExaminedLog, reader: borrowing LogReader, store: borrowing ReadingStore
    ) throws -> (comparison: (Range<Int64>, Int64)?, same: Landmark?) {
        let hasLast = try holdsLast(history.last, in: log, reader: reader)
        if hasLast == true, let last = history.last {
            // What comes before it is the same, too; what comes behind it was read as holes.
            let range = last.offset..<max(last.offset + 1, min(log.watermarks.high, history.offsets.upperBound))
            let new = try messages(log.partition, in: last.offset + 1..<range.upperBound, most: 1, reader).first
            return ((range, new?.offset ?? range.upperBound), last)
        }
        guard let range = try comparable(history, log, store: store) else {
            let isOther = hasLast == false
            return (isOther ? (log.watermarks.low..<history.offsets.upperBound, log.watermarks.low) : nil, nil)
        }
        var same: Landmark?
        let parting = try partingPoint(in: range) { offset throws in
            let found = try messages(log.partition, in: offset..<range.upperBound, most: 20, reader)
            let last = try found.last { message throws in
                guard let source = history.source(of: message.offset) else { return false }
                return try store.holds(message, source: source)
            }
            if let last, last.offset > same?.offset ?? -1 {
                same = last.landmark
            }
            return found.isEmpty || last != nil
        }
        return ((range, parting), same)
    }

    private mutating func messages(
        _ partition: Int32, in offsets: Range<Int64>, most: Int, _ reader: borrowing LogReader
    ) throws(KafkaError) -> [StoredMessage] {
        guard !offsets.isEmpty else { return [] }
        // Whatever was judged when it was stored, maybe by another clock: none is too large or from the future now.
        let limits = DecodingLimits(maximumPayloadBytes: .max, maximumClockSkew: Microseconds(.max / 2))
        let now = Instant(microsecondsSince1970: wallClockMicroseconds())
        let place = TopicPartition(topic: topic, partition: partition)
        return try reader.messages(of: place, in: offsets, most: most) { message in
            StoredMessage(
                offset: message.offset, reading: try? decoder.decode(message.payload, receivedAt: now, limits: limits),
                payload: message.payloadBytes, fingerprint: message.fingerprint)
        }
    }

    /// Which offsets both the log and the database have; nil when there are none.
    private func comparable(
        _ history: LogHistory, _ log: ExaminedLog, store: borrowing ReadingStore
    ) throws -> Range<Int64>? {
        let end = min(log.watermarks.high, history.offsets.upperBound)
        var start = max(log.watermarks.low, history.first)
        for segment in history.segments {
            if let retired = try store.retired(segment.sourceID) {
                start = max(start, min(retired, segment.offsets.upperBound))
            }
        }
        return start < end ? start..<end : nil
    }

    /// Whether the log has the last stored message in its place; nil when that cannot be told. That is all there is to
    /// compare when retention has dropped the rows.
    private func holdsLast(
        _ last: Landmark?, in log: ExaminedLog, reader: borrowing LogReader
    ) throws(KafkaError) -> Bool? {
        guard let last, (log.watermarks.low..<log.watermarks.high).contains(last.offset) else { return nil }
        let place = TopicPartition(topic: topic, partition: log.partition)
        let found = try reader.messages(of: place, in: last.offset..<last.offset + 1, most: 1) { $0.fingerprint }
        return found.first.map { $0 == last.fingerprint }
    }

    private func report(_ verdict: LogVerdict, _ history: LogHistory, of log: ExaminedLog, lost: Int64) {
        let next = history.offsets.upperBound
        var fields: Logger.Metadata = [
            "KAFKA_TOPIC": "\(topic)", "KAFKA_PARTITION": "\(log.partition)", "KAFKA_OFFSET": "\(next)",
        ]
        switch verdict {
        case .same: service.logger.info("the log is the same: reading goes on at offset \(next)", metadata: fields)
        case .deleted(let offsets):
            metrics.gapMessages.add(offsets.count)
            fields["KAFKA_OFFSET_END"] = "\(offsets.upperBound - 1)"
            service.logger.report(
                .gap,
                """
                Kafka has deleted \(offsets.count) messages before they were read: they are recorded in \
                "offset_gaps" and cannot be recovered. Give the topic a longer retention
                """, fields: fields)
        case .endLost(let start):
            fields["KAFKA_OFFSET"] = "\(start)"
            service.logger.report(
                .endLost,
                """
                Kafka has lost the end of its log from offset \(start) on: \(lost) stored messages are no longer in Kafka. \
                They stay stored; reading goes on at offset \(start)
                """, fields: fields)
        case .another(let low):
            service.logger.report(
                .createdAnew,
                """
                the topic was recreated: its log ends at \(log.watermarks.high) and has other messages than those that are \
                stored before offset \(next). Reading starts over from its beginning at \(low)
                """, fields: fields)
        }
    }
}

/// A partition's log at the moment of its examination.
private struct ExaminedLog {
    let request: LocateRequest
    let partition: Int32
    var watermarks: Watermarks
}
