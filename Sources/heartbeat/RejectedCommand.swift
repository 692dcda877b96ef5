import ArgumentParser
import Bytes
import Daemon
import Database
import Kafka
import Producer
import SharedSettings

struct RejectedCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rejected", abstract: "Shows the messages that were refused, and publishes them again.",
        subcommands: [List.self, Show.self, Replay.self])

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists the refused messages, newest first.", discussion: SettingsSchema.database.help)

        @Option(help: "The most messages to list.")
        var limit = 20

        @Option(help: "Only messages with this reason, as out_of_range.")
        var code: String?

        @Option(help: "Only messages refused since this time, as PostgreSQL reads it: '2026-11-22 10:00', yesterday.")
        var since: String?

        @OptionGroup var options: SettingsOptions

        func validate() throws {
            guard limit > 0 else { throw ValidationError("--limit \(limit): expected 1 or more") }
        }

        func run() throws {
            guard let settings = try options.load(.database) else { return }
            startLogging(level: settings[.logLevel])
            let messages = try RejectedMessages(settings.postgresParameters).newest(limit, code: code, since: since)
            let rows = messages.map { message in
                [
                    "\(message.id)", message.rejectedAt, message.place, message.code, escapingControls(message.reason),
                    message.key.map(RejectedCommand.text) ?? "-",
                ]
            }
            guard !rows.isEmpty else { return print("no rejected messages") }
            RejectedCommand.printTable([["id", "time", "topic [partition] @offset", "code", "reason", "key"]] + rows)
        }
    }

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Shows everything of one refused message.", discussion: SettingsSchema.database.help)

        @Argument(help: "The message's id, as \"heartbeat rejected list\" shows it.")
        var id: Int64

        @OptionGroup var options: SettingsOptions

        func run() throws {
            guard let settings = try options.load(.database) else { return }
            startLogging(level: settings[.logLevel])
            guard let message = try RejectedMessages(settings.postgresParameters).message(id) else {
                throw CommandFailure(.software, "there is no rejected message \(id)")
            }
            var rows = [
                ["id", "\(message.id)"], ["rejected at", message.rejectedAt],
                ["produced at", message.producedAt ?? "unknown"], ["message", message.place],
                ["code", message.code], ["reason", escapingControls(message.reason)],
                ["replayed at", message.replayedAt ?? "never"],
                ["key", message.key.map(RejectedCommand.text) ?? "null"],
            ]
            for header in message.headers {
                let value = header.value.map(RejectedCommand.text) ?? "null"
                rows.append(["header", "\(escapingControls(header.name)): \(value)"])
            }
            rows.append(["payload", message.payload.map { "\($0.count) bytes" } ?? "null (a tombstone)"])
            RejectedCommand.printTable(rows)
            if let payload = message.payload { print(RejectedCommand.text(payload)) }
        }
    }

    struct Replay: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Publishes refused messages again, to the topic that each came from.",
            discussion: """
                Payload, key and headers stay as they were; the header \(RejectedMessages.replayHeader) is added and has \
                the message's place, TOPIC/PARTITION/OFFSET. A message is marked when Kafka has acknowledged it. When the \
                command dies between the two, the message is published once more next time: at least once.

                Without ids all messages are meant. Left out are those that were published again before, and those that \
                were refused again after that, so that nothing goes round in circles: --again takes them, too.


                """ + SettingsSchema.database.help)

        @Argument(help: "The messages' ids, as \"heartbeat rejected list\" shows them.")
        var ids: [Int64] = []

        @Option(help: "Only messages with this reason, as out_of_range.")
        var code: String?

        @Flag(help: "Also messages that were published again before.")
        var again = false

        @Flag(help: "Say what would be published, and publish nothing.")
        var dryRun = false

        @OptionGroup var options: SettingsOptions

        func run() throws {
            guard let settings = try options.load(.database) else { return }
            startLogging(level: settings[.logLevel])
            let messages = try RejectedMessages(settings.postgresParameters)
            let unknown = try messages.unknown(ids)
            guard unknown.isEmpty else {
                let list = unknown.map { String($0) }.joined(separator: ", ")
                throw CommandFailure(.software, "there is no rejected message \(list): nothing is published")
            }
            let selection = RejectedMessages.Selection(ids: ids, code: code, again: again)
            let census = try messages.census(selection)
            if dryRun {
                print("\(census.due) messages would be published again")
            } else {
                let publisher = try Republisher(settings)
                let count = try TerminalProgress.during("publishing again") { progress in
                    var published = 0
                    return try messages.replay(selection) { chunk in
                        try publisher.publish(chunk.map(\.replay))
                        published += chunk.count
                        progress.tell("\(published) of \(census.due) messages")
                    }
                }
                print("\(count) messages published again")
                if count < census.due { print("\(census.due - count) left to another replay that is running now") }
            }
            if census.replayed > 0 { print("\(census.replayed) skipped: published again before (--again takes them)") }
            if census.refusedAgain > 0 {
                print("\(census.refusedAgain) skipped: they were refused again after a replay (--again takes them)")
            }
        }
    }

    /// Bytes as text on one line when they are UTF-8, else in hexadecimal.
    fileprivate static func text(_ bytes: [UInt8]) -> String {
        if let text = String(validating: bytes, as: UTF8.self) { return escapingControls(text) }
        return "0x" + String(hexadecimal: bytes)
    }

    /// Columns as wide as their widest value.
    fileprivate static func printTable(_ rows: [[String]]) {
        let columns = rows.first?.count ?? 0
        let widths = (0..<columns).map { column in rows.map { $0[column].count }.max() ?? 0 }
        for row in rows {
            let cells = zip(row, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }
            print(String(cells.joined(separator: "  ").reversed().drop { $0 == " " }.reversed()))
        }
    }
}

extension RejectedMessage {
    /// As librdkafka writes it.
    fileprivate var place: String { "\(escapingControls(topic)) [\(partition)] @\(offset)" }

    /// The same message, and where it came from.
    fileprivate var replay: Republisher.Message {
        let origin = KafkaMessage.Header(
            name: RejectedMessages.replayHeader, value: Array("\(topic)/\(partition)/\(offset)".utf8))
        return Republisher.Message(
            topic: topic, key: key, value: payload,
            headers: headers.map { KafkaMessage.Header(name: $0.name, value: $0.value) } + [origin])
    }
}
