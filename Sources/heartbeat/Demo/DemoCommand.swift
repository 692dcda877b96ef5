import ArgumentParser
import Daemon
import FoundationEssentials

struct DemoCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract: "Runs the whole pipeline on this machine; Ctrl-C ends it and leaves nothing behind.",
        discussion: """
            It makes a private PostgreSQL cluster in a temporary folder, starts an embedded Kafka broker, a producer, a \
            consumer and the dashboard, each as its own process, and shows their logs and the page's address. The last line has the figures; "verified" is what \
            "heartbeat verify" says. Kill one of them to see what happens: it is started again. \
            It ends with status 0 only when everything that was published is stored exactly once.

            The producer's other settings (see "heartbeat producer --help") and the consumer's come from the environment, \
            as MALFORMED_RATE=0.1. With --brokers the topic is KAFKA_TOPIC or heartbeat-demo, with --postgres the \
            database is dbname or heartbeat_demo: other data are not touched, and what was stored stays.
            """)

    @Option(help: ArgumentHelp("Use these Kafka brokers instead of an embedded one.", valueName: "host:port"))
    var brokers: String?

    @Option(
        help: ArgumentHelp(
            """
            Use this PostgreSQL server instead of a private one: some of host, port, dbname and user, as \
            host=db.example,user=me. The user has to be able to make roles and databases, unless \
            "heartbeat database setup" has run there. A password comes from POSTGRES_PASSWORD or libpq's own files.
            """, valueName: "key=value,..."))
    var postgres: DemoDatabaseAddress?

    @Option(help: "How many customers the producer simulates.")
    var customers = 50

    @Option(help: ArgumentHelp("The time between two readings of one customer.", valueName: "seconds"))
    var interval = 1.0

    @Option(help: "How many partitions the topic gets when it is made.")
    var partitions = 4

    @Option(help: ArgumentHelp("End after this time.", valueName: "seconds"))
    var seconds: Int?

    /// A folder that the demo made when it was root, before it became an ordinary user.
    @Option(help: .hidden)
    var folder: String?

    func validate() throws {
        guard (1...10_000).contains(partitions) else {
            throw ValidationError("--partitions \(partitions): expected 1 to 10000")
        }
        if let seconds, seconds < 1 { throw ValidationError("--seconds \(seconds): expected 1 or more") }
    }

    func run() throws {
        guard !isRoot else {
            try PrivateFolder.startAgainAsOrdinaryUser("demo", Array(CommandLine.arguments.dropFirst())) {
                printAtOnce("demo       | \($0)")
            }
        }
        let folder = try folder.map(PrivateFolder.init(takingOver:)) ?? PrivateFolder(for: "demo")
        // PostgreSQL wants to know its current folder, which may be one that only root can enter.
        _ = FileManager.default.changeCurrentDirectoryPath("/")
        let demo: Demo
        do {
            demo = try Demo(options, in: folder)
            try runToEnd(demo)
        } catch {
            folder.remove()
            throw error
        }
        folder.remove()
        printAtOnce("demo       | \(demo.farewell)")
    }

    private var options: Demo.Options {
        Demo.Options(
            brokers: brokers, postgres: postgres, customers: customers, interval: interval, partitions: partitions,
            seconds: seconds)
    }

    private func runToEnd(_ demo: Demo) throws {
        let signals = try Signals.install()
        // libpq's and librdkafka's calls have threads of their own; the main thread only waits for the tasks.
        try waitForTask { try await demo.run(signals) }
    }
}
