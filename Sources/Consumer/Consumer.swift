public import Daemon
import FoundationEssentials
import Kafka
public import Logging
import Systemd

/// `heartbeat consumer`: Kafka to PostgreSQL, every message exactly once.
public struct Consumer {
    private let settings: Settings
    private let schemaVersion: Int
    private let configuration: KafkaConfiguration
    private let logger = Logger(label: "consumer")

    /// A consumer with these settings; connects to nothing yet.
    ///
    /// - Parameter schemaVersion: the version of the database's schema that the program knows.
    /// - Throws: `SettingsError` when librdkafka refuses a property.
    public init(_ settings: Settings, schemaVersion: Int) throws(SettingsError) {
        self.settings = settings
        self.schemaVersion = schemaVersion
        configuration = try Self.kafkaConfiguration(settings)
    }

    /// Works until it is stopped, or with `drain` until everything that the log has at the start is in the database.
    ///
    /// - Parameter reload: changes the settings when somebody has asked for it, and returns whether it did.
    /// - Throws: `KafkaError` when librdkafka can not go on; `SystemError` when no thread can be started.
    public func run(
        drain: Bool, stop: StopSignal, reload: @escaping (inout Settings, Logger) -> Bool
    ) throws {
        guard try settings.ensureTopic(configuration, stop: stop, logger: logger) else { return }
        let exchange = BatchExchange(mostRows: settings[.batchRows])
        let thread = try startWriter(exchange)
        let consumer = try KafkaConsumer(configuration, events: .journal(logger))
        let logger = logger
        let report = ProgressReport {
            logger.notice("ready: Kafka and PostgreSQL have answered")
            _ = notify(.ready)
        }
        var intake = Intake(
            consumer, exchange, settings: settings, stop: stop, isDrain: drain, report: report, reload: reload)
        let end = try intake.run()
        _ = notify(.stopping)
        let isWritten = intake.finish(milliseconds: 3000)
        exchange.stop()
        // A writer that hangs in a call to a server that does not answer is left behind: its transaction is void.
        let hasEnded = thread.join(within: .seconds(1))
        switch (end, isWritten && hasEnded) {
        case (.drained, _): logger.notice("drained: everything that the log had at the start is stored")
        case (.stopped, true): logger.notice("stopped: everything that was read is stored")
        case (.stopped, false): logger.notice("stopped: what was in flight is not stored and will be read again")
        }
    }

    /// librdkafka's configuration of a consumer.
    static func kafkaConfiguration(_ settings: Settings) throws(SettingsError) -> KafkaConfiguration {
        try settings.kafkaConfiguration(
            defaults: [
                ("client.id", "heartbeat-consumer"),
                // A consumer that died is replaced after 10 s; 45 s is the default.
                ("session.timeout.ms", "10000"),
                // Bounds on what is fetched ahead: librdkafka needs three times as much for short messages. Its broker
                // thread looks up to a second later whether there is room again, so less than a second's worth starves
                // the writer: 4096 halved the speed, 16384 takes 10 MB more than the 64 MB that we allow ourselves.
                ("queued.max.messages.kbytes", "9216"), ("fetch.message.max.bytes", "262144"),
                ("fetch.max.bytes", "4194304"), ("fetch.error.backoff.ms", "100"),
            ],
            fixed: [
                ("group.id", settings[.kafkaGroupID]),
                // The offsets that count are in the database.
                ("enable.auto.commit", "false"), ("enable.auto.offset.store", "false"),
                ("auto.offset.reset", "earliest"),
                // One protocol for all members; the intake answers only whole assignments.
                ("partition.assignment.strategy", "range"),
            ])
    }

    private func startWriter(_ exchange: BatchExchange) throws -> WorkThread {
        let parameters = settings.postgresParameters
        let name = settings[.consumerName] ?? ProcessInfo.processInfo.hostName
        let version = schemaVersion
        return try WorkThread(name: "writer") {
            var writer = Writer(exchange, parameters: parameters, consumerName: name, schemaVersion: version)
            writer.run()
        }
    }
}
