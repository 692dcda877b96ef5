import Daemon
import HeartRate
import Kafka
import Logging

/// What the consumer tells of its progress: a line a minute, and its offsets to the group once a second.
struct ProgressReport {
    private let logger = Logger(label: "consumer")
    private let started: @Sendable () -> Void
    private var hasStarted = false
    private var lastLine = ContinuousClock.now
    private var lastCommit = ContinuousClock.now
    private var sent: [Int32: Int64] = [:]
    private var stored: Int64 = 0
    private var storedAtLastLine: Int64 = 0
    private var rejected: [String: Int] = [:]

    /// - Parameter started: called once, when Kafka and the database have both answered.
    init(started: @escaping @Sendable () -> Void) { self.started = started }

    mutating func started(_ positions: [Position]) {
        sent = [:]
        for position in positions { sent[position.partition] = position.offset }
        logger.info("reading \(positions.count) partitions")
        guard !hasStarted else { return }
        hasStarted = true
        started()
    }

    mutating func countRejected(_ code: RejectionReason.Code) { rejected[code.rawValue, default: 0] += 1 }

    mutating func update(_ committed: [Int32: Int64], _ consumer: KafkaConsumer, _ topic: String) {
        let now = ContinuousClock.now
        if now - lastCommit >= .seconds(1) {
            lastCommit = now
            commit(committed, to: consumer, topic)
        }
        guard now - lastLine >= .seconds(60) else { return }
        let seconds = (now - lastLine) / .seconds(1)
        lastLine = now
        writeLine(committed, consumer, topic, seconds)
    }

    /// Tells the group how far the database is. Only lag tools read it, so a failure changes nothing.
    mutating func commit(_ committed: [Int32: Int64], to consumer: KafkaConsumer, _ topic: String) {
        let moved = committed.filter { sent[$0.key] != $0.value }
        guard !moved.isEmpty else { return }
        for (partition, next) in moved {
            stored += next - (sent[partition] ?? next)
            sent[partition] = next
        }
        do throws(KafkaError) {
            try consumer.commitWithoutWaiting(
                moved.map { partition, next in
                    PartitionOffset(partition: TopicPartition(topic: topic, partition: partition), offset: next)
                })
        } catch {
            logger.debug("\(error)")
        }
    }

    private mutating func writeLine(
        _ committed: [Int32: Int64], _ consumer: KafkaConsumer, _ topic: String, _ seconds: Double
    ) {
        let lag = committed.reduce(Int64(0)) { sum, place in
            let partition = TopicPartition(topic: topic, partition: place.key)
            return sum + max(0, (consumer.cachedWatermarks(of: partition)?.high ?? place.value) - place.value)
        }
        let count = stored - storedAtLastLine
        storedAtLastLine = stored
        let reasons = rejected.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
        rejected = [:]
        logger.info(
            """
            \(count) messages in \(Int(seconds.rounded())) s, lag \(lag) messages\
            \(reasons.isEmpty ? "" : ", rejected: \(reasons)")
            """)
    }
}
