public import Daemon

extension SettingsSchema {
    /// The settings of the commands for the operator; Kafka is for "heartbeat rejected replay".
    public static let database = SettingsSchema(
        name: "database",
        sentence: "Settings of \"heartbeat database\", \"heartbeat verify\" and \"heartbeat rejected\".",
        settings: [
            Setting.postgresHost, Setting.postgresPort, Setting.postgresDB, Setting.postgresUser,
            Setting.postgresPassword, Setting.kafkaBootstrapServers, Setting.logLevel,
        ])
}
