import ArgumentParser
import Daemon
import HeartRate
import Producer
import SharedSettings

struct ProducerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "producer", abstract: "Sends simulated or recorded readings to Kafka.",
        discussion: SettingsSchema.producer.help)

    @OptionGroup var options: SettingsOptions

    @Option(
        help: ArgumentHelp(
            "Send the readings of this CSV file, which may be a gzip, instead of simulating any.",
            discussion: """
                Its first line names the columns: customer_id, recorded_at and heart_rate in any order, and activity \
                if it has one; others are ignored. The whole file is read before anything is sent. Rows without a heart rate are left out; one \
                that the consumer would reject is named, and nothing is sent. What comes from a pipe is copied to \
                TMPDIR first.
                """, valueName: "file"))
    var replay: String?

    @Option(help: "Replay this many times as fast as it was recorded.")
    var speed: Double?

    @Flag(
        help: """
            Move all timestamps of the file by one amount: the first is now, or with --flat-out or a --speed above 1 the \
            last is when it is sent, so that none is in the future.
            """)
    var shiftToNow = false

    @Flag(help: "With --replay: leave out the rows that the consumer would reject, and say how many.")
    var skipInvalid = false

    @Flag(
        help: """
            Send without any pace. Simulated time then runs ahead; with --count it begins in the past and ends now.
            """)
    var flatOut = false

    @Option(help: "End after this many simulated messages.")
    var count: Int?

    @Option(
        help: ArgumentHelp(
            "With --flat-out: simulated time begins then, as 2026-02-19T15:00:00Z. With SEED each run is the same.",
            valueName: "time"), transform: moment)
    var begin: Instant?

    @Option(
        help: ArgumentHelp(
            "Write to this file, as CSV, which episodes were simulated: when each heart beat too slowly or too fast.",
            discussion: """
                Its header is customer_id,kind,began_at,ended_at. Kinds are bradycardia (below 40 bpm), tachycardia \
                (above 180 bpm), elevated (131 bpm and more by effort) and "signal loss", from the last reading before \
                to the first one after. A row is written some time after its end, the last ones when the command ends.
                """, valueName: "file"))
    var truth: String?

    func validate() throws {
        if let speed {
            guard (0.001...1_000_000).contains(speed) else {
                throw ValidationError("--speed \(speed): expected 0.001 to 1000000")
            }
            if flatOut { throw ValidationError("--speed and --flat-out exclude each other") }
        }
        if let count, count < 1 { throw ValidationError("--count \(count): expected 1 or more") }
        if replay == nil, speed != nil || shiftToNow || skipInvalid {
            throw ValidationError("--speed, --shift-to-now and --skip-invalid need --replay")
        }
        if replay != nil, count != nil || truth != nil {
            throw ValidationError("--count and --truth are not for --replay")
        }
        if begin != nil, replay != nil || !flatOut {
            throw ValidationError("--begin needs --flat-out and is not for --replay")
        }
    }

    func run() throws {
        guard let settings = try options.load(.producer) else { return }
        startLogging(level: settings[.logLevel], identifier: "heartbeat-producer")
        let producer = try Producer(settings)
        let service = try Service(.producer, settings, options: options, needs: [.kafka: settings.kafkaPlace])
        let plan = SimulationPlan(count: count, begin: begin, truthFile: truth)
        let source = replay.map { path in
            Producer.Source.replay(
                ReplayPlan(
                    path: path, speed: flatOut ? nil : speed ?? 1, shiftsToNow: shiftToNow, skipsInvalid: skipInvalid))
        }
        let exit = try service.run {
            try producer.run(source ?? .simulation(plan), isPaced: !flatOut, service)
        }
        if exit != .ok { throw ExitCode(exit.rawValue) }
    }
}

/// Reads a time on the command line as a message's timestamp is read.
private func moment(_ text: String) throws -> Instant {
    guard let instant = Instant(iso8601: text.utf8.span) else {
        throw ValidationError("\"\(text)\": expected a time like 2026-02-19T15:00:00Z")
    }
    return instant
}
