public import Daemon

// Where Kafka is and what is ours there. Names and defaults are the contract's.

extension Setting where Value == String {
    /// `KAFKA_BOOTSTRAP_SERVERS`: the brokers to ask first.
    public static var kafkaBootstrapServers: Setting {
        Setting(
            "KAFKA_BOOTSTRAP_SERVERS",
            .text(
                "host:port, or several of them separated by commas, such as kafka1:9092,kafka2:9092", where: areBrokers),
            default: "localhost:9092", sentence: "The Kafka brokers to ask first; they name the others.")
    }

    /// `KAFKA_TOPIC`: the topic of the readings.
    public static var kafkaTopic: Setting {
        Setting(
            "KAFKA_TOPIC", .text("1 to 249 letters, digits, dots, underscores and hyphens", where: isTopic),
            default: "heartbeat", sentence: "The topic of the readings; it is created when it is missing.")
    }

    /// `KAFKA_GROUP_ID`: the consumer group.
    public static var kafkaGroupID: Setting {
        Setting(
            "KAFKA_GROUP_ID", .text, default: "heartbeat_consumer_group",
            sentence: "The consumer group; consumers with the same one share the partitions.")
    }
}

extension Setting where Value == Int {
    /// `KAFKA_PARTITIONS`: how many partitions the topic gets when it is created, 1 to 10000.
    public static var kafkaPartitions: Setting {
        Setting(
            "KAFKA_PARTITIONS", .integer(in: 1...10_000, unit: "partitions"), default: 4,
            sentence: "How many partitions the topic gets when it is created; as many consumers can share the work.")
    }

    /// `KAFKA_REPLICATION_FACTOR`: on how many brokers a created topic is kept, 1 to 32.
    public static var kafkaReplicationFactor: Setting {
        Setting(
            "KAFKA_REPLICATION_FACTOR", .integer(in: 1...32, unit: "brokers"), default: 1,
            sentence: "On how many brokers each partition is kept when the topic is created.")
    }
}

extension Settings {
    /// How the journal calls the brokers: `Kafka at localhost:9092`.
    public var kafkaPlace: String { "Kafka at \(self[.kafkaBootstrapServers])" }
}

private func areBrokers(_ text: String) -> Bool {
    text.split(separator: ",", omittingEmptySubsequences: false).allSatisfy { broker in
        // Without a port librdkafka takes 9092. It also takes its own names of protocols before a host, and no others.
        let scheme = ["plaintext://", "ssl://", "sasl_plaintext://", "sasl_ssl://"].first {
            broker.lowercased().hasPrefix($0)
        }
        return isHostWithPort(broker.dropFirst(scheme?.count ?? 0))
    }
}

/// Kafka's own rule for names of topics.
private func isTopic(_ text: String) -> Bool {
    text.utf8.count <= 249 && text != "." && text != ".."
        && text.utf8.allSatisfy { byte in
            (97...122).contains(byte) || (65...90).contains(byte) || (48...57).contains(byte)
                || "._-".utf8.contains(byte)
        }
}
