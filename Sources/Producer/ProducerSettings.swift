public import Daemon
import KafkaService
import SharedSettings

extension Setting where Value == Int {
    /// `NUM_CUSTOMERS`: how many customers are simulated, 1 to 1000000.
    public static var numCustomers: Setting {
        Setting(
            "NUM_CUSTOMERS", .integer(in: 1...1_000_000, unit: "customers"), default: 20,
            sentence: "How many customers are simulated.")
    }
}

extension Setting where Value == Int? {
    /// `SEED`: the same seed gives the same hearts and faults; nil is another one each time.
    public static var seed: Setting {
        Setting(
            "SEED", .optional(.integer(in: 0...Int.max)), default: nil,
            sentence: "The same seed simulates the same hearts and faults. Without it they are different each time.")
    }
}

extension Setting where Value == Duration {
    /// `INTERVAL_SECONDS`: the time between one customer's readings, 0.001 to 3600 s.
    public static var intervalSeconds: Setting {
        Setting(
            "INTERVAL_SECONDS", .seconds(in: 0.001...3600), default: .seconds(1),
            sentence: "The time between one customer's readings. The customers are spread evenly over it.")
    }

    /// `LATE_SECONDS`: how late a late reading is at most, 1 to 86400 s.
    public static var lateSeconds: Setting {
        Setting(
            "LATE_SECONDS", .seconds(in: 1...86_400), default: .seconds(120),
            sentence: "How late a late reading is at most.")
    }
}

extension Setting where Value == Double {
    /// `BRADYCARDIA_SPELLS_PER_HOUR`: spells below 40 bpm in an hour of each customer, 0 to 60.
    public static var bradycardiaSpellsPerHour: Setting {
        Setting(
            "BRADYCARDIA_SPELLS_PER_HOUR", .decimal(in: 0...60, unit: "spells"), default: 0.5,
            sentence: "How often a customer's heart beats too slowly for a while, in an hour.")
    }

    /// `TACHYCARDIA_SPELLS_PER_HOUR`: spells above 180 bpm in an hour of each customer, 0 to 60.
    public static var tachycardiaSpellsPerHour: Setting {
        Setting(
            "TACHYCARDIA_SPELLS_PER_HOUR", .decimal(in: 0...60, unit: "spells"), default: 0.5,
            sentence: "How often a customer's heart beats too fast for a while, in an hour.")
    }

    /// `MALFORMED_RATE`: the share of messages that are malformed, 0 to 1.
    public static var malformedRate: Setting {
        Setting(
            "MALFORMED_RATE", .decimal(in: 0...1), default: 0.0005,
            sentence: "The share of messages that are malformed, for the consumer to reject.")
    }

    /// `DROPOUT_RATE`: the share of messages before which the sensor falls silent, 0 to 1.
    public static var dropoutRate: Setting {
        Setting(
            "DROPOUT_RATE", .decimal(in: 0...1), default: 0.0002,
            sentence: "The share of messages before which a sensor falls silent for 10 to 60 seconds.")
    }

    /// `LATE_RATE`: the share of messages that are sent late, 0 to 1.
    public static var lateRate: Setting {
        Setting(
            "LATE_RATE", .decimal(in: 0...1), default: 0.0005,
            sentence: "The share of messages that are sent some time after their timestamp.")
    }
}

extension Setting where Value == Bool {
    /// `SEND_ACTIVITY`: whether a simulated sensor tells what the customer is doing.
    public static var sendActivity: Setting {
        Setting(
            "SEND_ACTIVITY", .flag, default: false,
            sentence: "Whether messages tell what the customer is doing, in the optional field \"activity\".")
    }
}

extension SettingsSchema {
    /// The settings of `heartbeat producer`.
    public static let producer = SettingsSchema(
        name: "producer", sentence: "Settings of the producer, which sends readings to Kafka.",
        settings: [
            Setting.kafkaBootstrapServers, Setting.kafkaTopic, Setting.kafkaPartitions, Setting.kafkaReplicationFactor,
            Setting.numCustomers, Setting.intervalSeconds, Setting.seed, Setting.bradycardiaSpellsPerHour,
            Setting.tachycardiaSpellsPerHour, Setting.malformedRate, Setting.dropoutRate, Setting.lateRate,
            Setting.lateSeconds, Setting.sendActivity, Setting.startTimeoutSeconds, Setting.metricsDirectory,
            Setting.logLevel,
        ],
        takesKafkaProperties: true,
        checks: [
            faultRates,
            { settings in
                do throws(SettingsError) {
                    _ = try Producer.kafkaConfiguration(settings)
                    return nil
                } catch {
                    return error.description
                }
            },
        ])

    /// The check that the faults' rates are shares of one whole.
    static let faultRates: Check = { settings in
        guard settings[.malformedRate] + settings[.dropoutRate] + settings[.lateRate] > 1 else { return nil }
        return """
            \(settings.describe(.malformedRate)), \(settings.describe(.dropoutRate)) and \
            \(settings.describe(.lateRate)) must not be more than 1 together
            """
    }
}
