/// What the text of a setting must look like, and the value that it stands for.
///
/// A form says what it expects in words, so that the help, the shipped file and the error say the same.
public struct SettingForm<Value: Sendable & Equatable>: Sendable {
    /// What is expected, as it ends the sentence "expected ...": `an integer from 1 to 100000 (rows)`.
    public let expectation: String
    /// The value of a text, or nil when the text is not of this form.
    let read: @Sendable (String) -> Value?
    /// The text of a value; `read` of it gives the value back.
    let write: @Sendable (Value) -> String

    /// A form of one's own.
    ///
    /// - Parameters:
    ///   - expectation: ends the sentence "expected ...".
    ///   - read: the value of a text, or nil when the text is refused.
    ///   - write: the text of a value, such that `read` gives the value back.
    public init(
        _ expectation: String, read: @escaping @Sendable (String) -> Value?,
        write: @escaping @Sendable (Value) -> String
    ) {
        self.expectation = expectation
        self.read = read
        self.write = write
    }

    /// The same form, where an empty text means that there is no value.
    public static func optional<Wrapped>(_ form: SettingForm<Wrapped>) -> SettingForm where Value == Wrapped? {
        // The two levels of nil: none when the text is refused, some(nil) when it is empty.
        SettingForm(
            "\(form.expectation), or nothing",
            read: { text in text.isEmpty ? .some(nil) : form.read(text).map { .some($0) } },
            write: { value in value.map(form.write) ?? "" })
    }

    /// One of a few words.
    public static func choice(_ choices: [Value]) -> SettingForm
    where Value: RawRepresentable, Value.RawValue == String {
        SettingForm(
            "one of " + choices.map(\.rawValue).joined(separator: ", "),
            read: { text in choices.first { $0.rawValue == text } },
            write: { $0.rawValue })
    }
}

extension SettingForm where Value == Int {
    /// A whole number in a range, both ends included.
    public static func integer(in range: ClosedRange<Int>, unit: String? = nil) -> SettingForm {
        SettingForm(
            "an integer from \(range.lowerBound) to \(range.upperBound)\(inBrackets(unit))",
            read: { text in Int(text).flatMap { range.contains($0) ? $0 : nil } },
            write: { String($0) })
    }
}

extension SettingForm where Value == Double {
    /// A decimal number in a range, both ends included. NaN, infinity and hexadecimal are refused.
    public static func decimal(in range: ClosedRange<Double>, unit: String? = nil) -> SettingForm {
        SettingForm(
            "a number from \(decimalText(range.lowerBound)) to \(decimalText(range.upperBound))\(inBrackets(unit))",
            read: { text in readDecimal(text, in: range) },
            write: { decimalText($0) })
    }
}

extension SettingForm where Value == Duration {
    /// A decimal number of seconds in a range, both ends included; a nanosecond is the finest that is kept.
    public static func seconds(in range: ClosedRange<Double>) -> SettingForm {
        SettingForm(
            "a number of seconds from \(decimalText(range.lowerBound)) to \(decimalText(range.upperBound))",
            read: { text in
                readDecimal(text, in: range).map { .nanoseconds(Int64(($0 * 1e9).rounded())) }
            },
            write: { decimalText($0 / .seconds(1)) })
    }
}

extension SettingForm where Value == Bool {
    /// Yes or no, in the words that systemd takes for it; letter case does not matter.
    public static var flag: SettingForm {
        SettingForm(
            "true or false (or yes, no, on, off, 1, 0)",
            read: { text in
                switch text.lowercased() {
                case "true", "yes", "on", "1": true
                case "false", "no", "off", "0": false
                default: nil
                }
            },
            write: { $0 ? "true" : "false" })
    }
}

extension SettingForm where Value == String {
    /// Any text that is not empty.
    public static var text: SettingForm { text("non-empty text") { _ in true } }

    /// A text that is not empty and passes a check of its own, such as its length or its characters.
    public static func text(_ expectation: String, where isValid: @escaping @Sendable (String) -> Bool) -> SettingForm {
        SettingForm(expectation, read: { !$0.isEmpty && isValid($0) ? $0 : nil }, write: { $0 })
    }

    /// An absolute path. Whether anything is there is not looked at.
    public static var path: SettingForm { text("an absolute path") { $0.hasPrefix("/") } }
}

extension SettingForm where Value == [String] {
    /// A program's absolute path and its arguments, split at blanks; no shell, so no quotes. Empty for none.
    public static var command: SettingForm {
        SettingForm(
            "an absolute path and arguments separated by blanks, or nothing",
            read: { text in
                let words = text.split(whereSeparator: { " \t".contains($0) }).map(String.init)
                return words.isEmpty || words[0].hasPrefix("/") ? words : nil
            },
            write: { $0.joined(separator: " ") })
    }
}

private func inBrackets(_ unit: String?) -> String {
    unit.map { " (\($0))" } ?? ""
}

private func readDecimal(_ text: String, in range: ClosedRange<Double>) -> Double? {
    // Double(_:) also reads "nan", "infinity" and "0x1p3", which nobody means in a settings file.
    guard text.utf8.allSatisfy({ "+-.eE0123456789".utf8.contains($0) }), let value = Double(text) else { return nil }
    return range.contains(value) ? value : nil
}
