import ArgumentParser
import Daemon
import Producer

struct ProducerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "producer", abstract: "Sends simulated or recorded readings to Kafka.",
        discussion: SettingsSchema.producer.help)

    @OptionGroup var options: SettingsOptions

    @Option(
        help: ArgumentHelp(
            "Send the readings of this CSV file, which may be a gzip, instead of simulating any.",
            discussion: "Its header is customer_id,recorded_at,heart_rate.", valueName: "file"))
    var replay: String?

    @Option(help: "Replay so many times as fast as it was recorded.")
    var speed: Double?

    @Flag(help: "Move all timestamps of the file by one amount, so that the first is now.")
    var shiftToNow = false

    @Flag(
        help: """
            Send without any pace. Simulated time then runs ahead; with --count it begins in the past and ends now.
            """)
    var flatOut = false

    @Option(help: "End after so many simulated messages.")
    var count: Int?

    func validate() throws {
        if let speed {
            guard (0.001...1_000_000).contains(speed) else {
                throw ValidationError("--speed \(speed): expected 0.001 to 1000000")
            }
            if flatOut { throw ValidationError("--speed and --flat-out exclude each other") }
        }
        if let count, count < 1 { throw ValidationError("--count \(count): expected 1 or more") }
        if replay == nil, speed != nil || shiftToNow {
            throw ValidationError("--speed and --shift-to-now need --replay")
        }
        if replay != nil, count != nil { throw ValidationError("--count is not for --replay") }
    }

    func run() throws {
        guard let settings = try options.load(.producer) else { return }
        startLogging(level: settings[.logLevel], identifier: "heartbeat-producer")
        let producer = try Producer(settings)
        let service = try Service("producer", settings, options, needs: [.kafka])
        let source = replay.map { Producer.Source.replay(path: $0, shiftsToNow: shiftToNow) }
        let exit = try service.run {
            try producer.run(source ?? .simulation(count: count), speed: flatOut ? nil : speed ?? 1, service)
        }
        if exit != .ok { throw ExitCode(exit.rawValue) }
    }
}
