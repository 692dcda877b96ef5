import ArgumentParser
import Bytes
import Daemon
import Database
import HeartRate
import SharedSettings

struct DatabaseCustomerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "customer", abstract: "Shows what detection knows of one customer.",
        discussion: SettingsSchema.database.help)

    @Argument(help: "The customer's id.")
    var id: String

    @OptionGroup var options: SettingsOptions

    func run() throws {
        guard let settings = try options.load(.database) else { return }
        startLogging(level: settings[.logLevel])
        guard let state = try CustomerState(of: id, settings.postgresParameters) else {
            throw CommandFailure(.software, "there is no customer \(escapingControls(id))")
        }
        var rows = [
            ("customer", escapingControls(id)), ("readings", "\(state.readings), \(state.anomalies) anomalies"),
            ("limits", state.limits ?? "the settings'"), ("roll-ups", state.rollups ?? "none"),
        ]
        if let bytes = state.detector {
            rows.append(("state of detection", "\(bytes.count) bytes, form \(bytes.first ?? 0)"))
            if let detector = Detector(checkpoint: bytes) {
                rows += detector.summary.map { ($0.name, $0.value) }
            } else {
                rows.append(("", "this program does not read that form: detection relearns the customer"))
            }
        }
        let width = rows.map(\.0.count).max() ?? 0
        for (name, value) in rows { print(name + String(repeating: " ", count: width - name.count) + "  " + value) }
    }
}
