import ArgumentParser
import Daemon
import Dashboard
import Database
import FoundationEssentials
import PostgreSQL
import Schema
import SharedSettings

struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Shows on one screen how everything is: daemons, rate, lag, customers, open highs, disk.",
        discussion: """
            Daemons are those of this machine; the rest is what the database has. Ends with status 69 when PostgreSQL does \
            not answer.


            """ + SettingsSchema.dashboard.help)

    @OptionGroup var options: SettingsOptions

    @Flag(help: "Show it again every two seconds, until it is ended.")
    var watch = false

    @Flag(help: "Print JSON; with --watch one object a line.")
    var json = false

    func run() throws {
        guard let settings = try options.load(.dashboard) else { return }
        let stop = watch ? try Signals.install().stop : StopSignal()
        while true {
            let report = Report(settings)
            let text = json ? report.json(isPretty: !watch) : report.text
            printAtOnce(watch && !json && Terminal.isOutput ? Terminal.clear + text : text)
            guard watch else {
                guard report.overview.isComplete else { throw ExitCode(Exit.unavailable.rawValue) }
                return
            }
            if stop.wait(for: .seconds(2)) { return }
        }
    }

    /// What the dashboard and what the database know.
    private struct Report: Encodable {
        let overview: Overview
        private let storage: DatabaseStatus?
        private let hint: String?

        init(_ settings: Settings) {
            overview = Overview(settings)
            let database = try? Settings(.database, environment: ProcessInfo.processInfo.environment)
            let days = database?[.retentionDays] ?? Setting.retentionDays.defaultValue
            let rollupDays = database?[.rollupRetentionDays] ?? Setting.rollupRetentionDays.defaultValue
            let parameters = settings.postgresParameters.merging(["connect_timeout": "5"]) { $1 }
            do {
                storage = try settings.asOperator("heartbeat-dashboard", running: "status") {
                    try DatabaseStatus(
                        retentionDays: days, rollupRetentionDays: rollupDays,
                        PostgreSQLConnection(parameters, .status))
                }
                hint = nil
            } catch {
                storage = nil
                hint = (error as? CommandFailure)?.hint
            }
        }

        private enum CodingKeys: CodingKey { case storage }

        func encode(to encoder: any Encoder) throws {
            try overview.encode(to: encoder)
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(storage, forKey: .storage)
        }

        func json(isPretty: Bool) -> String {
            let encoder = JSONEncoder()
            encoder.keyEncodingStrategy = .convertToSnakeCase
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            if isPretty { encoder.outputFormatting.insert(.prettyPrinted) }
            return (try? encoder.encode(self)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
        }

        var text: String {
            var lines = overview.lines
            for line in storage?.lines ?? [] where ["readings", "disk", "full"].contains(line.name) {
                lines.append(.init(line.name, line.text, isUrgent: line.name == "full" && storage?.isFull == true))
            }
            if let hint { lines.append(.init("hint", hint)) }
            let width = lines.map(\.name.count).max() ?? 0
            return lines.map { line in
                let text = line.isUrgent && Terminal.hasColours ? Terminal.coloured(line.text, .yellow) : line.text
                return line.name + String(repeating: " ", count: width - line.name.count + 2) + text
            }.joined(separator: "\n")
        }
    }
}
