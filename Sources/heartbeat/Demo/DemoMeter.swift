import Daemon
import Database
import Kafka
import PostgreSQL
import Schema

/// Watches the pipeline from outside: what the database has, and how far that is behind Kafka's log.
final class DemoMeter: Sendable {
    /// What was found last.
    struct Figures: Sendable {
        /// Since the demo's start, all of them exact: they are counted in the transaction of each batch.
        var messages = 0
        var readings = 0
        var anomalies = 0
        var rejected = 0
        /// Messages that the log has and the database has not; nil while Kafka or PostgreSQL does not answer.
        var lag: Int?
        /// Messages a second, over the last ten seconds.
        var rate = 0.0
        /// When they were found.
        var time = ContinuousClock.now
        /// What the last verification said.
        var verified = "not yet"
    }

    private let parameters: [String: String]
    private let configuration: KafkaConfiguration
    private let topic: String
    private let found = Monitor(Figures())
    private let stop = StopSignal()

    /// Starts looking, on threads of its own, since libpq's and librdkafka's calls wait.
    init(_ parameters: [String: String], _ configuration: KafkaConfiguration, topic: String) throws {
        self.parameters = parameters
        self.configuration = configuration
        self.topic = topic
        _ = try WorkThread(name: "figures") { self.watchFigures() }
        _ = try WorkThread(name: "verification") { self.watchVerification() }
    }

    /// Ends the threads, soon.
    func end() { stop.request() }

    /// What was found last.
    var figures: Figures { found.withLock { $0 } }

    // MARK: - Figures

    private func watchFigures() {
        var rate = RateMeter()
        var before: Counts?
        while !stop.isRequested {
            do {
                let connection = try PostgreSQLConnection(parameters, .demo)
                let client = try KafkaConsumer(configuration)
                while !stop.wait(for: .milliseconds(500)) {
                    let counts = try Counts(connection)
                    let start = before ?? counts
                    before = start
                    let lag = try lag(connection, client.cluster)
                    update(counts, since: start, lag: lag, &rate)
                }
            } catch {
                // The processes' own lines say what is wrong.
                found.withLock { $0.lag = nil }
                _ = stop.wait(for: .milliseconds(500))
            }
        }
    }

    private func update(_ counts: Counts, since start: Counts, lag: Int?, _ rate: inout RateMeter) {
        found.withLock { figures in
            let messages = counts.messages - start.messages
            rate.add(messages - figures.messages)
            figures.messages = messages
            figures.readings = counts.readings - start.readings
            figures.anomalies = counts.anomalies - start.anomalies
            figures.rejected = counts.rejected - start.rejected
            figures.rate = rate.perSecond()
            figures.lag = lag
            figures.time = .now
        }
    }

    /// How many messages the log has beyond what is stored; nil when there is no topic yet.
    private func lag(_ connection: PostgreSQLConnection, _ cluster: KafkaCluster) throws -> Int? {
        guard let id = cluster.id(withinMilliseconds: 2000),
            let partitions = try cluster.topic(topic, withinMilliseconds: 2000)?.partitions
        else { return nil }
        let stored = try connection.storedOffsets(ofTopic: topic, inCluster: id)
        return try (0..<partitions).reduce(0) { sum, partition in
            let watermarks = try cluster.watermarks(
                of: TopicPartition(topic: topic, partition: Int32(partition)), withinMilliseconds: 2000)
            return sum + Int(max(0, watermarks.high - (stored[Int32(partition)] ?? watermarks.low)))
        }
    }

    // MARK: - Verification

    private func watchVerification() {
        var pause = Duration.seconds(5)
        while !stop.wait(for: pause) {
            let start = ContinuousClock.now
            let sentence = Self.sentence { try Verification(PostgreSQLConnection(parameters, .verify)) }
            found.withLock { $0.verified = sentence }
            // It reads all rows, so it gets a tenth of the time at most.
            pause = max(.seconds(10), (ContinuousClock.now - start) * 10)
        }
    }

    private static func sentence(_ verify: () throws -> Verification) -> String {
        do {
            let verification = try verify()
            return verification.isSound ? "\(verification.consumed) messages, sound" : "NOT SOUND"
        } catch {
            return "not possible now"
        }
    }
}

extension Verification {
    /// How many messages were read, from all partitions.
    var consumed: Int64 { sources.reduce(0) { $0 + $1.consumed } }
}

/// The sums of `pipeline_log`.
private struct Counts {
    let messages: Int
    let readings: Int
    let anomalies: Int
    let rejected: Int

    init(_ connection: PostgreSQLConnection) throws(PostgreSQLError) {
        let sums = try connection.query(
            """
            SELECT coalesce(sum(messages_read), 0) AS messages,
                   coalesce(sum(messages_valid + messages_anomaly), 0) AS readings,
                   coalesce(sum(messages_anomaly), 0) AS anomalies, coalesce(sum(messages_invalid), 0) AS rejected
              FROM pipeline_log
            """, unableTo: "read \"pipeline_log\"")
        let counts = try sums.map { row throws(PostgreSQLError) in
            (
                try row["messages"] as Int, try row["readings"] as Int, try row["anomalies"] as Int,
                try row["rejected"] as Int
            )
        }
        (messages, readings, anomalies, rejected) = counts[0]
    }
}
