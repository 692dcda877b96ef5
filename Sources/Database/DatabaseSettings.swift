public import Daemon
import SharedSettings

extension Setting where Value == Int {
    /// `REJECTED_RETENTION_DAYS`: for how long rejected messages are kept, 1 to 36500 days.
    public static var rejectedRetentionDays: Setting {
        Setting(
            "REJECTED_RETENTION_DAYS", .integer(in: 1...36_500, unit: "days"), default: 90,
            sentence: "How many days rejected messages are kept; \"heartbeat database maintain\" deletes older ones."
        )
    }

    /// `SEAL_AFTER_DAYS`: how old a day is when it is sealed, 1 to 36500 days; 0 for never.
    public static var sealAfterDays: Setting {
        Setting(
            "SEAL_AFTER_DAYS", .integer(in: 0...36_500, unit: "days"), default: 2,
            sentence: """
                After how many days "heartbeat database maintain" seals a day of readings: they take some 3 to 7 bytes each \
                then instead of some 200, and the view "readings" has them. 0 seals none.
                """)
    }

    /// `ROLLUP_RETENTION_DAYS`: for how long the roll-ups of sealed days are kept, 1 to 36500 days; 0 for all.
    public static var rollupRetentionDays: Setting {
        Setting(
            "ROLLUP_RETENTION_DAYS", .integer(in: 0...36_500, unit: "days"), default: 3650,
            sentence: """
                How many days the roll-ups of sealed days are kept: each customer's minutes and hours, from which a year is \
                drawn. They outlive the readings, and are never deleted before them. 0 keeps all.
                """)
    }

    /// `PARTITION_DAYS_AHEAD`: for how many days to come there is a partition, 1 to 31 days.
    public static var partitionDaysAhead: Setting {
        Setting(
            "PARTITION_DAYS_AHEAD", .integer(in: 1...31, unit: "days"), default: 7,
            sentence: "For how many days after today \"heartbeat database maintain\" makes partitions.")
    }
}

extension SettingsSchema {
    /// The settings of the commands for the operator; Kafka is for "heartbeat rejected replay".
    public static let database: SettingsSchema = {
        var schema = SettingsSchema(
            name: "database",
            sentence: "Settings of \"heartbeat database\", \"heartbeat verify\" and \"heartbeat rejected\".",
            settings: [
                Setting.postgresHost, Setting.postgresPort, Setting.postgresDB, Setting.postgresUser,
                Setting.postgresPassword, Setting.kafkaBootstrapServers, Setting.retentionDays,
                Setting.rejectedRetentionDays, Setting.sealAfterDays, Setting.rollupRetentionDays,
                Setting.partitionDaysAhead, Setting.logLevel,
            ],
            takesKafkaProperties: true)
        schema.whenTaken = """
            A change takes effect at the next start of heartbeat-database.service and of heartbeat-maintenance.service, and \
            in the next command.
            """
        return schema
    }()
}
