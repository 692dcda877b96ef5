import ArgumentParser
import Daemon

@main
struct Heartbeat: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "heartbeat",
        abstract: "Watches customers' hearts in real time: Kafka to PostgreSQL, every message exactly once.",
        version: heartbeatVersion,
        subcommands: [
            ProducerCommand.self, GatewayCommand.self, ConsumerCommand.self, DashboardCommand.self,
            NotifierCommand.self, DatabaseCommand.self, VerifyCommand.self, StatusCommand.self, DoctorCommand.self,
            BrokerCommand.self, RejectedCommand.self, ScoreCommand.self, BenchmarkCommand.self, DemoCommand.self,
        ])

    static func main() { runAndExit() }
}
