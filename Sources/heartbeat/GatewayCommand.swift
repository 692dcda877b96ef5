import ArgumentParser
import Daemon
import Gateway
import SharedSettings

struct GatewayCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gateway", abstract: "Takes readings by HTTP on port 8502 and sends them to Kafka.",
        discussion: """
            POST /api/v1/readings takes the contract's JSON, and POST /fhir/Observation a heart rate as FHIR R4 has it. Each \
            sender needs a token: "heartbeat gateway token" makes one.

            \(SettingsSchema.gateway.help)
            """,
        subcommands: [TokenCommand.self])

    @OptionGroup var options: SettingsOptions

    func run() throws {
        guard let settings = try options.load(.gateway) else { return }
        startLogging(level: settings[.logLevel], identifier: "heartbeat-gateway")
        let gateway = try Gateway(settings)
        let service = try Service(.gateway, settings, options: options, needs: [.kafka: settings.kafkaPlace])
        try service.run { try gateway.run(service) }
    }

    struct TokenCommand: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "token", abstract: "Makes a token for a sender, and adds its hash to the gateway's file.",
            discussion: """
                The token is shown only here. A running gateway takes it after "systemctl reload heartbeat-gateway". To revoke \
                one, delete its line from the file and reload.


                """ + SettingsSchema.gateway.help)

        @Argument(help: "Whose token it is: letters, digits, \"-\" and \"_\".")
        var name: String

        @Option(
            help: ArgumentHelp(
                "For whom it may send: customers' ids separated by commas. One that ends in \"*\" is a prefix.",
                valueName: "ids"))
        var customers: String

        @Option(help: "How many readings a second it may send. The default is GATEWAY_READINGS_PER_SECOND.")
        var readingsPerSecond: Int?

        @OptionGroup var options: SettingsOptions

        func validate() throws {
            if let rate = readingsPerSecond, !(1...1_000_000).contains(rate) {
                throw ValidationError("--readings-per-second \(rate): expected 1 to 1000000")
            }
        }

        func run() throws {
            guard let settings = try options.load(.gateway) else { return }
            let new = try NewToken(name, customers: customers, readingsPerSecond: readingsPerSecond)
            try new.add(to: settings)
            print(new.token)
        }
    }
}
