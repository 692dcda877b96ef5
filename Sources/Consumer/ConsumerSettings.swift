public import Daemon
import HeartRate
import KafkaService
import SharedSettings

extension Setting where Value == Int {
    /// `BATCH_ROWS`: the most messages that one transaction writes, 1 to 100000.
    public static var batchRows: Setting {
        Setting(
            "BATCH_ROWS", .integer(in: 1...100_000, unit: "rows"), default: 20_000,
            sentence: """
                The most messages of one batch, which is one transaction unless it has a reading or two of each of \
                very many customers: then up to 5 s of batches share one, or 30 s behind an outage. Small amounts are \
                written at once; larger batches are faster and take more memory.
                """, isReloadable: true)
    }
}

extension Setting where Value == String? {
    /// `CONSUMER_NAME`: how this consumer is called in `pipeline_log`; nil is the machine's name and the instance.
    public static var consumerName: Setting {
        Setting(
            "CONSUMER_NAME", .optional(.text("a name") { _ in true }), default: nil,
            sentence:
                "The name of this consumer in pipeline_log. Without it, the machine's name and the instance.")
    }
}

extension Setting where Value == [String] {
    /// `EPISODE_COMMAND`: is run for each episode of high severity that opens, escalates or closes.
    public static var episodeCommand: Setting {
        Setting(
            "EPISODE_COMMAND", .command, default: [],
            sentence: """
                A program that sends alerts. It is run without a shell whenever an episode of high severity opens, escalates \
                or closes, one of medium severity has lasted for ten minutes at rest or is a trend, or nobody has acknowledged \
                one in time (EPISODE_REMINDER_MINUTES), with HEARTBEAT_EVENT, HEARTBEAT_CUSTOMER, HEARTBEAT_KIND, HEARTBEAT_SEVERITY, \
                HEARTBEAT_WORST_SEVERITY, HEARTBEAT_OPENED_AT, HEARTBEAT_RAISED_AT, HEARTBEAT_CLOSED_AT, HEARTBEAT_HEART_RATE \
                and HEARTBEAT_REASON in its environment; it has 30 s. It may do what the consumer's unit may, so to reach \
                another machine it needs IPAddressAllow= ("systemctl edit heartbeat-consumer").
                """, isReloadable: true)
    }
}

extension SettingsSchema {
    /// The settings of `heartbeat consumer`.
    public static let consumer = SettingsSchema(
        name: "consumer", sentence: "Settings of the consumer, which stores Kafka's messages in PostgreSQL.",
        settings: [
            Setting.kafkaBootstrapServers, Setting.kafkaTopic, Setting.kafkaGroupID, Setting.kafkaPartitions,
            Setting.kafkaReplicationFactor, Setting.postgresHost, Setting.postgresPort, Setting.postgresDB,
            Setting.postgresUser, Setting.postgresPassword, Setting.heartRateMin, Setting.heartRateMax,
            Setting.episodes, Setting.episodeDelay, Setting.episodeScore, Setting.episodeScoreDelay,
            Setting.episodeWindow, Setting.episodeMargin, Setting.episodeClosing, Setting.episodeEasing,
            Setting.episodeReminder,
            Setting.signalLossSeconds, Setting.signalLossPeriods, Setting.baselineHours, Setting.deviationMinutes,
            Setting.lateness, Setting.customersInMemory, Setting.episodeCommand, Setting.batchRows,
            Setting.maxMessageBytes, Setting.maxClockSkewSeconds, Setting.retentionDays, Setting.consumerName,
            Setting.startTimeoutSeconds, Setting.metricsDirectory, Setting.logLevel,
        ],
        takesKafkaProperties: true,
        checks: [
            heartRateLimits,
            { settings in
                guard let program = settings[.episodeCommand].first else { return nil }
                do throws(SystemError) {
                    try checkProgram(program)
                    return nil
                } catch {
                    return "\(settings.describe(.episodeCommand)): unable to run \"\(program)\": \(error)"
                }
            },
            { settings in
                do throws(SettingsError) {
                    _ = try Consumer.kafkaConfiguration(settings)
                    return nil
                } catch {
                    return error.description
                }
            },
        ])
}

extension AnomalyRule {
    /// The thresholds of the settings.
    init(_ settings: Settings) {
        self.init(minimum: Int16(settings[.heartRateMin]), maximum: Int16(settings[.heartRateMax]))
    }
}
