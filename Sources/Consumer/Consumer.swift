public import Daemon
import FoundationEssentials
import HeartRate
import Kafka
import Logging
import KafkaService
import SharedSettings

/// `heartbeat consumer`: Kafka to PostgreSQL, every message exactly once.
public struct Consumer {
    private let settings: Settings
    private let name: String
    private let configuration: KafkaConfiguration

    /// A consumer with these settings; connects to nothing yet.
    ///
    /// - Parameter instance: tells apart several consumers on one machine.
    /// - Throws: `SettingsError` when librdkafka refuses a property.
    public init(_ settings: Settings, instance: String? = nil) throws(SettingsError) {
        self.settings = settings
        let host = ProcessInfo.processInfo.hostName
        name = settings[.consumerName] ?? instance.map { "\(host)-\($0)" } ?? host
        configuration = try Self.kafkaConfiguration(settings)
    }

    /// Works until it is stopped, or with `drain` until everything that the log has at the start is in the database.
    ///
    /// - Throws: `KafkaError` when librdkafka cannot go on; `SystemError` when no thread can be started.
    public func run(drain: Bool, _ service: Service) throws {
        service.started()
        guard try settings.ensureTopic(configuration, service) else { return }
        let exchange = BatchExchange(mostRows: settings[.batchRows])
        let context = ConsumerContext(
            settings: settings, name: name, service: service,
            metrics: ConsumerMetrics(service.metrics))
        let episodeMetrics = EpisodeMetrics(service.metrics)
        let command = CommandHook(settings[.episodeCommand], service.logger) { episodeMetrics.count($0) }
        let episodes = EpisodeReport(service, metrics: episodeMetrics, command: command)
        let loop = service.loop("writer")
        let thread = try WorkThread(name: "writer") {
            var writer = Writer(exchange, context: context, episodes: episodes, loop: loop)
            writer.run()
        }
        let configuration = configuration
        _ = try WorkThread(name: "examiner") {
            var examiner = Examiner(configuration, context: context)
            examiner.run()
        }
        let consumer = try KafkaConsumer(configuration, events: .journal(service))
        var intake = Intake(consumer, exchange, context: context, command: command, isDrain: drain)
        let end = try intake.run()
        service.stopping()
        let isWritten = intake.finish(milliseconds: 3000)
        exchange.stop()
        context.examinations.stop()
        // A writer that hangs in a call to a server that does not answer is left behind: its transaction is void.
        let hasEnded = thread.join(within: .seconds(1))
        // What was told last still goes out, as far as that is a matter of a moment.
        command.close(within: .seconds(1))
        let sentence =
            switch (end, isWritten && hasEnded) {
            case (.drained, _): "drained: everything that the log had at the start is stored"
            case (.stopped, true): "stopped: everything that was read is stored"
            case (.stopped, false): "stopped: what was in flight is not stored and will be read again"
            }
        service.logger.report(.stopped, "\(sentence)")
    }

    /// librdkafka's configuration of a consumer.
    static func kafkaConfiguration(_ settings: Settings) throws(SettingsError) -> KafkaConfiguration {
        // What the consumer does itself for an older librdkafka: without it a full queue is looked at again after 1 s.
        let backoff = "fetch.queue.backoff.ms"
        return try settings.kafkaConfiguration(
            for: .consumer,
            defaults: (KafkaConfiguration.knows(backoff) ? [(backoff, "10")] : []) + [
                ("client.id", "heartbeat-consumer"),
                // A consumer that died is replaced after 15 s; 45 s is the default. A cluster takes up to 9 s to replace the
                // group's coordinator: a session that ends meanwhile has the whole group start over.
                ("session.timeout.ms", "15000"),
                // Bounds on what is fetched ahead: librdkafka needs three times as much for short messages. A longer queue
                // is not faster, since the consumer has it filled again in time.
                ("queued.max.messages.kbytes", "7680"), ("fetch.message.max.bytes", "262144"),
                ("fetch.max.bytes", "4194304"),
            ],
            fixed: [
                // After an error the topic is looked up before it is fetched again: a new topic may have taken its place,
                // and the look-up is what says so (`Connections`).
                ("topic.metadata.refresh.fast.interval.ms", "50"), ("fetch.error.backoff.ms", "500"),
                // The first request of each connection; they are counted by it.
                ("api.version.request", "true"),
                ("group.id", settings[.kafkaGroupID]),
                // The offsets that count are in the database.
                ("enable.auto.commit", "false"), ("enable.auto.offset.store", "false"),
                // Where to go on is never librdkafka's to say: an offset that the log does not have is an error.
                ("auto.offset.reset", "error"),
                // What is known of Kafka comes with what is fetched: nobody asks.
                ("enable.partition.eof", "true"), ("statistics.interval.ms", "1000"),
                // One protocol for all members; the intake answers only whole assignments.
                ("partition.assignment.strategy", "range"),
            ])
    }
}
