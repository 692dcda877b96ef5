public import Daemon
import HeartRate
import SharedSettings

// The settings of detection. What each number is from stands at `EpisodeRules`; all can be reloaded.

/// From which NEWS2 score on an episode opens that is not beyond HEART_RATE_MIN or HEART_RATE_MAX.
public enum LowestScore: String, Sendable {
    case three = "3"
    case two = "2"
    case none = "off"
}

extension Setting where Value == Bool {
    /// `EPISODES`: whether episodes are detected.
    public static var episodes: Setting {
        Setting(
            "EPISODES", .flag, default: true,
            sentence: "Whether episodes are detected. Without them each reading is still flagged on its own.",
            isReloadable: true)
    }
}

extension Setting where Value == LowestScore {
    /// `EPISODE_NEWS2_SCORE`: 3, 2 or off.
    public static var episodeScore: Setting {
        Setting(
            "EPISODE_NEWS2_SCORE", .choice([.three, .two, .none]), default: .three,
            sentence: """
                The lowest NEWS2 pulse score that opens an episode: 3 (up to 40 or from 131 bpm, medium severity), 2 (also from \
                111 bpm, low severity), or off: only beyond HEART_RATE_MIN and HEART_RATE_MAX.
                """, isReloadable: true)
    }
}

extension Setting where Value == Int {
    /// `EPISODE_DELAY_SECONDS`: 0 to 600 s.
    public static var episodeDelay: Setting {
        seconds(
            "EPISODE_DELAY_SECONDS", in: 0...600, \.highDelay,
            sentence: "How long a rate has to be beyond HEART_RATE_MIN or HEART_RATE_MAX to raise high severity.")
    }

    /// `EPISODE_NEWS2_DELAY_SECONDS`: 0 to 600 s.
    public static var episodeScoreDelay: Setting {
        seconds(
            "EPISODE_NEWS2_DELAY_SECONDS", in: 0...600, \.scoreDelay,
            sentence: "How long a rate has to have the score of EPISODE_NEWS2_SCORE to open an episode.")
    }

    /// `EPISODE_WINDOW_SECONDS`: 1 to 60 s.
    public static var episodeWindow: Setting {
        seconds(
            "EPISODE_WINDOW_SECONDS", in: 1...60, \.window,
            sentence: "The rate is judged by its median over this many seconds.")
    }

    /// `EPISODE_MARGIN_BPM`: 0 to 50 bpm.
    public static var episodeMargin: Setting {
        Setting(
            "EPISODE_MARGIN_BPM", .integer(in: 0...50, unit: "bpm"), default: Int(EpisodeRules().margin),
            sentence: "How far inside the limit a rate has to return for an episode to end.", isReloadable: true)
    }

    /// `EPISODE_CLOSE_SECONDS`: 1 to 3600 s.
    public static var episodeClosing: Setting {
        seconds(
            "EPISODE_CLOSE_SECONDS", in: 1...3600, \.closingTime,
            sentence:
                "How long a rate has to stay inside the limit for an episode to end; if it leaves earlier, the episode continues."
        )
    }

    /// `EPISODE_EASE_SECONDS`: 1 to 3600 s.
    public static var episodeEasing: Setting {
        seconds(
            "EPISODE_EASE_SECONDS", in: 1...3600, \.easingTime,
            sentence:
                "How long the rate of an open episode has to stay inside HEART_RATE_MIN and HEART_RATE_MAX before high severity falls."
        )
    }

    /// `SIGNAL_LOSS_SECONDS`: 1 to 3600 s.
    public static var signalLossSeconds: Setting {
        seconds(
            "SIGNAL_LOSS_SECONDS", in: 1...3600, \.silenceMinimum,
            sentence: "The shortest time without readings that counts as signal loss.")
    }

