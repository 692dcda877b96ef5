import ArgumentParser
import Consumer
import Daemon
import Database

struct ConsumerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "consumer", abstract: "Stores Kafka's messages in PostgreSQL, each exactly once.",
        discussion: SettingsSchema.consumer.help)

    @OptionGroup var options: SettingsOptions

    @Flag(help: "End when everything that the log has at the start is stored.")
    var drain = false

    func run() throws {
        guard let settings = try options.load(.consumer) else { return }
        startLogging(level: settings[.logLevel])
        let consumer = try Consumer(settings, schemaVersion: knownSchemaVersion)
        let signals = try Signals.install()
        try consumer.run(drain: drain, stop: signals.stop) { options.reloadIfAsked(&$0, signals, $1) }
    }
}
