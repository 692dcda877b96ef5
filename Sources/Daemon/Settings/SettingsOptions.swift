public import ArgumentParser
internal import FoundationEssentials

/// The options that every command with settings has.
///
/// ```swift
/// @OptionGroup var options: SettingsOptions
///
/// func run() throws {
///     guard let settings = try options.load(consumerSettings) else { return }
/// ```
public struct SettingsOptions: ParsableArguments, Sendable {
    /// The file that was named, if one was.
    @Option(help: ArgumentHelp("Read the settings from this file.", valueName: "file"))
    public var config: String?

    /// Whether to check the settings and do nothing else.
    @Flag(help: "Check the settings, print OK or what is wrong, and end with status 0 or 78.")
    public var checkConfig = false

    /// Whether to print the settings and do nothing else.
    @Flag(help: "Print the settings in effect and where each comes from, and end.")
    public var printConfig = false

    /// Whether to print the file that is shipped, and do nothing else.
    @Flag(help: .hidden)
    public var printDefaultConfig = false

    /// For ArgumentParser.
    public init() {}

    /// Loads the settings, or does what an option asks for instead.
    ///
    /// - Parameters:
    ///   - schema: the command's settings.
    ///   - environment: overrides the file. The default is the process's own environment.
    /// - Returns: the settings; nil when an option asked for something to be printed, it was, and the command should end.
    /// - Throws: `SettingsError`, for `runAndExit` to report.
    public func load(
        _ schema: SettingsSchema, environment: [String: String]? = nil
    ) throws(SettingsError) -> Settings? {
        if printDefaultConfig {
            print(schema.defaultFile, terminator: "")
            return nil
        }
        nameJournal("heartbeat-\(schema.name)")
        let settings = try Settings(
            schema, file: config, environment: environment ?? ProcessInfo.processInfo.environment)
        if checkConfig {
            print("\(schema.name) settings: OK")
            for remark in schema.remarks.compactMap({ $0(settings) }) { print(remark) }
        }
        if printConfig { print(settings.printed, terminator: "") }
        return checkConfig || printConfig ? nil : settings
    }

    /// Reads the file and the environment again and takes over what may change while the daemon runs.
    ///
    /// - Throws: `SettingsError` when the new settings cannot be used; the current ones stay in effect then.
    public func reload(
        _ current: Settings, of schema: SettingsSchema, environment: [String: String]? = nil
    ) throws(SettingsError) -> SettingsReload {
        let newer = try Settings(
            schema, file: config, environment: environment ?? ProcessInfo.processInfo.environment)
        return try current.reloaded(from: newer)
    }
}
