import Daemon
import HeartRate
import Kafka
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
    private var backoff = Backoff(to: .seconds(5))

    init(_ configuration: KafkaConfiguration, context: ConsumerContext) {
        examinations = context.examinations
        self.configuration = configuration
        parameters = context.settings.postgresParameters
        topic = context.settings[.kafkaTopic]
        service = context.service
        metrics = context.metrics
        name = context.name
    }

    /// Does jobs until it is stopped.
    mutating func run() {
        while true {
            switch examinations.next() {
            case .stop: return
            case .lookUpEnds: lookUpEnds()
            case .examine(let request): examine(request)
            }
        }
    }

    private mutating func lookUpEnds() {
        do throws(KafkaError) {
            let reader = try LogReader(configuration, topic: topic)
            let count = try reader.partitionCount() ?? 0
            let ends = try reader.watermarks(of: Array(0..<Int32(count)))
            if count > 0, ends.count == count { return examinations.finish(ends) }
        } catch {
            service.logger.debug("unable to look up where the topic ends: \(error)")
        }
        _ = examinations.sleep(milliseconds: Int(backoff.next() / .milliseconds(1)))
    }

    private mutating func examine(_ request: LocateRequest) {
        var left = Set(request.partitions)
        repeat {
            do {
                var reader = try LogReader(configuration, topic: topic)
                let store = try ReadingStore(parameters, consumerName: name)
                let watermarks = try reader.watermarks(of: left.sorted())
                for (partition, watermarks) in watermarks.sorted(by: { $0.key < $1.key }) {
                    let log = ExaminedLog(request: request, partition: partition, watermarks: watermarks)
                    guard let next = try judge(log, reader: &reader, store: store) else { continue }
                    left.remove(partition)
                    examinations.finish([partition: next])
                }
                if left.isEmpty { return backoff.reset() }
            } catch {
                service.logger.debug("unable to examine a log yet: \(error)")
            }
        } while examinations.sleep(milliseconds: Int(backoff.next() / .milliseconds(1)))
    }

    /// - Returns: the offset at which reading goes on; nil when it has to be examined again.
    private func judge(
        _ log: ExaminedLog, reader: inout LogReader, store: borrowing ReadingStore
    ) throws -> Int64? {
        guard let history = try store.history(of: log.partition, log.request) else {
            try store.addSource(log.partition, at: log.watermarks.low, log.request)
            return log.watermarks.low
        }
        var comparison: (Range<Int64>, Int64)?
        if let range = try comparable(history, log, store: store) {
            let parting = try partingPoint(in: range) { offset throws in
                let found = try reader.messages(of: log.partition, in: offset..<range.upperBound, most: 20)
                return try found.isEmpty
                    || found.contains { message throws in
                        guard let source = history.source(of: message.offset) else { return false }
                        return try store.holds(message, source: source)
                    }
            }
            comparison = (range, parting)
        } else if try isForeign(history.last, to: log, reader: &reader) {
            comparison = (log.watermarks.low..<history.offsets.upperBound, log.watermarks.low)
        }
        let verdict = LogVerdict(history, log.watermarks, comparison: comparison)
        let lost: Int64
        if case .endLost(let start) = verdict {
            lost = try store.count(of: history.segments, from: start)
        } else {
            lost = 0
        }
        guard try store.record(verdict, history, lost: lost) else { return nil }
        report(verdict, history, of: log, lost: lost)
        return verdict.next
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

    /// Whether the log has another message in the place of the last stored one. That is all there is to compare when
    /// retention has dropped the rows.
    private func isForeign(_ last: Landmark?, to log: ExaminedLog, reader: inout LogReader) throws -> Bool {
        guard let last, (log.watermarks.low..<log.watermarks.high).contains(last.offset) else { return false }
        let found = try reader.messages(of: log.partition, in: last.offset..<last.offset + 1, most: 1)
        return found.contains { $0.fingerprint != last.fingerprint }
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
    let watermarks: Watermarks
}
