import ArgumentParser
import Daemon
import Dashboard

struct DashboardCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dashboard", abstract: "Serves the live page on port 8501.",
        discussion: """
            The page shows open episodes first, and whoever may look may acknowledge them. Programs read and act with a token: \
            "heartbeat dashboard token" makes one.

            \(SettingsSchema.dashboard.help)
            """,
        subcommands: [DashboardTokenCommand.self])

    @OptionGroup var options: SettingsOptions

    func run() throws {
        guard let settings = try options.load(.dashboard) else { return }
        startLogging(level: settings[.logLevel], identifier: "heartbeat-dashboard")
        let dashboard = try Dashboard(settings)
        let service = try Service(.dashboard, settings, options: options, needs: [.postgreSQL: "PostgreSQL"])
        try service.run { try dashboard.run(service) }
    }

    struct DashboardTokenCommand: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "token", abstract: "Makes a token for a program, and adds its hash to the dashboard's file.",
            discussion: """
                The token is shown only here. A running dashboard takes it after "systemctl reload heartbeat-dashboard". To \
                revoke one, delete its line from the file and reload.


                """ + SettingsSchema.dashboard.help)

        @Argument(
            help: "Whose token it is: letters, digits, \"-\" and \"_\". What is done with it is noted under this name.")
        var name: String

        @Option(
            help: ArgumentHelp(
                "What it is for: read, acknowledge, manage, or several separated by commas.", valueName: "scopes"))
        var scopes = "read"

        @OptionGroup var options: SettingsOptions

        func run() throws {
            guard let settings = try options.load(.dashboard) else { return }
            let new = try NewToken(name, scopes: scopes)
            try new.add(to: settings)
            print(new.token)
        }
    }
}
