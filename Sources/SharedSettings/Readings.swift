public import Daemon

// What a reading is, what counts as an anomaly, and how long readings are kept. Names and defaults are the contract's.

extension Setting where Value == Int {
    /// `HEART_RATE_MIN`: the lowest heart rate that is not an anomaly, 1 to 299 bpm.
    public static var heartRateMin: Setting {
        Setting(
            "HEART_RATE_MIN", .integer(in: 1...299, unit: "bpm"), default: 40,
            sentence: "A heart rate below this is an anomaly (bradycardia).", isReloadable: true)
    }

    /// `HEART_RATE_MAX`: the highest heart rate that is not an anomaly, 1 to 299 bpm.
    public static var heartRateMax: Setting {
        Setting(
            "HEART_RATE_MAX", .integer(in: 1...299, unit: "bpm"), default: 180,
            sentence: "A heart rate above this is an anomaly (tachycardia).", isReloadable: true)
    }

    /// `RETENTION_DAYS`: for how long readings are kept, and so up to which age a day has a partition, 1 to 36500 days.
    public static var retentionDays: Setting {
        Setting(
            "RETENTION_DAYS", .integer(in: 1...36_500, unit: "days"), default: 90,
            sentence: """
                How many days readings are kept, each in the partition of its day; "heartbeat database maintain" drops older \
                days. A reading that is older when it arrives goes to the default partition and is kept as long from then on.
                """)
    }

    /// `MAX_MESSAGE_BYTES`: a larger payload is rejected without being parsed, 256 to 10485760 bytes.
    public static var maxMessageBytes: Setting {
        Setting(
            "MAX_MESSAGE_BYTES", .integer(in: 256...10_485_760, unit: "bytes"), default: 65_536,
            sentence: "A message with a larger payload is rejected without being parsed.")
    }
}

extension Setting where Value == Duration {
    /// `MAX_CLOCK_SKEW_SECONDS`: a timestamp further in the future is rejected, 0 to 86400 s.
    public static var maxClockSkewSeconds: Setting {
        Setting(
            "MAX_CLOCK_SKEW_SECONDS", .seconds(in: 0...86_400), default: .seconds(300),
            sentence: "A reading whose timestamp is further in the future is rejected.")
    }
}

extension SettingsSchema {
    /// The check that `HEART_RATE_MIN` is below `HEART_RATE_MAX`, for a schema that has both.
    public static let heartRateLimits: Check = { settings in
        guard settings[.heartRateMin] >= settings[.heartRateMax] else { return nil }
        return "\(settings.describe(.heartRateMin)) must be below \(settings.describe(.heartRateMax))"
    }
}
