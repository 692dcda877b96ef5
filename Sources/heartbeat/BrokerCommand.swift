import ArgumentParser
import Daemon
import Kafka
import Logging

struct BrokerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "broker", abstract: "Runs an embedded Kafka broker in memory, for the demo and for tests.",
        discussion: """
            Prints its address as one line and runs until SIGTERM. It speaks Kafka's protocol but keeps nothing: at most \
            5 MiB a partition, and all is gone when it ends. A line "down" or "up" on standard input takes it down and up, \
            "topic CODE" answers questions for the topic with an error of the protocol, "refuse REQUEST CODE TIMES" the \
            next requests of a kind until "serve REQUEST".
            """)

    @Option(help: "How many brokers.")
    var brokers = 1

    @Option(help: "The topic to create.")
    var topic = "heartbeat"

    @Option(help: "How many partitions the topic has.")
    var partitions = 4

    func validate() throws {
        guard (1...16).contains(brokers) else { throw ValidationError("--brokers \(brokers): expected 1 to 16") }
        guard (1...10_000).contains(partitions) else {
            throw ValidationError("--partitions \(partitions): expected 1 to 10000")
        }
    }

    func run() throws {
        startLogging(level: .info)
        let stop = StopSignal()
        let signals = try Signals.install(stop: stop)
        let broker = try EmbeddedBroker(brokers: brokers)
        try broker.createTopic(topic, partitions: partitions, replicationFactor: 1)
        printAtOnce(broker.bootstrapServers)
        _ = try WorkThread(name: "commands") {
            while let line = nextInputLine() {
                do {
                    let words = line.split(separator: " ")
                    let numbers = words.dropFirst().compactMap { Int32($0) }
                    switch (words.first, numbers.count) {
                    case ("down", 0), ("up", 0): try broker.setDown(line == "down")
                    case ("topic", 1): broker.setError(.init(rawValue: numbers[0]), of: topic)
                    case ("refuse", 3):
                        broker.refuse(
                            Int16(numbers[0]), with: .init(rawValue: numbers[1]), times: Int(numbers[2]))
                    case ("serve", 1): broker.serve(Int16(numbers[0]))
                    default: Logger(label: "broker").error("unknown command: \(line)")
                    }
                } catch {
                    Logger(label: "broker").error("\(error)")
                }
            }
        }
        while !stop.wait(for: .seconds(3600)) {}
        withExtendedLifetime((signals, broker)) {}
    }
}
