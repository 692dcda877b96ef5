public import Kafka
internal import Logging
internal import Synchronization

extension Settings {
    /// librdkafka's configuration: heartbeat's own values, and whatever `RDKAFKA_...` passes through.
    ///
    /// - Parameters:
    ///   - defaults: properties that the settings may change.
    ///   - fixed: properties that a promise rests on; the settings can not change them.
    /// - Throws: `SettingsError` when librdkafka refuses a property, or when it is a fixed one.
    public func kafkaConfiguration(
        defaults: [(name: String, value: String)], fixed: [(name: String, value: String)]
    ) throws(SettingsError) -> KafkaConfiguration {
        var configuration = KafkaConfiguration()
        var problems: [String] = []
        func set(_ name: String, _ value: String, _ refusal: (String) -> String) {
            do throws(KafkaError) {
                try configuration.set(name, value)
            } catch {
                problems.append(refusal(error.description))
            }
        }
        // A broker that was down for a moment is used again within a second instead of ten (the default).
        let shared = [
            (name: "reconnect.backoff.max.ms", value: "1000"), (name: "log.connection.close", value: "false"),
        ]
        for (name, value) in shared + defaults { set(name, value) { "\(name): \($0)" } }
        let kept = fixed + [(name: "bootstrap.servers", value: self[.kafkaBootstrapServers])]
        for property in kafkaProperties {
            guard !kept.contains(where: { $0.name == property.name }) else {
                problems.append(property.refusal("heartbeat sets \(property.name) itself"))
                continue
            }
            set(property.name, property.value, property.refusal)
        }
        for (name, value) in kept { set(name, value) { "\(name): \($0)" } }
        guard problems.isEmpty else { throw SettingsError(problems) }
        return configuration
    }

    /// Finds the topic, or makes it when it is missing; waits for Kafka until the service is asked to stop.
    ///
    /// A topic that is there with other partitions or copies than configured is named in the journal, never changed.
    ///
    /// - Returns: false when it was asked to stop before that.
    /// - Throws: `SettingsError` or `KafkaError` when waiting can not help.
    public func ensureTopic(_ configuration: KafkaConfiguration, _ service: Service) throws -> Bool {
        let logger = service.logger
        let wanted = KafkaCluster.Topic(
            partitions: self[.kafkaPartitions], replicationFactor: self[.kafkaReplicationFactor])
        // A consumer's client: a producer's would have the broker create the topic with the broker's own defaults.
        let client = try KafkaConsumer(configuration, events: .journal(service))
        var backoff = Backoff(to: .seconds(5))
        while !service.stop.isRequested {
            do throws(KafkaError) {
                if let found = try client.cluster.topic(self[.kafkaTopic], withinMilliseconds: 2000) {
                    service.answered(.kafka)
                    report(found, wanted, logger)
                    return true
                }
                try create(wanted, client, configuration, logger)
            } catch {
                guard error.isRetriable else { throw error }
                service.waits(for: .kafka, "\(error)")
                if service.stop.wait(for: backoff.next()) { return false }
            }
        }
        return false
    }

    private func report(_ found: KafkaCluster.Topic, _ wanted: KafkaCluster.Topic, _ logger: Logger) {
        guard found != wanted else { return }
        logger.notice(
            """
            topic "\(self[.kafkaTopic])" has \(found.partitions) partitions with \(found.replicationFactor) copies, \
            configured are \(wanted.partitions) with \(wanted.replicationFactor); it is left as it is
            """, metadata: ["KAFKA_TOPIC": "\(self[.kafkaTopic])"])
    }

    private func create(
        _ wanted: KafkaCluster.Topic, _ client: KafkaConsumer, _ configuration: KafkaConfiguration, _ logger: Logger
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

extension KafkaEvents {
    /// Into the journal: that no broker answers as the service's waiting, another error once a minute, librdkafka's own
    /// lines for debugging.
    public static func journal(_ service: Service) -> KafkaEvents {
        let lastLogged = LastLogged()
        let logger = service.logger
        return KafkaEvents(
            log: { _, text in logger.debug("librdkafka: \(text)") },
            error: { error in
                if error.code == .allBrokersDown { return service.waits(for: .kafka, "\(error)") }
                guard lastLogged.isDue(error.code) else { return logger.debug("\(error)") }
                logger.warning("\(error)")
            })
    }
}

extension KafkaCluster {
    /// Asks whether Kafka answers again, as long as the service waits for it. Call it about once a second.
    public func look(for topic: String, _ service: Service) {
        guard service.isWaiting(for: .kafka) else { return }
        if (try? self.topic(topic, withinMilliseconds: 200)) != nil { service.answered(.kafka) }
    }
}

/// When each kind of error was logged last.
private final class LastLogged: Sendable {
    private let times = Mutex<[KafkaError.Code: ContinuousClock.Instant]>([:])

    func isDue(_ code: KafkaError.Code) -> Bool {
        times.withLock { times in
            if let last = times[code], last.duration(to: .now) < .seconds(60) { return false }
            times[code] = .now
            return true
        }
    }
}
