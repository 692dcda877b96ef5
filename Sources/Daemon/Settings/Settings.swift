internal import Bytes

/// Where a value came from.
public enum SettingOrigin: Sendable, Equatable, CustomStringConvertible {
    /// A line, counted from 1, of a file.
    case file(path: String, line: Int)
    /// The process's environment.
    case environment
    /// The declaration.
    case declaration

    /// As errors begin: `/etc/heartbeat/consumer.conf:3`, `environment` or `default`.
    public var description: String {
        switch self {
        case .file(let path, let line): "\(path):\(line)"
        case .environment: "environment"
        case .declaration: "default"
        }
    }
}

/// Settings that cannot be used. The program ends with `Exit.config` and has started nothing.
public struct SettingsError: Error, Equatable, CustomStringConvertible {
    /// Every problem found, one line each, such as
    /// `/etc/heartbeat/consumer.conf:3: BATCH_ROWS=x: expected an integer from 1 to 100000 (rows)`.
    public let problems: [String]

    /// An error of one's own; the lines must not contain a secret.
    public init(_ problems: [String]) {
        self.problems = problems.map { escapingControls($0) }
    }

    /// The problems, one a line.
    public var description: String { problems.joined(separator: "\n") }
}

/// A property for librdkafka, from a setting `RDKAFKA_X_Y`.
public struct KafkaProperty: Sendable, Equatable {
    /// As librdkafka names it, such as `fetch.wait.max.ms`.
    public let name: String
    /// Untouched; librdkafka checks it.
    public let value: String
    /// Where it was set.
    public let origin: SettingOrigin

    /// The line that says why librdkafka refused it; a secret's value is not in it, provided that it is not in `reason`.
    public func refusal(_ reason: String) -> String {
        "\(origin): " + shown(name: settingName, value: value, isSecret: isSecretName(settingName)) + ": \(reason)"
    }

    var settingName: String {
        kafkaPrefix + String(name.uppercased().map { $0 == "." ? "_" : $0 })
    }
}

/// The settings in effect: environment over file over default, all of them checked.
public struct Settings: Sendable {
    struct Entry: Sendable {
        let setting: any AnySetting
        var value: ParsedSetting
        var origin: SettingOrigin
    }

    /// The name of the daemon or command that has them.
    public let name: String
    /// The settings' names, in the order in which the file lists them.
    let names: [String]
    var entries: [String: Entry]
    /// What is looked at when each setting alone is right.
    let checks: [@Sendable (Settings) -> String?]
    /// What `RDKAFKA_` settings asked for, sorted by name.
    public internal(set) var kafkaProperties: [KafkaProperty]
    /// The names of the environment's variables: a library may read some of them itself, as libpq reads `PGDATABASE`.
    public internal(set) var environmentNames: Set<String> = []

    /// The value in effect of a setting, which has to be in the schema.
    public subscript<Value>(setting: Setting<Value>) -> Value {
        guard let entry = entries[setting.name], let parsed = entry.value.value as? Setting<Value>.Parsed else {
            preconditionFailure("\(setting.name) is not in the settings of \(name)")
        }
        return parsed.value
    }

    /// Where a setting's value came from.
    public func origin<Value>(of setting: Setting<Value>) -> SettingOrigin {
        entries[setting.name]?.origin ?? .declaration
    }

    /// The text of a setting's value in its canonical form; empty when there is no value.
    public func text<Value>(of setting: Setting<Value>) -> String { entries[setting.name]?.value.text ?? "" }

    /// The names of the secrets that have a value, each with its origin; a file that a name of librdkafka's leads to is none.
    public var secrets: [(name: String, origin: SettingOrigin)] {
        let own = names.compactMap { entries[$0] }.filter { $0.setting.isSecret && !$0.value.text.isEmpty }
        let passed = kafkaProperties.filter { isSecretName($0.settingName) && !$0.name.hasSuffix(".location") }
        return own.map { ($0.setting.name, $0.origin) } + passed.map { ($0.settingName, $0.origin) }
    }

    /// `NAME=VALUE (ORIGIN)`, for a message about more than one setting. A secret is shown as `********`.
    public func describe<Value>(_ setting: Setting<Value>) -> String {
        shown(name: setting.name, value: text(of: setting), isSecret: setting.isSecret)
            + " (\(origin(of: setting)))"
    }
}

extension Settings {
    /// The settings as a file that gives the same settings, with the origin of each. Secrets are shown as `********`.
    public var printed: String {
        var lines: [String] = []
        func add(_ name: String, _ value: String, from origin: SettingOrigin, isSecret: Bool) {
            switch origin {
            case .file(let path, let line): lines.append("# from \(escapingControls(path)):\(line)")
            case .environment: lines.append("# from the environment")
            case .declaration: lines.append("# default")
            }
            let text = isSecret && !value.isEmpty ? redacted : EnvironmentFile.quoted(value)
            lines.append("\(name)=\(text)")
        }
        for entry in names.compactMap({ entries[$0] }) {
            add(entry.setting.name, entry.value.text, from: entry.origin, isSecret: entry.setting.isSecret)
        }
        for property in kafkaProperties {
            add(
                property.settingName, property.value, from: property.origin,
                isSecret: isSecretName(property.settingName))
        }
        return lines.map { $0 + "\n" }.joined()
    }
}

let kafkaPrefix = "RDKAFKA_"
let redacted = "********"

/// Whether a name that no declaration knows sounds as if its value were a secret.
func isSecretName(_ name: String) -> Bool {
    let name = name.uppercased()
    return name == "RDKAFKA_SASL_OAUTHBEARER_CONFIG"
        || ["PASS", "WORD", "PWD", "SECRET", "KEY", "JAAS", "TOKEN", "CREDENTIAL"].contains { name.contains($0) }
}

/// `NAME=VALUE` as errors show it: one line, not endless, without a secret.
func shown(name: String, value: String, isSecret: Bool) -> String {
    if isSecret { return "\(name)=\(value.isEmpty ? "" : redacted)" }
    let value = escapingControls(value)
    return "\(name)=" + (value.count > 100 ? value.prefix(100) + "..." : value)
}
