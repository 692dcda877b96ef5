public import Logging

// What every daemon can be told.

extension Setting where Value == String {
    /// `METRICS_DIRECTORY`: where a daemon writes its metrics as `NAME.prom`.
    public static var metricsDirectory: Setting {
        Setting(
            "METRICS_DIRECTORY", .path, default: "/run/heartbeat",
            sentence:
                "Where a daemon writes its metrics, for the dashboard; nothing is written where there is no such folder."
        )
    }
}

extension Setting where Value == Duration {
    /// `START_TIMEOUT_SECONDS`: how long a start may wait for a server, 0 to 86400 s. It is for scripts.
    public static var startTimeoutSeconds: Setting {
        Setting(
            "START_TIMEOUT_SECONDS", .seconds(in: 0...86_400), default: .zero,
            sentence: """
                How long to wait for the first answer of Kafka and PostgreSQL before ending with status 69; 0 means \
                no limit. Once they have answered, an outage is waited for without limit.
                """)
    }
}

extension Setting where Value == Logger.Level {
    /// `LOG_LEVEL`: what is not at least this important is not logged.
    public static var logLevel: Setting {
        Setting(
            "LOG_LEVEL", .choice([.debug, .info, .notice, .warning, .error]), default: .info,
            sentence: "The least important messages that are logged.", isReloadable: true)
    }
}
