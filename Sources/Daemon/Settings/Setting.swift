/// One setting, declared once: the file's reader, `--help`, the shipped file and the check of names all come from this.
///
/// Declare it as a static member, and the use reads `settings[.batchRows]`:
///
/// ```swift
/// extension Setting where Value == Int {
///     public static var batchRows: Setting {
///         Setting("BATCH_ROWS", .integer(in: 1...100_000, unit: "rows"), default: 10_000,
///             sentence: "Most readings in one transaction.", isReloadable: true)
///     }
/// }
/// ```
public struct Setting<Value: Sendable & Equatable>: Sendable {
    /// The name in the file and in the environment: upper-case letters, digits and `_`.
    public let name: String
    /// What is accepted.
    public let form: SettingForm<Value>
    /// The value when neither the file nor the environment has the name.
    public let defaultValue: Value
    /// What the setting does, in one sentence with a full stop.
    public let sentence: String
    /// Whether a running daemon takes a new value on reload. The default is false: it needs a restart.
    public let isReloadable: Bool
    /// Whether the value must never be shown. The default is false.
    public private(set) var isSecret = false

    /// Declares a setting.
    public init(
        _ name: String, _ form: SettingForm<Value>, default defaultValue: Value, sentence: String,
        isReloadable: Bool = false
    ) {
        self.name = name
        self.form = form
        self.defaultValue = defaultValue
        self.sentence = sentence
        self.isReloadable = isReloadable
    }
}

/// A setting of any type, as a schema lists them.
public protocol AnySetting: Sendable {
    /// The name in the file and in the environment.
    var name: String { get }
    /// What the setting does, in one sentence.
    var sentence: String { get }
    /// What is accepted; ends the sentence "expected ...".
    var expectation: String { get }
    /// The default as the file would have it; empty when the default is no value.
    var defaultText: String { get }
    /// Whether a running daemon takes a new value on reload.
    var isReloadable: Bool { get }
    /// Whether the value must never be shown.
    var isSecret: Bool { get }
    /// The value of a text; nil when the text is refused.
    func parse(_ text: String) -> ParsedSetting?
    /// The default.
    var parsedDefault: ParsedSetting { get }
}

/// A setting's value beside the text that every spelling of it is kept as (`yes` becomes `true`).
public struct ParsedSetting: Sendable {
    let text: String
    /// A `Setting.Parsed` of the setting's own type.
    let value: any Sendable
}

extension Setting {
    /// The same setting, whose value is never shown.
    public var secret: Setting {
        var setting = self
        setting.isSecret = true
        return setting
    }
}

extension Setting: AnySetting {
    /// What is accepted; ends the sentence "expected ...".
    public var expectation: String { form.expectation }
    /// The default as the file would have it; empty when the default is no value.
    public var defaultText: String { form.write(defaultValue) }
    /// The value of a text; nil when the text is refused.
    public func parse(_ text: String) -> ParsedSetting? { form.read(text).map(parsed) }
    /// The default.
    public var parsedDefault: ParsedSetting { parsed(defaultValue) }

    /// A value in a box of its own, since a bare nil in an `Any` has no type to be found by.
    struct Parsed: Sendable {
        let value: Value
    }

    private func parsed(_ value: Value) -> ParsedSetting {
        ParsedSetting(text: form.write(value), value: Parsed(value: value))
    }
}
