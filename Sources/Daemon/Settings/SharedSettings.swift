public import Logging

// The settings that more than one daemon has. Names and defaults are the contract's.

extension Setting where Value == String {
    /// `KAFKA_BOOTSTRAP_SERVERS`: the brokers to ask first.
    public static var kafkaBootstrapServers: Setting {
        Setting(
            "KAFKA_BOOTSTRAP_SERVERS",
            .text("host:port, or several of them separated by commas", where: areBrokers),
            default: "localhost:9092", "The Kafka brokers to ask first; they name the others.")
    }

    /// `KAFKA_TOPIC`: the topic of the readings.
    public static var kafkaTopic: Setting {
        Setting(
            "KAFKA_TOPIC", .text("1 to 249 letters, digits, dots, underscores and hyphens", where: isTopic),
            default: "heartbeat", "The topic of the readings; it is created when it is missing.")
    }

    /// `KAFKA_GROUP_ID`: the consumer group.
    public static var kafkaGroupID: Setting {
        Setting(
            "KAFKA_GROUP_ID", .text, default: "heartbeat_consumer_group",
            "The consumer group; consumers with the same one share the partitions.")
    }

    /// `POSTGRES_DB`: the database.
    public static var postgresDB: Setting {
        Setting("POSTGRES_DB", .text, default: "heartbeat_db", "The PostgreSQL database.")
    }

    /// `METRICS_DIRECTORY`: where a daemon writes its metrics as `NAME.prom`.
    public static var metricsDirectory: Setting {
        Setting(
            "METRICS_DIRECTORY", .path, default: "/run/heartbeat",
            "Where a daemon writes its metrics, for the dashboard; nothing is written where there is no such folder.")
    }
}

extension Setting where Value == Duration {
    /// `START_TIMEOUT_SECONDS`: how long a start may wait for a server, 0 to 86400 s.
    ///
    /// The default, 5 minutes, is longer than PostgreSQL's recovery after a crash or a broker's start usually last. After it
    /// the unit is started again, so nothing is given up; but the failure is there to be seen.
    public static var startTimeoutSeconds: Setting {
        Setting(
            "START_TIMEOUT_SECONDS", .seconds(in: 0...86_400), default: .seconds(300),
            """
            How long a start waits for Kafka or PostgreSQL before it ends with status 69; 0 is for ever. Once started, \
            a daemon always waits for ever.
            """)
    }
}

extension Setting where Value == Int {
    /// `KAFKA_PARTITIONS`: how many partitions the topic gets when it is created, 1 to 10000.
    public static var kafkaPartitions: Setting {
        Setting(
            "KAFKA_PARTITIONS", .integer(in: 1...10_000, unit: "partitions"), default: 4,
            "How many partitions the topic gets when it is created; as many consumers can share the work.")
    }

    /// `KAFKA_REPLICATION_FACTOR`: on how many brokers a created topic is kept, 1 to 32.
    public static var kafkaReplicationFactor: Setting {
        Setting(
            "KAFKA_REPLICATION_FACTOR", .integer(in: 1...32, unit: "brokers"), default: 1,
            "On how many brokers each partition is kept when the topic is created.")
    }

    /// `RETENTION_DAYS`: for how long readings are kept, and so up to which age a day has a partition, 1 to 36500 days.
    public static var retentionDays: Setting {
        Setting(
            "RETENTION_DAYS", .integer(in: 1...36_500, unit: "days"), default: 90,
            """
            Readings are kept for so many days, each in the partition of its day; "heartbeat database maintain" drops older \
            days. A reading that is older when it comes goes to the default partition and is kept as long from then on.
            """)
    }

    /// `HEART_RATE_MIN`: the lowest heart rate that is not an anomaly, 1 to 299 bpm.
    public static var heartRateMin: Setting {
        Setting(
            "HEART_RATE_MIN", .integer(in: 1...299, unit: "bpm"), default: 40,
            "A heart rate below this is an anomaly (bradycardia).", isReloadable: true)
    }

    /// `HEART_RATE_MAX`: the highest heart rate that is not an anomaly, 1 to 299 bpm.
    public static var heartRateMax: Setting {
        Setting(
            "HEART_RATE_MAX", .integer(in: 1...299, unit: "bpm"), default: 180,
            "A heart rate above this is an anomaly (tachycardia).", isReloadable: true)
    }
}

extension Setting where Value == String? {
    /// `POSTGRES_HOST`: the server; nil leaves it to libpq (`PGHOST`, a service file, the local socket).
    public static var postgresHost: Setting {
        Setting(
            "POSTGRES_HOST", .optional(.text("a host name, an address or the directory of a socket") { _ in true }),
            default: nil,
            "The PostgreSQL server. Without it libpq decides: PGHOST, a service file or the local socket.")
    }

    /// `POSTGRES_USER`: the role; nil leaves it to libpq (`PGUSER`, a service file, the system user's name).
    public static var postgresUser: Setting {
        Setting(
            "POSTGRES_USER", .optional(.text("the name of a role") { _ in true }), default: nil,
            "The PostgreSQL role. Without it libpq decides: PGUSER, a service file or the system user's name.")
    }

    /// `POSTGRES_PASSWORD`: the role's password; nil leaves it to libpq (`PGPASSWORD`, a password file) or needs none.
    public static var postgresPassword: Setting {
        Setting(
            "POSTGRES_PASSWORD", .optional(.text("a password") { _ in true }), default: nil,
            "The role's password. The local socket with peer authentication needs none.", isSecret: true)
    }
}

extension Setting where Value == Int? {
    /// `POSTGRES_PORT`: the server's port; nil leaves it to libpq (`PGPORT`, a service file, 5432).
    public static var postgresPort: Setting {
        Setting(
            "POSTGRES_PORT", .optional(.integer(in: 1...65_535)), default: nil,
            "The PostgreSQL server's port. Without it libpq decides: PGPORT, a service file or 5432.")
    }
}

extension Setting where Value == Logger.Level {
    /// `LOG_LEVEL`: what is not at least this important is not logged.
    public static var logLevel: Setting {
        Setting(
            "LOG_LEVEL", .choice([.debug, .info, .notice, .warning, .error]), default: .info,
            "The least important messages that are logged.", isReloadable: true)
    }
}

extension SettingsSchema {
    /// The check that `HEART_RATE_MIN` is below `HEART_RATE_MAX`, for a schema that has both.
    public static let heartRateLimits: Check = { settings in
        guard settings[.heartRateMin] >= settings[.heartRateMax] else { return nil }
        return "\(settings.describe(.heartRateMin)) must be below \(settings.describe(.heartRateMax))"
    }
}

private func areBrokers(_ text: String) -> Bool {
    text.split(separator: ",", omittingEmptySubsequences: false).allSatisfy { broker in
        guard !broker.isEmpty, broker.utf8.allSatisfy({ $0 > 32 && $0 != 127 }) else { return false }
        // Without a port librdkafka takes 9092. An address of version 6 has colons of its own, in brackets.
        guard let colon = broker.lastIndex(of: ":"), !broker.hasSuffix("]") else { return true }
        return UInt16(broker[broker.index(after: colon)...]).map { $0 > 0 } ?? false
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
