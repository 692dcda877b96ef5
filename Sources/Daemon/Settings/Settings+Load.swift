extension Settings {
    /// Reads and checks the settings of a daemon.
    ///
    /// Over the file there may be a second one, with secrets: the credential `secrets`, which systemd hands to a unit by
    /// `LoadCredential=` (`CREDENTIALS_DIRECTORY`).
    ///
    /// - Parameters:
    ///   - schema: which settings there are.
    ///   - file: the file to read. When nil, it is the schema's default path, and that one may be absent.
    ///   - environment: the variables that override the file. Only names that the schema knows are looked at.
    /// - Throws: every problem that was found, not only the first.
    public init(
        _ schema: SettingsSchema, file: String? = nil, environment: [String: String]
    ) throws(SettingsError) {
        var loader = Loader(schema: schema)
        do throws(SystemError) {
            loader.readFile(try readWholeFile(file ?? schema.defaultPath), path: file ?? schema.defaultPath)
        } catch {
            if file != nil || !error.isNoSuchFile {
                loader.problems.append("\(file ?? schema.defaultPath): unable to read: \(error)")
            }
        }
        if let folder = environment["CREDENTIALS_DIRECTORY"] { loader.readSecrets("\(folder)/secrets") }
        loader.readEnvironment(environment)
        self = try loader.settings()
        environmentNames = Set(environment.keys)
    }

    /// Reads the settings that a daemon has, as somebody else: the file and the secrets of a folder as far as they are there,
    /// and the secrets as far as this process may read them.
    ///
    /// - Throws: every problem that was found.
    public init(
        _ schema: SettingsSchema, folder: String, environment: [String: String]
    ) throws(SettingsError) {
        var loader = Loader(schema: schema)
        let path = "\(folder)/\(schema.name)"
        do throws(SystemError) {
            loader.readFile(try readWholeFile(path + ".conf"), path: path + ".conf")
        } catch {
            if !error.isNoSuchFile { loader.problems.append("\(path).conf: unable to read: \(error)") }
        }
        if let bytes = try? readWholeFile(path + ".secrets") { loader.readFile(bytes, path: path + ".secrets") }
        loader.readEnvironment(environment)
        self = try loader.settings()
        environmentNames = Set(environment.keys)
    }

    /// Reads settings from the bytes of a file; for tests of what is in them.
    init(_ schema: SettingsSchema, text: String, path: String) throws(SettingsError) {
        var loader = Loader(schema: schema)
        loader.readFile(Array(text.utf8), path: path)
        self = try loader.settings()
    }

    func runChecks() throws(SettingsError) {
        let problems = checks.compactMap { $0(self) }
        guard problems.isEmpty else { throw SettingsError(problems) }
    }
}

/// Gathers assignments, later ones over earlier ones, and everything that is wrong with them.
private struct Loader {
    /// A text and where it stands.
    struct Assigned {
        let text: String
        let origin: SettingOrigin
    }

    let schema: SettingsSchema
    var assigned: [String: Assigned] = [:]
    var problems: [String] = []

    mutating func readFile(_ bytes: [UInt8], path: String) {
        let file = EnvironmentFile(bytes)
        var found = file.problems.map { (line: $0.line, text: "\(path):\($0.line): \($0.text)") }
        for assignment in file.assignments {
            let origin = SettingOrigin.file(path: path, line: assignment.line)
            if isKnown(assignment.name) {
                assigned[assignment.name] = Assigned(text: assignment.value, origin: origin)
            } else {
                found.append((assignment.line, "\(origin): " + unknown(assignment.name, value: assignment.value)))
            }
        }
        // Only the last assignment of a name counts, so values are looked at when all of them are known.
        for (name, entry) in assigned {
            guard case .file(path, let line) = entry.origin, let problem = problem(name, entry) else { continue }
            found.append((line, problem))
        }
        problems += found.sorted { ($0.line, $0.text) < ($1.line, $1.text) }.map(\.text)
    }

    /// There need not be any.
    mutating func readSecrets(_ path: String) {
        // Of the two names that the file has in a unit an operator knows the one in /etc.
        let name = path.hasPrefix("/run/credentials/") ? schema.secretsPath : path
        do throws(SystemError) {
            readFile(try readWholeFile(path), path: name)
        } catch {
            if !error.isNoSuchFile { problems.append("\(name): unable to read: \(error)") }
        }
    }

    mutating func readEnvironment(_ environment: [String: String]) {
        for (name, value) in environment.sorted(by: { $0.key < $1.key }) where isKnown(name) {
            let entry = Assigned(text: value, origin: .environment)
            assigned[name] = entry
            if let problem = problem(name, entry) { problems.append(problem) }
        }
    }

    func settings() throws(SettingsError) -> Settings {
        guard problems.isEmpty else { throw SettingsError(problems) }
        var settings = Settings(
            name: schema.name, names: schema.settings.map(\.name), entries: [:], checks: schema.checks,
            kafkaProperties: [])
        for setting in schema.settings {
            let entry = assigned[setting.name]
            settings.entries[setting.name] = Settings.Entry(
                setting: setting, value: entry.flatMap { setting.parse($0.text) } ?? setting.parsedDefault,
                origin: entry?.origin ?? .declaration)
        }
        settings.kafkaProperties = assigned.compactMap { name, entry in
            isKafkaProperty(name)
                ? KafkaProperty(name: propertyName(name), value: entry.text, origin: entry.origin) : nil
        }
        settings.kafkaProperties.sort { $0.name < $1.name }
        try settings.runChecks()
        return settings
    }

    private func isKnown(_ name: String) -> Bool {
        schema.setting(named: name) != nil || isKafkaProperty(name)
    }

    private func isKafkaProperty(_ name: String) -> Bool {
        schema.takesKafkaProperties && name.hasPrefix(kafkaPrefix) && name.utf8.count > kafkaPrefix.utf8.count
            && name.utf8.allSatisfy { (65...90).contains($0) || (48...57).contains($0) || $0 == UInt8(ascii: "_") }
    }

    private func propertyName(_ name: String) -> String {
        String(name.dropFirst(kafkaPrefix.count).lowercased().map { $0 == "_" ? "." : $0 })
    }

    private func problem(_ name: String, _ entry: Assigned) -> String? {
        guard let setting = schema.setting(named: name), setting.parse(entry.text) == nil else { return nil }
        return "\(entry.origin): " + shown(name: name, value: entry.text, isSecret: setting.isSecret)
            + ": expected \(setting.expectation)"
    }

    private func unknown(_ name: String, value: String) -> String {
        let nearest = schema.nearest(to: name)
        // A misspelt name of a secret still has the secret for its value.
        let isSecret = isSecretName(name) || nearest?.isSecret == true
        return shown(name: name, value: value, isSecret: isSecret) + ": unknown setting"
            + (nearest.map { ", did you mean \($0.name)?" } ?? "")
    }
}
