import Daemon
import Logging
import SharedSettings

extension Setting where Value == Int {
    static var batchRows: Setting {
        Setting(
            "BATCH_ROWS", .integer(in: 1...100_000, unit: "rows"), default: 10_000,
            sentence: "Most readings in one transaction.",
            isReloadable: true)
    }
}

extension Setting where Value == Double {
    static var interval: Setting {
        Setting(
            "INTERVAL_SECONDS", .decimal(in: 0.001...3600, unit: "seconds"), default: 1,
            sentence: "Time between readings.")
    }
}

extension Setting where Value == Duration {
    static var patience: Setting {
        Setting("PATIENCE_SECONDS", .seconds(in: 0...60), default: .milliseconds(2500), sentence: "How long to wait.")
    }
}

extension Setting where Value == Bool {
    static var check: Setting { Setting("CHECK", .flag, default: false, sentence: "Whether to check.") }
}

extension Setting where Value == String {
    static var folder: Setting {
        Setting("FOLDER", .path, default: "/run/heartbeat", sentence: "Where the metrics go.")
    }
}

let schema = SettingsSchema(
    name: "example", sentence: "Settings of an example.",
    settings: [
        Setting.kafkaBootstrapServers, Setting.kafkaTopic, Setting.kafkaGroupID, Setting.kafkaPartitions,
        Setting.kafkaReplicationFactor, Setting.batchRows, Setting.interval, Setting.patience, Setting.check,
        Setting.folder, Setting.heartRateMin, Setting.heartRateMax, Setting.retentionDays, Setting.postgresHost,
        Setting.postgresPort, Setting.postgresDB, Setting.postgresUser, Setting.postgresPassword, Setting.logLevel,
    ],
    takesKafkaProperties: true, checks: [SettingsSchema.heartRateLimits])

/// The problems that settings are refused with; empty when they are taken.
func problems(in file: String = "", environment: [String: String] = [:]) -> [String] {
    do throws(SettingsError) {
        _ = try TemporaryFile(file).settings(environment: environment)
        return []
    } catch {
        return error.problems
    }
}
