/// What a reload changes.
public struct SettingsReload: Sendable {
    /// The settings from now on.
    public let settings: Settings
    /// The names whose new values are in `settings`, in the order of the schema.
    public let changed: [String]
    /// The names that have a new value in the file or the environment which only a restart takes.
    public let needsRestart: [String]
}

extension Settings {
    /// These settings, with the reloadable ones as they are in newer settings of the same schema.
    ///
    /// - Throws: what the schema's checks say of the mixture, and then nothing should change.
    public func reloaded(from newer: Settings) throws(SettingsError) -> SettingsReload {
        var settings = self
        var changed: [String] = []
        var needsRestart: [String] = []
        for name in names {
            guard let entry = newer.entries[name] else { continue }
            let (setting, isSame) = (entry.setting, entry.value.text == entries[name]?.value.text)
            if setting.isReloadable || isSame {
                // Even an equal value may have moved to another line.
                settings.entries[setting.name] = entry
            }
            guard !isSame else { continue }
            if setting.isReloadable { changed.append(setting.name) } else { needsRestart.append(setting.name) }
        }
        needsRestart += changedKafkaProperties(newer)
        try settings.runChecks()
        return SettingsReload(settings: settings, changed: changed, needsRestart: needsRestart)
    }

    // librdkafka takes its properties when a client is made, so all of them need a restart.
    private func changedKafkaProperties(_ newer: Settings) -> [String] {
        func values(_ settings: Settings) -> [String: String] {
            Dictionary(settings.kafkaProperties.map { ($0.settingName, $0.value) }) { _, last in last }
        }
        let (old, new) = (values(self), values(newer))
        return Set(old.keys).union(new.keys).filter { old[$0] != new[$0] }.sorted()
    }
}
