import ArgumentParser
import Daemon
import Database
import Logging
import PostgreSQL
import Producer
import Schema
import SharedSettings

extension DatabaseCommand {
    struct Groups: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Puts customers into groups, such as wards, by a CSV file.",
            discussion: """
                The first line names the columns, of which "customer_id" and "group" are read. A customer may be in several groups, \
                a line for each. All of the file is taken, or nothing.


                """ + SettingsSchema.database.help)

        @OptionGroup var options: SettingsOptions

        @Flag(help: "Take everybody out of the groups that the file does not name for them.")
        var replace = false

        @Argument(help: "The file; it may be packed by gzip.")
        var file: String

        func run() throws {
            guard let settings = try options.load(.database) else { return }
            startLogging(level: settings[.logLevel], identifier: "heartbeat-database")
            var groups = CustomerGroups()
            var lines: [Int] = []
            try Table.read(file, needed: ["customer_id", "group"]) { line, cells throws(CommandFailure) in
                do throws(CustomerGroups.Refusal) {
                    try groups.add(cells[0], to: cells[1])
                } catch {
                    throw CommandFailure(.config, error.reason)
                }
                lines.append(line)
            }
            let (added, removed) = try settings.asOperator("postgres", running: "database groups FILE") {
                let connection = try PostgreSQLConnection(settings.postgresParameters, .maintenance)
                if let wrong = try groups.firstWrongName(connection) {
                    throw CommandFailure(.config, "\(file):\(lines[wrong]): group: \(GroupName.rule)")
                }
                return try groups.store(connection, replacing: replace)
            }
            Logger(label: "database").notice(
                "\(file): \(added) memberships of groups are new, \(removed) are removed, \(groups.count - added) were there"
            )
        }
    }
}
