import ArgumentParser
import Daemon
import Database
import Logging
import PostgreSQL
import Schema
import SharedSettings

extension DatabaseCommand {
    struct Unseal: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Writes a sealed day's readings back into heart_rate_readings.",
            discussion: """
                All in one transaction; the day then takes as much space as before it was sealed. The next "heartbeat database \
                maintain" seals it again, unless SEAL_AFTER_DAYS is 0 or the day is younger than that.


                """ + SettingsSchema.database.help)

        @OptionGroup var options: SettingsOptions

        @Argument(help: "The day in UTC, as 2026-08-25.")
        var day: String

        func validate() throws {
            let parts = day.split(separator: "-", omittingEmptySubsequences: false)
            guard parts.map(\.count) == [4, 2, 2], parts.joined().utf8.allSatisfy({ (48...57).contains($0) }) else {
                throw ValidationError("\(day): expected a day as 2026-08-25")
            }
        }

        func run() throws {
            guard let settings = try options.load(.database) else { return }
            startLogging(level: settings[.logLevel], identifier: "heartbeat-database")
            let logger = Logger(label: "database")
            let parameters = settings.postgresParameters
            let maintenance = try Maintenance(
                settings, try PostgreSQLConnection(parameters, .maintenance),
                lock: try PostgreSQLConnection(parameters, .maintenanceLock), stop: try Signals.install().stop)
            let unsealed = try TerminalProgress.during("unsealing \(day)") { _ in try maintenance.unseal(day: day) }
            guard let readings = unsealed else {
                throw CommandFailure(.unavailable, "maintenance is running elsewhere: try again when it has ended")
            }
            logger.notice("unsealed \(day): \(readings) readings are rows of \"heart_rate_readings\" again")
        }
    }
}
