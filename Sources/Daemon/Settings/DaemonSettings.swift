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
    /// `START_TIMEOUT_SECONDS`: how long a start may wait for a server, 0 to 86400 s.
    ///
    /// The default, 5 minutes, is longer than PostgreSQL's recovery after a crash or a broker's start usually last. After it
    /// the unit is started again, so nothing is given up; but the failure is there to be seen.
    public static var startTimeoutSeconds: Setting {
        Setting(
            "START_TIMEOUT_SECONDS", .seconds(in: 0...86_400), default: .seconds(300),
            sentence: """
                How long a start waits for Kafka or PostgreSQL before it ends with status 69; 0 means no \
                limit. After start-up a daemon waits indefinitely.
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
