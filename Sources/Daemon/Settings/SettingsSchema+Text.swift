extension SettingsSchema {
    /// The file that is shipped: every setting with what it does and accepts, commented out at its default.
    public var defaultFile: String {
        var lines = wrapped("\(sentence)", indent: "# ")
        lines.append("#")
        lines += wrapped(
            """
            One NAME=VALUE a line, in the grammar of systemd's EnvironmentFile=. A variable of the environment overrides \
            its line here. What is commented out shows the default.
            """, indent: "# ")
        if takesKafkaProperties {
            lines += wrapped(
                "RDKAFKA_X_Y=value hands the property x.y=value to librdkafka, except for those that the promises rest on.",
                indent: "# ")
        }
        if let whenTaken {
            lines += wrapped(whenTaken, indent: "# ")
        } else if settings.contains(where: { $0.isReloadable }) {
            lines += wrapped(
                """
                After a change: systemctl reload heartbeat-\(name).service, or restart where it says so. The file is \
                checked first; a bad one changes nothing.
                """, indent: "# ")
        }
        for setting in settings {
            lines.append("")
            lines += wrapped(setting.sentence, indent: "# ")
            lines += wrapped(particulars(of: setting), indent: "# ")
            lines.append("#\(setting.name)=\(EnvironmentFile.quoted(setting.defaultText))")
        }
        return lines.map { $0 + "\n" }.joined()
    }

    /// The settings as a section of the command's help: the `discussion` of its `CommandConfiguration`.
    public var help: String {
        var lines = ["Settings, from the environment or \(defaultPath):", ""]
        for setting in settings {
            let value = setting.defaultText.isEmpty ? "" : "=\(EnvironmentFile.quoted(setting.defaultText))"
            lines.append("  \(setting.name)\(value)")
            lines += wrapped("\(setting.sentence) \(particulars(of: setting))", indent: "      ")
        }
        if takesKafkaProperties {
            lines.append("  RDKAFKA_X_Y=value")
            lines += wrapped(
                "Hands the property x.y=value to librdkafka, except for those that the promises rest on.",
                indent: "      ")
        }
        return lines.joined(separator: "\n")
    }

    private func particulars(of setting: any AnySetting) -> String {
        let change = setting.isReloadable ? "; takes effect on reload." : "; needs a restart."
        return "Expects \(setting.expectation)" + (whenTaken == nil ? change : ".")
            + (setting.isSecret ? " Never shown." : "")
    }
}

/// Breaks a text at its spaces into lines of at most 78 columns, narrow enough for a terminal of 80.
private func wrapped(_ text: String, indent: String) -> [String] {
    var lines: [String] = []
    var line = ""
    for word in text.split(separator: " ") {
        if !line.isEmpty, indent.count + line.count + 1 + word.count > 78 {
            lines.append(indent + line)
            line = ""
        }
        line += line.isEmpty ? word : " " + word
    }
    return lines + [indent + line]
}
