import ArgumentParser
import Consumer
import Daemon
import FoundationEssentials
import Logging
import SharedSettings

struct BenchmarkCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "benchmark",
        abstract: "Measures how fast everything is on these servers, says what limits it, and leaves nothing behind.",
        discussion: """
            Decoding, COPY and publishing, each alone; ingest by the consumer; the time from the publication of a message \
            until its row is visible, at three rates; sealing a day; and the page's questions. It takes one to two minutes. \
            The last sentences say what it means: how many hearts can be kept, and what a year of them takes.

            Servers are those of the consumer's settings. The benchmark makes a topic, a consumer group and a database of \
            its own there, "heartbeat_benchmark", and the roles that are missing. It removes all of it at its end, also \
            when a signal or an error ends it; after SIGKILL the next run removes topic and database. Other data are not \
            touched. It refuses to load a server whose database has readings, unless --database names the own database. \
            The role has to be able to make roles and databases: runuser -u postgres -- heartbeat benchmark.

            Ends with status 78 when it refuses, and with 70 when it was stopped before its end.


            """ + SettingsSchema.consumer.help)

    @OptionGroup var options: SettingsOptions

    @Flag(
        help: "Make private servers, as the demo does: PostgreSQL in a temporary folder, and a broker in memory.")
    var local = false

    @Option(
        help: ArgumentHelp(
            "Make the own database by this name, also on a server whose database has readings.", valueName: "name"))
    var database: String?

    @Option(help: "How many messages are published and stored.")
    var messages = 500_000

    @Option(help: "Of how many customers.")
    var customers = 1000

    @Option(help: ArgumentHelp("For how long each of the three latencies is measured.", valueName: "seconds"))
    var seconds = 10

    @Flag(help: "Print JSON.")
    var json = false

    /// A folder that the benchmark made when it was root, before it became an ordinary user.
    @Option(help: .hidden)
    var folder: String?

    func validate() throws {
        guard (1000...100_000_000).contains(messages) else {
            throw ValidationError("--messages \(messages): expected 1000 to 100000000")
        }
        guard (1...100_000).contains(customers) else {
            throw ValidationError("--customers \(customers): expected 1 to 100000")
        }
        guard (1...3600).contains(seconds) else { throw ValidationError("--seconds \(seconds): expected 1 to 3600") }
        guard !local || database == nil else { throw ValidationError("--database and --local exclude each other") }
        guard database?.isEmpty != true else { throw ValidationError("--database: expected a name") }
    }

    func run() throws {
        guard try options.load(.consumer) != nil else { return }
        startLogging(level: .warning, identifier: "heartbeat-benchmark")
        guard !local || !isRoot else {
            try PrivateFolder.startAgainAsOrdinaryUser("benchmark", Array(CommandLine.arguments.dropFirst())) { _ in }
        }
        let folder = try folder.map(PrivateFolder.init(takingOver:)) ?? PrivateFolder(for: "benchmark")
        defer { folder.remove() }
        let file = options.config.map { URL(fileURLWithPath: $0).path }
        // PostgreSQL wants to know its current folder, which may be one that only root can enter.
        if local { _ = FileManager.default.changeCurrentDirectoryPath("/") }
        let benchmark = try Benchmark(
            Benchmark.Request(
                file: file, database: database, isLocal: local, messages: messages, customers: customers,
                seconds: seconds), in: folder)
        let signals = try Signals.install()
        let results = try waitForTask { try await benchmark.run(signals.stop) }
        print(json ? results.json : results.text)
    }
}
