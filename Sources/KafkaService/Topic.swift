public import Daemon
public import Kafka
internal import Logging
internal import SharedSettings

extension Settings {
    /// Finds the topic, or makes it when it is missing; waits for Kafka until the service is asked to stop.
    ///
    /// A topic that is there with other partitions or copies than configured is named in the journal, never changed.
    ///
    /// A wrong password or a right that is missing is waited for as well: somebody may change it at the broker.
    ///
    /// - Returns: false when it was asked to stop before that.
    /// - Throws: `SettingsError` or `KafkaError` when waiting cannot help.
    public func ensureTopic(_ configuration: KafkaConfiguration, _ service: Service) throws -> Bool {
        let logger = service.logger
        let loop = service.loop("topic")
        defer { service.end(loop) }
        let wanted = KafkaCluster.Topic(
            partitions: self[.kafkaPartitions], replicationFactor: self[.kafkaReplicationFactor])
        // A consumer's client: a producer's would have the broker create the topic with the broker's own defaults.
        // What the client says after an answer, or while it closes, is over: nobody is told.
        let lastCause = LastCause()
        let client = try Self.client(configuration, logger, noting: lastCause)
        var told: Set<KafkaError.Code> = []
        var backoff = Backoff(to: .seconds(5))
        while !service.stop.isRequested {
            loop.progressed()
            do throws(KafkaError) {
                if let found = try client.cluster.topic(self[.kafkaTopic], withinMilliseconds: 2000) {
                    service.answered(.kafka)
                    report(found, instead: wanted, to: logger)
                    return true
                }
                lastCause.clear()
                loop.progressed()
                try create(wanted, by: client, configuration: configuration, logger: logger)
            } catch {
                guard error.isRetriable || error.isRefusal else { throw error }
                // The client says only then what happened to its connections.
                client.handleEvents()
                let cause = lastCause.behind(error)
                service.waits(for: .kafka, "\(cause)")
                // The first is in the journal by that.
                if told.insert(cause.code).inserted, told.count > 1 {
                    logger.warning("still waiting for Kafka: \(cause)")
                }
                if service.stop.wait(for: backoff.next()) { return false }
            }
        }
        return false
    }

    /// A client that says what happens to its connections.
    private static func client(
        _ configuration: KafkaConfiguration, _ logger: Logger, noting lastCause: LastCause
    ) throws -> KafkaConsumer {
        var talkative = configuration
        // A server that closes every connection may be no Kafka, or expect another security protocol.
        try talkative.set("log.connection.close", "true")
        return try KafkaConsumer(
            talkative,
            events: KafkaEvents(
                log: { _, text in logger.debug("librdkafka: \(text)") },
                error: { error in
                    logger.debug("\(error)")
                    lastCause.note(error)
                }))
    }

    private func report(_ found: KafkaCluster.Topic, instead wanted: KafkaCluster.Topic, to logger: Logger) {
        guard found != wanted else { return }
        logger.notice(
            """
            topic "\(self[.kafkaTopic])" has \(found.partitions) partitions with \(found.replicationFactor) copies, \
            configured are \(wanted.partitions) with \(wanted.replicationFactor); it is left as it is
            """, metadata: ["KAFKA_TOPIC": "\(self[.kafkaTopic])"])
    }

    private func create(
        _ wanted: KafkaCluster.Topic, by client: KafkaConsumer, configuration: KafkaConfiguration, logger: Logger
    ) throws(KafkaError) {
        let name = self[.kafkaTopic]
        do throws(KafkaError) {
            try client.cluster.createTopic(name, as: wanted, withinMilliseconds: 5000)
            logger.notice(
                "created topic \"\(name)\" with \(wanted.partitions) partitions", metadata: ["KAFKA_TOPIC": "\(name)"])
        } catch {
            switch error.code {
            case .topicAlreadyExists: return  // somebody was faster
            case .timedOut, .unsupportedFeature:
                // No admin interface, as in the embedded broker: a producer's look-up lets the broker make it.
                let producer = try KafkaProducer(configuration, topic: name)
                _ = try producer.cluster.topic(name, withinMilliseconds: 5000)
                logger.notice(
                    "the broker has no admin interface: it creates topic \"\(name)\" with its own defaults",
                    metadata: ["KAFKA_TOPIC": "\(name)"])
            default: throw error
            }
        }
    }
}

extension KafkaCluster {
    /// Asks whether Kafka answers again, as long as the service waits for it. Call it about once a second.
    public func look(for topic: String, _ service: Service) {
        guard service.isWaiting(for: .kafka) else { return }
        if (try? self.topic(topic, withinMilliseconds: 200)) != nil { service.answered(.kafka) }
    }
}
