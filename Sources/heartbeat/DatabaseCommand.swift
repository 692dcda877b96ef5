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
        subcommands: [Setup.self, Maintain.self, Status.self, DatabaseCustomerCommand.self, Groups.self, Unseal.self])

    /// How long to wait for the server.
    struct WaitOptions: ParsableArguments {
        @Option(help: "How many seconds to wait for PostgreSQL to answer.")
        var wait = 0

        func validate() throws {
            guard (0...86_400).contains(wait) else { throw ValidationError("--wait \(wait): expected 0 to 86400") }
        }

        /// Opens a session, as soon as the server answers.
        ///
        /// - Parameter notice: is told what it is waiting for, then without limit.
        func connect(
            _ parameters: [String: String], _ session: SessionParameters, until stop: StopSignal,
            telling notice: StartNotice? = nil
        ) throws -> PostgreSQLConnection {
            let deadline = ContinuousClock.now + .seconds(wait)
            var backoff = Backoff(to: .seconds(2))
            while true {
                do throws(PostgreSQLError) {
                    return try PostgreSQLConnection(parameters, session)
                } catch {
                    guard notice != nil || ContinuousClock.now < deadline, !stop.isRequested else {
                        throw CommandFailure(.unavailable, error.description)
                    }
                    notice?.tell("waiting for PostgreSQL: \(error)")
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

        @Flag(help: "After the seconds of --wait tell systemd that the start is done, and keep waiting.")
        var keepWaiting = false

        @Flag(help: "Only look whether PostgreSQL is on this machine, and end with status 1 if it is not.")
        var checkLocal = false

        func run() throws {
            if checkLocal { return try expectLocalServer() }
            guard let settings = try options.load(.database) else { return }
            startLogging(level: settings[.logLevel], identifier: "heartbeat-database")
            let notice = try StartNotice(within: .seconds(waiting.wait))
            if waiting.wait > 0 || keepWaiting {
                let stop = try Signals.install().stop
                do {
                    // The database itself may be missing, the server's own is always there.
                    _ = try waiting.connect(
                        settings.postgresParameters.merging(["dbname": "postgres"]) { $1 }, .setup, until: stop,
                        telling: keepWaiting ? notice : nil)
                } catch  where keepWaiting && stop.isRequested {
                    return
                }
            }
            do {
                try TerminalProgress.during("setting the database up") { _ in
                    try DatabaseSetup(settings.postgresParameters).run()
                }
            } catch let error as PostgreSQLError where error.fault == .lasting {
                // The unit does not try that again.
                throw CommandFailure(.refused, error.description)
            }
            notice.done("roles, database and tables are there")
        }

        /// For the unit's condition. A mistake in the settings is for the start itself to report.
        private func expectLocalServer() throws {
            guard let settings = try? options.load(.database), let host = settings.remotePostgreSQL else { return }
            startLogging(level: settings[.logLevel], identifier: "heartbeat-database")
            Logger(label: "database").notice(
                "nothing to do here: PostgreSQL is on \(host), where its administrator runs the setup once")
            throw ExitCode(1)
        }
    }

    struct Maintain: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Makes partitions ahead, drops what retention no longer keeps, seals old days, beside consumers.",
            discussion: "Can be ended at any time; the next run continues. Ends with status 70 when a step failed.\n\n"
                + SettingsSchema.database.help)

        @OptionGroup var options: SettingsOptions
        @OptionGroup var waiting: WaitOptions

        func run() throws {
            guard let settings = try options.load(.database) else { return }
            startLogging(level: settings[.logLevel], identifier: "heartbeat-maintenance")
            let logger = Logger(label: "maintenance")
            let stop = try Signals.install().stop
            let parameters = settings.postgresParameters
            var maintenance = try Maintenance(
                settings, try waiting.connect(parameters, .maintenance, until: stop),
                lock: try waiting.connect(parameters, .maintenanceLock, until: stop), stop: stop)
            guard let summary = try TerminalProgress.during("maintenance", { _ in try maintenance.run() }) else {
                return logger.notice("maintenance is already running elsewhere; nothing to do")
            }
            logger.notice(
                """
                \(stop.isRequested ? "stopped" : "done"): \(summary.made) new partitions, \
                \(summary.dropped.count) days dropped, \(summary.readings) readings and \(summary.rejected) rejected \
                messages deleted, \(summary.failures) steps failed; \(summary.sealed.count) days sealed with \
                \(summary.sealedReadings) readings
                """,
                metadata: [
                    "HEARTBEAT_DAYS": "\(summary.dropped.joined(separator: " "))",
                    "HEARTBEAT_READINGS": "\(summary.readings)", "HEARTBEAT_REJECTED": "\(summary.rejected)",
                    "HEARTBEAT_SEALED_DAYS": "\(summary.sealed.joined(separator: " "))",
                ])
            if summary.failures > 0 { throw ExitCode(Exit.software.rawValue) }
        }
    }

    struct Status: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Shows the database's size and growth, and how long the disk lasts.",
            discussion: "Ends with status 1 when the disk is full.\n\n" + SettingsSchema.database.help)

        @OptionGroup var options: SettingsOptions

        @Flag(help: "Print JSON.")
        var json = false

        func run() throws {
            guard let settings = try options.load(.database) else { return }
            startLogging(level: settings[.logLevel], identifier: "heartbeat-database")
            let status = try settings.asOperator("postgres", running: "database status") {
                try DatabaseStatus(
                    retentionDays: settings[.retentionDays], rollupRetentionDays: settings[.rollupRetentionDays],
                    PostgreSQLConnection(settings.postgresParameters, .status))
            }
            if json {
                let encoder = JSONEncoder()
                encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
                print(String(decoding: try encoder.encode(status), as: UTF8.self))
            } else {
                print(status.text)
            }
            if status.isFull { throw ExitCode(1) }
        }
    }
}
