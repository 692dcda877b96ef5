public import Daemon

extension SettingsSchema {
    /// The settings of the commands that only need the database.
    public static let database = SettingsSchema(
        name: "database",
        sentence: "Settings of \"heartbeat database\", \"heartbeat verify\" and \"heartbeat rejected\".",
        settings: [
            Setting.postgresHost, Setting.postgresPort, Setting.postgresDB, Setting.postgresUser,
            Setting.postgresPassword, Setting.logLevel,
        ])
}
