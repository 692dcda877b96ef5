internal import Bytes
internal import FoundationEssentials
internal import Logging

/// A log message, ready to be shown as a line or sent as a journal entry.
struct LogLine {
    var level: Logger.Level
    /// The logger's label, such as `consumer`.
    var label: String
    var message: String
    /// Sorted by name. The names are those of journal fields.
    var fields: [(name: String, value: String)]

    init(level: Logger.Level, label: String, message: String, metadata: Logger.Metadata) {
        self.level = level
        self.label = label
        self.message = message
        fields = metadata.compactMap { key, value in Self.fieldName(key).map { ($0, value.description) } }
        fields.sort { $0 < $1 }
    }

    /// `2026-11-22T10:00:00.123Z info consumer: text KAFKA_PARTITION=3`, always one line.
    func text(at microseconds: Int64) -> String {
        // The style cuts off, and a decimal fraction may be a bit too small as a Double: so take the millisecond's middle.
        let time = Date(timeIntervalSince1970: (Double(microseconds / 1000) + 0.5) / 1000)
            .formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
        // Ids are for the journal, and what HEARTBEAT_ fields have is in the message, too.
        let shown = fields.filter { $0.name != JournalEvent.field && !$0.name.hasPrefix("HEARTBEAT_") }
        let fields = shown.map {
            " \($0.name)=\(Self.quotedIfNeeded($0.value))"
        }.joined()
        return "\(time) \(level) \(escapingControls(label)): \(escapingControls(message))\(fields)"
    }

    /// The entry's fields (systemd.journal-fields(7)).
    func journalFields(identifier: String) -> [(name: String, value: String)] {
        // The journal could keep line ends, but readers of text would see a line that nobody wrote.
        [
            ("MESSAGE", escapingControls(message)), ("PRIORITY", String(priority)),
            ("SYSLOG_IDENTIFIER", identifier), ("HEARTBEAT_COMPONENT", label),
        ] + fields.map { ($0.name, escapingControls($0.value)) }
    }

    /// The level as syslog(3) counts.
    var priority: Int {
        switch level {
        case .trace, .debug: 7
        case .info: 6
        case .notice: 5
        case .warning: 4
        case .error: 3
        case .critical: 2
        }
    }

    /// A metadata key as a journal field's name: `[A-Z][A-Z0-9_]{0,63}`; nil when nothing is left of it.
    static func fieldName(_ key: String) -> String? {
        let characters = key.uppercased().utf8.map { byte in
            (65...90).contains(byte) || (48...57).contains(byte) ? byte : UInt8(ascii: "_")
        }
        // A leading underscore is for what the journal itself knows.
        let name = characters.drop { !(65...90).contains($0) }.prefix(64)
        return name.isEmpty ? nil : String(decoding: name, as: UTF8.self)
    }

    /// A value of logfmt: in quotes a backslash and a quotation mark are escaped, so that neither ends it too early.
    private static func quotedIfNeeded(_ value: String) -> String {
        guard value.isEmpty || value.utf8.contains(where: { " \"=".utf8.contains($0) }) else {
            return escapingControls(value)
        }
        var escaped = ""
        for scalar in value.unicodeScalars {
            if scalar == "\"" || scalar == "\\" { escaped += "\\" }
            escaped.unicodeScalars.append(scalar)
        }
        return "\"\(escapingControls(escaped))\""
    }
}
