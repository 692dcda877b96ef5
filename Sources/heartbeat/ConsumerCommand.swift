import ArgumentParser
import Consumer
import Daemon
import SharedSettings

struct ConsumerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "consumer", abstract: "Stores Kafka's messages in PostgreSQL, each exactly once.",
        discussion: SettingsSchema.consumer.help)

    @OptionGroup var options: SettingsOptions

    @Flag(help: "End when everything that the log has at the start is stored.")
    var drain = false

    @Option(
        help: ArgumentHelp(
            "Tell this consumer apart from others on this machine.",
            discussion: "Its metrics are consumer-NAME.prom, and CONSUMER_NAME ends in -NAME if it is not set.",
            valueName: "name"))
    var instance: String?

    func validate() throws {
        guard let instance else { return }
        let isName =
            (1...64).contains(instance.utf8.count)
            && instance.utf8.allSatisfy { byte in
                (97...122).contains(byte) || (65...90).contains(byte) || (48...57).contains(byte)
                    || "._-".utf8.contains(byte)
            }
        guard isName else {
            throw ValidationError(
                "--instance \(instance): expected 1 to 64 letters, digits, dots, underscores and hyphens")
        }
    }

    func run() throws {
        guard let settings = try options.load(.consumer) else { return }
        startLogging(level: settings[.logLevel], identifier: "heartbeat-consumer")
        let consumer = try Consumer(settings, instance: instance)
        let service = try Service(
            .consumer, settings, options: options,
            needs: [.kafka: settings.kafkaPlace, .postgreSQL: "PostgreSQL"], instance: instance)
        try service.run { try consumer.run(drain: drain, service) }
    }
}