    /// `SIGNAL_LOSS_PERIODS`: 2 to 100.
    public static var signalLossPeriods: Setting {
        Setting(
            "SIGNAL_LOSS_PERIODS", .integer(in: 2...100), default: EpisodeRules().silencePeriods,
            sentence: """
                How many times the customer's usual time between two readings may pass before the signal counts as lost; \
                after six times as long the loss is urgent.
                """, isReloadable: true)
    }

    /// `BASELINE_HOURS`: 1 to 720 h.
    public static var baselineHours: Setting {
        Setting(
            "BASELINE_HOURS", .integer(in: 1...720, unit: "hours"),
            default: EpisodeRules().baselineWindow.hours,
            sentence:
                "How far back a customer's usual rate looks; deviations are judged once half of that time is known.",
            isReloadable: true)
    }

    /// `DEVIATION_MINUTES`: 1 to 60 min.
    public static var deviationMinutes: Setting {
        Setting(
            "DEVIATION_MINUTES", .integer(in: 1...60, unit: "minutes"),
            default: EpisodeRules().deviationDelay.minutes,
            sentence: "How long a rate has to be far from the customer's usual one to open an episode.",
            isReloadable: true)
    }

    /// `EPISODE_REMINDER_MINUTES`: 0 to 1440 min.
    public static var episodeReminder: Setting {
        Setting(
            "EPISODE_REMINDER_MINUTES", .integer(in: 0...1440, unit: "minutes"), default: 0,
            sentence: """
                How long after people were told of an episode of high severity they are told once more, when it is open and nobody \
                has acknowledged it; 0 for never.
                """, isReloadable: true)
    }

    /// `LATENESS_SECONDS`: 0 to 3600 s.
    public static var lateness: Setting {
        seconds(
            "LATENESS_SECONDS", in: 0...3600, \.lateness,
            sentence: """
                How long detection waits for readings that come late, by their time stamps; alarms come later by as much. At most \
                3600 readings of a customer wait. A reading that comes later still is stored but opens and closes nothing.
                """)
    }

    /// `CUSTOMERS_IN_MEMORY`: 1000 to 10000000.
    public static var customersInMemory: Setting {
        Setting(
            "CUSTOMERS_IN_MEMORY", .integer(in: 1000...10_000_000, unit: "customers"), default: 100_000,
            sentence: """
                For how many customers detection keeps its state in memory, about 0.9 kB each; the customer seen least recently \
                leaves it and is read from the database again.
                """)
    }

    private static func seconds(
        _ name: String, in range: ClosedRange<Int>, _ rule: KeyPath<EpisodeRules, Microseconds>, sentence: String
    ) -> Setting {
        Setting(
            name, .integer(in: range, unit: "seconds"), default: EpisodeRules()[keyPath: rule].seconds,
            sentence: sentence,
            isReloadable: true)
    }
}

extension EpisodeRules {
    /// The rules of the settings; nil when episodes are switched off.
    init?(_ settings: Settings) {
        guard settings[.episodes] else { return nil }
        self.init()
        heartRateMin = Int16(settings[.heartRateMin])
        heartRateMax = Int16(settings[.heartRateMax])
        lowestScore =
            switch settings[.episodeScore] {
            case .three: 3
            case .two: 2
            case .none: nil
            }
        highDelay = .seconds(settings[.episodeDelay])
        scoreDelay = .seconds(settings[.episodeScoreDelay])
        window = .seconds(settings[.episodeWindow])
        margin = Int16(settings[.episodeMargin])
        closingTime = .seconds(settings[.episodeClosing])
        easingTime = .seconds(settings[.episodeEasing])
        silenceMinimum = .seconds(settings[.signalLossSeconds])
        silencePeriods = settings[.signalLossPeriods]
        baselineWindow = .hours(settings[.baselineHours])
        deviationDelay = .minutes(settings[.deviationMinutes])
        lateness = .seconds(settings[.lateness])
        reminder = settings[.episodeReminder] > 0 ? .minutes(settings[.episodeReminder]) : nil
    }
}
