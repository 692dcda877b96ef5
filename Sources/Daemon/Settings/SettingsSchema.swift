/// All settings of one daemon or command.
public struct SettingsSchema: Sendable {
    /// Looks at settings together and says what is wrong, in one line; nil when nothing is.
    public typealias Check = @Sendable (Settings) -> String?

    /// The daemon's name, such as `consumer`: its file is `/etc/heartbeat/consumer.conf`, its unit `heartbeat-consumer.service`.
    public let name: String
    /// What the settings are for, in one sentence with a full stop.
    public let sentence: String
    /// In the order in which the file and the help list them.
    public let settings: [any AnySetting]
    /// Run when each setting alone is right.
    public let checks: [Check]
    /// What has no full effect on this machine, for "--check-config" to say; nothing of it is wrong.
    public var remarks: [Check] = []

    /// Whether `RDKAFKA_` settings have a meaning: only where there is a connection to Kafka.
    public let takesKafkaProperties: Bool
    /// When a change takes effect, as a sentence, where no daemon can reload them. The default is nil: each setting says it.
    public var whenTaken: String?

    /// Declares the settings of a daemon. Each name must be there once.
    public init(
        name: String, sentence: String, settings: [any AnySetting], takesKafkaProperties: Bool = false,
        checks: [Check] = []
    ) {
        precondition(Set(settings.map(\.name)).count == settings.count, "a setting of \(name) is declared twice")
        self.name = name
        self.sentence = sentence
        self.settings = settings
        self.takesKafkaProperties = takesKafkaProperties
        self.checks = checks
    }

    /// The file that is read when none is named; it may be absent.
    public var defaultPath: String { "/etc/heartbeat/\(name).conf" }

    /// The file that the unit hands over as the credential `secrets`; it may be absent.
    var secretsPath: String { "/etc/heartbeat/\(name).secrets" }

    func setting(named name: String) -> (any AnySetting)? {
        settings.first { $0.name == name }
    }

    /// The known name that an unknown one was most likely meant to be, if any is near.
    func nearest(to name: String) -> (any AnySetting)? {
        let name = name.uppercased()
        let distances = settings.map { (setting: $0, distance: editDistance(name, $0.name)) }
        guard let nearest = distances.min(by: { $0.distance < $1.distance }) else { return nil }
        return nearest.distance <= max(2, nearest.setting.name.utf8.count / 3) ? nearest.setting : nil
    }
}

/// How many bytes have to be inserted, removed or replaced to make one text the other (Levenshtein 1966).
func editDistance(_ first: String, _ second: String) -> Int {
    let second = Array(second.utf8)
    var row = Array(0...second.count)
    for (i, byte) in first.utf8.enumerated() {
        var diagonal = row[0]
        row[0] = i + 1
        for j in second.indices {
            let replaced = diagonal + (byte == second[j] ? 0 : 1)
            diagonal = row[j + 1]
            row[j + 1] = min(replaced, row[j] + 1, diagonal + 1)
        }
    }
    return row[second.count]
}
