public import Daemon
public import Kafka
import Logging
import KafkaService
import SharedSettings

/// `heartbeat producer`: simulated customers, or recorded readings, into Kafka.
public struct Producer {
    /// What to publish.
    public enum Source: Sendable {
        /// Simulated customers.
        case simulation(SimulationPlan)
        /// The rows of a file.
        case replay(ReplayPlan)
    }

    private let settings: Settings
    private let configuration: KafkaConfiguration

    /// A producer with these settings; connects to nothing yet.
    ///
    /// - Throws: `SettingsError` when librdkafka refuses a property.
    public init(_ settings: Settings) throws(SettingsError) {
        self.settings = settings
        configuration = try Self.kafkaConfiguration(settings)
    }

    /// librdkafka's configuration of a producer.
    ///
    /// - Throws: `SettingsError` when librdkafka refuses a property.
    public static func kafkaConfiguration(_ settings: Settings) throws(SettingsError) -> KafkaConfiguration {
        try settings.kafkaConfiguration(
            for: .producer,
            defaults: [
                ("client.id", "heartbeat-producer"),
                // As Java's clients do it, so that a customer's messages meet in one partition whoever sends them.
                ("partitioner", "murmur2_random"), ("compression.codec", "lz4"),
                // A message is never given up, however long Kafka is unreachable.
                ("message.timeout.ms", "0"),
                // So long a deleted topic may be one that is not known everywhere yet; 30 s is the default.
                ("topic.metadata.propagation.max.ms", "10000"),
                // Bounds on what waits for Kafka, whichever is reached first: a full queue takes 45 MB.
                ("queue.buffering.max.messages", "100000"), ("queue.buffering.max.kbytes", "32768"),
            ],
            fixed: [
                ("enable.idempotence", "true"), ("acks", "all"),
                // Nothing is sent after a batch that was refused, until that one has been sent again.
                ("enable.gapless.guarantee", "true"),
                // Which broker holds messages up.
                ("statistics.interval.ms", "1000"),
            ])
    }

    /// Works until there is nothing left to publish or until it is stopped.
    ///
    /// - Parameter isPaced: whether simulated readings are published when they are due, or as fast as Kafka takes them.
    /// - Returns: `ok` when everything was delivered, else `unavailable`.
    /// - Throws: `CommandFailure` when the file cannot be used; `KafkaError` when librdkafka cannot go on.
    public func run(_ source: Source, isPaced: Bool, _ service: Service) throws -> Exit {
        service.started()
        switch source {
        case .simulation(let plan):
            var simulation = try SimulatedCustomers(settings, plan)
            return try publish(service) { publisher throws in
                try simulation.run(&publisher, isPaced: isPaced)
            }
        case .replay(let plan):
            // Before Kafka is asked for anything: a file that cannot be used needs no broker to be refused.
            let read = try TerminalProgress.during("reading \(plan.path)") { _ in try Replay(plan, service) }
            guard var replay = read else { return finish("stopped", counts: ProgressReport.Counts(), service) }
            return try TerminalProgress.during("sending \(plan.path)") { progress in
                try publish(service) { publisher throws in
                    try replay.run(&publisher, telling: progress)
                }
            }
        }
    }

    private func publish(
        _ service: Service, _ work: (inout Publisher) throws -> Publisher.End
    ) throws -> Exit {
        guard try settings.ensureTopic(configuration, service) else {
            return finish("stopped", counts: ProgressReport.Counts(), service)
        }
        let delivery = try Delivery(configuration, settings, service: service)
        service.ready()
        var publisher = Publisher(delivery, settings: settings, service)
        do {
            if try work(&publisher) == .finished { try publisher.drain() }
        } catch {
            // What came before the error is delivered; after a fatal error of librdkafka this ends at once.
            try? publisher.drain()
            _ = finish("stopped by an error", counts: publisher.counts, service)
            throw error
        }
        service.stopping()
        // systemd's own patience is longer, but an operator's is not.
        publisher.flush(milliseconds: 4500)
        return finish(service.stop.isRequested ? "stopped" : "finished", counts: publisher.counts, service)
    }

    private func finish(_ end: String, counts: ProgressReport.Counts, _ service: Service) -> Exit {
        service.logger.report(
            .stopped, "\(end): \(counts.delivered) delivered, \(counts.undelivered) not delivered",
            fields: ["HEARTBEAT_DELIVERED": "\(counts.delivered)", "HEARTBEAT_UNDELIVERED": "\(counts.undelivered)"])
        return counts.undelivered == 0 ? .ok : .unavailable
    }
}
