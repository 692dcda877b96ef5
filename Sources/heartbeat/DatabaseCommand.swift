import ArgumentParser
import Daemon
import Database

struct DatabaseCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "database", abstract: "Makes and keeps the database.", subcommands: [Setup.self])

    struct Setup: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Makes roles, database, schema and partitions, as far as they are missing.",
            discussion: SettingsSchema.database.help)

        @OptionGroup var options: SettingsOptions

        func run() throws {
            guard let settings = try options.load(.database) else { return }
            startLogging(level: settings[.logLevel])
            try DatabaseSetup(settings.postgresParameters).run()
        }
    }
}
