import ArgumentParser
import Daemon
import FoundationEssentials
import Notifier

struct NotifierCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "notifier", abstract: "Sends what happens to episodes to webhooks, Alertmanager and by mail.",
        discussion: """
            Who is told of what stands in the file that NOTIFIER_ROUTES_FILE names: a line for each receiver, and one for \
            each route. Every event is sent at least once, those of a customer in their order.

            \(SettingsSchema.notifier.help)
            """,
        subcommands: [TestCommand.self])

    @OptionGroup var options: SettingsOptions

    func run() throws {
        guard let settings = try options.load(.notifier) else { return }
        startLogging(level: settings[.logLevel], identifier: "heartbeat-notifier")
        let notifier = try Notifier(settings)
        let service = try Service(.notifier, settings, options: options, needs: [.postgreSQL: "PostgreSQL"])
        try service.run { try notifier.run(service) }
    }

    struct TestCommand: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "test", abstract: "Sends a test message to one receiver, and says what became of it.",
            discussion: """
                It is marked as a test. Neither the database nor a running notifier has anything to do with it.


                """ + SettingsSchema.notifier.help)

        @Argument(help: "The receiver's name in the file of routes.")
        var receiver: String

        @OptionGroup var options: SettingsOptions

        func run() throws {
            guard var settings = try options.load(.notifier) else { return }
            if options.config == nil {
                // As root it has the secrets, too, which systemd hands to the unit.
                let environment = ProcessInfo.processInfo.environment
                settings = try Settings(.notifier, folder: "/etc/heartbeat", environment: environment)
            }
            try TestMessage(to: receiver, settings).send()
            print("the receiver \"\(receiver)\" has taken the test message")
        }
    }
}
