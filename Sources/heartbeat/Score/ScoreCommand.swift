import ArgumentParser
import Consumer
import Daemon
import HeartRate
import Producer
import SharedSettings

struct ScoreCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "score", abstract: "Shows what would be told of a recording, when and why, and how well that is.",
        discussion: """
            Judges the recording with the consumer's detector and settings; needs neither Kafka nor PostgreSQL. The file \
            has a header with customer_id, recorded_at, heart_rate and perhaps activity, as for "heartbeat producer \
            --replay". What is known of the customers, with --labels, makes recall, delay and false alarms.


            """ + SettingsSchema.consumer.help)

    @Argument(help: "The recording, as CSV, which may be a gzip.")
    var recording: String

    @Option(
        help: ArgumentHelp(
            "What is known, as CSV: customer_id, kind, began_at, ended_at.",
            discussion: """
                Kinds are those of episodes; another word, as effort, explains a fast rate. Or a label for each reading: \
                customer_id, recorded_at, rhythm_label: then readings with the same label one after another are one, N and \
                none are nothing, and the words of rhythms that are slow or fast stand for bradycardia and tachycardia.
                """, valueName: "file"))
    var labels: String?

    @Option(
        help: ArgumentHelp(
            "The customers' own limits, as CSV: customer_id, heart_rate_min, heart_rate_max, rest_min, rest_max.",
            discussion: "An empty cell, or a column that is not there, is no own limit.", valueName: "file"))
    var limits: String?

    @Option(help: ArgumentHelp("Draw it: a page that needs no other file.", valueName: "file"))
    var html: String?

    @Flag(help: "Also what would not be told.")
    var all = false

    @Flag(help: "The figures as JSON, and nothing else.")
    var json = false

    @OptionGroup var options: SettingsOptions

    func run() throws {
        guard let settings = try options.load(.consumer) else { return }
        var score = try Score(settings, keepsCurves: html != nil)
        if let limits { try readLimits(limits) { score.take($0, of: $1) } }
        try Table.read(
            recording, needed: ["customer_id", "recorded_at", "heart_rate"], optional: ["activity"]
        ) { _, cells throws(CommandFailure) in
            // Nothing was measured.
            guard !cells[2].isEmpty else { return }
            guard let rate = Double(cells[2]), let bpm = Int(exactly: rate) else {
                throw CommandFailure(.config, "heart_rate \"\(cells[2])\" is not a whole number")
            }
            let activity = Activity(name: cells[3].utf8.span)
            score.take(cells[0], at: try LabelFile.instant(cells[1]), heartRate: bpm, activity: activity)
        }
        score.finish()
        if let labels { try LabelFile(labels).read { score.take($0, of: $1) } }
        print(json ? score.json + "\n" : score.text(all: all), terminator: "")
        if let html { try write(score.page, to: html) }
    }

    private func readLimits(_ path: String, _ body: (CustomerLimits, String) -> Void) throws(CommandFailure) {
        let columns = ["heart_rate_min", "heart_rate_max", "rest_min", "rest_max"]
        try Table.read(
            path, needed: ["customer_id"], optional: columns
        ) { _, cells throws(CommandFailure) in
            var rates: [Int16?] = []
            for (column, cell) in zip(columns, cells.dropFirst()) {
                let rate = Int16(cell)
                guard cell.isEmpty || rate.map(Reading.storableHeartRates.contains) == true else {
                    throw CommandFailure(.config, "\(column) \"\(cell)\" is not a whole number from 1 to 299")
                }
                rates.append(rate)
            }
            let limits = CustomerLimits(
                heartRateMin: rates[0], heartRateMax: rates[1], restMin: rates[2], restMax: rates[3])
            body(limits, cells[0])
        }
    }

    private func write(_ page: String, to path: String) throws(CommandFailure) {
        do throws(SystemError) {
            var file = try GrowingFile(path)
            try file.append(page)
        } catch {
            throw CommandFailure(.config, "unable to write \"\(path)\": \(error)")
        }
    }
}
