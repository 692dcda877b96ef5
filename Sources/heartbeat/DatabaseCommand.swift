import ArgumentParser
import Daemon
import Database
import FoundationEssentials
import Logging
import PostgreSQL
import Schema
import SharedSettings

struct DatabaseCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "database", abstract: "Makes and keeps the database.",
        subcommands: [Setup.self, Maintain.self, Status.self, DatabaseCustomerCommand.self])

    /// How long to wait for the server.
    struct WaitOptions: ParsableArguments {
        @Option(help: "How many seconds to wait for PostgreSQL to answer.")
        var wait = 0

        func validate() throws {
            guard (0...86_400).contains(wait) else { throw ValidationError("--wait \(wait): expected 0 to 86400") }
        }

        /// Opens a session, as soon as the server answers.
        func connect(
            _ parameters: [String: String], _ session: SessionParameters, until stop: StopSignal
        ) throws -> PostgreSQLConnection {
            let deadline = ContinuousClock.now + .seconds(wait)
            var backoff = Backoff(to: .seconds(2))
            while true {
                do throws(PostgreSQLError) {
                    return try PostgreSQLConnection(parameters, session)
                } catch {
                    guard ContinuousClock.now < deadline, !stop.isRequested else {
                        throw CommandFailure(.unavailable, error.description)
                    }
                    if backoff.attempts == 0 {
                        Logger(label: "database").report(
                            .waiting, "waiting for PostgreSQL: \(error)", fields: ["HEARTBEAT_WAITS_FOR": "PostgreSQL"])
                    }
                    _ = stop.wait(for: backoff.next())
                }
            }
        }
    }

    struct Setup: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Makes roles, database, schema and partitions if they are missing.",
            discussion: SettingsSchema.database.help)

        @OptionGroup var options: SettingsOptions
        @OptionGroup var waiting: WaitOptions

        func run() throws {
            guard let settings = try options.load(.database) else { return }
            startLogging(level: settings[.logLevel], identifier: "heartbeat-database")
            if waiting.wait > 0 {
                // The database itself may be missing, the server's own is always there.
                _ = try waiting.connect(
                    settings.postgresParameters.merging(["dbname": "postgres"]) { $1 }, .setup,
                    until: Signals.install().stop)
            }
            try DatabaseSetup(settings.postgresParameters).run()
        }
    }

    struct Maintain: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Makes partitions ahead and drops what retention no longer keeps, beside running consumers.",
            discussion: "Can be ended at any time; the next run continues. Ends with status 70 when a step failed.\n\n"
                + SettingsSchema.database.help)

        @OptionGroup var options: SettingsOptions
        @OptionGroup var waiting: WaitOptions

        func run() throws {
            guard let settings = try options.load(.database) else { return }
            startLogging(level: settings[.logLevel], identifier: "heartbeat-maintenance")
            let logger = Logger(label: "maintenance")
            let stop = try Signals.install().stop
            var maintenance = try Maintenance(
                settings, try waiting.connect(settings.postgresParameters, .maintenance, until: stop), stop: stop)
            guard let summary = try maintenance.run() else {
                return logger.notice("maintenance is already running elsewhere; nothing to do")
            }
            logger.notice(
                """
                \(stop.isRequested ? "stopped" : "done"): \(summary.made) new partitions, \
                \(summary.dropped.count) days dropped, \(summary.readings) readings and \(summary.rejected) rejected \
                messages deleted, \(summary.failures) steps failed
                """,
                metadata: [
                    "HEARTBEAT_DAYS": "\(summary.dropped.joined(separator: " "))",
                    "HEARTBEAT_READINGS": "\(summary.readings)", "HEARTBEAT_REJECTED": "\(summary.rejected)",
                ])
            if summary.failures > 0 { throw ExitCode(Exit.software.rawValue) }
        }
    }

    struct Status: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Shows the database's size and growth, and how long the disk lasts.",
            discussion: SettingsSchema.database.help)

        @OptionGroup var options: SettingsOptions

        @Flag(help: "Print JSON.")
        var json = false

        func run() throws {
            guard let settings = try options.load(.database) else { return }
            startLogging(level: settings[.logLevel], identifier: "heartbeat-database")
            let status = try DatabaseStatus(
                settings, try WaitOptions.parse([]).connect(settings.postgresParameters, .status, until: StopSignal()))
            guard json else { return print(status.text) }
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            print(String(decoding: try encoder.encode(status), as: UTF8.self))
        }
    }
}
