import ArgumentParser
import Daemon
import Dashboard

struct DashboardCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dashboard", abstract: "Serves the live page on port 8501.",
        discussion: """
            The page shows open episodes first, and whoever may look may acknowledge them; nothing else can be changed.

            \(SettingsSchema.dashboard.help)
            """)

    @OptionGroup var options: SettingsOptions

    func run() throws {
        guard let settings = try options.load(.dashboard) else { return }
        startLogging(level: settings[.logLevel], identifier: "heartbeat-dashboard")
        let dashboard = try Dashboard(settings)
        let service = try Service(.dashboard, settings, options: options, needs: [.postgreSQL: "PostgreSQL"])
        try service.run { try dashboard.run(service) }
    }
}
