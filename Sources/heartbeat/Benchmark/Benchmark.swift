import Consumer
import Daemon
import Database
import FoundationEssentials
import HeartRate
import Kafka
import LocalServers
import Logging
import PostgreSQL
import Schema
import SharedSettings

/// Measures the parts of the pipeline, one after another, on the user's servers or on private ones.
struct Benchmark: Sendable {
    /// What was asked for.
    struct Request: Sendable {
        let file: String?
        /// The name of the own database, when one was given.
        let database: String?
        let isLocal: Bool
        let messages: Int
        let customers: Int
        /// For how long each latency is measured.
        let seconds: Int
    }

    private static let lowestRate = 20
    private static let middleRate = 1000
    private static let highestRate = 10_000

    private let request: Request
    private let folder: PrivateFolder
    private let program: String
    private let environment = ProcessInfo.processInfo.environment
    private let screen = LocalScreen(of: "benchmark", isTerminal: false, isHidden: true)

    init(_ request: Request, in folder: PrivateFolder) throws {
        self.request = request
        self.folder = folder
        program = try PrivateFolder.thisProgram()
    }

    /// Runs until everything is measured, and removes what it has made, also when it is asked to stop or fails.
    ///
    /// - Throws: `CommandFailure`, `PostgreSQLError`, `KafkaError`, `SettingsError`.
    func run(_ stop: StopSignal) async throws -> BenchmarkResults {
        do {
            return request.isLocal ? try await runLocally(stop) : try await runOnServers(stop)
        } catch {
            let logger = Logger(label: "benchmark")
            if (error as? CommandFailure) != Course.stopped {
                for line in screen.lastLines { logger.error("\(line)") }
            }
            throw error
        }
    }

    // MARK: - Servers

    private var topic: String { "heartbeat-benchmark-\(ProcessInfo.processInfo.processIdentifier)" }

    private func runOnServers(_ stop: StopSignal) async throws -> BenchmarkResults {
        if request.database == nil {
            let installation = try Settings(.consumer, file: request.file, environment: environment)
            try await onThread("installation", stoppedBy: stop) {
                try InstallationCheck(installation).expectNoReadings()
            }
        }
        let ground = try BenchmarkGround(
            file: request.file, environment: environment,
            own: own(["POSTGRES_DB": request.database ?? BenchmarkGround.defaultDatabase]), isLocal: false)
        return try await measure(on: ground, stop)
    }

    /// As the demo has them; the messages have to fit into the broker's memory.
    private func runLocally(_ stop: StopSignal) async throws -> BenchmarkResults {
        let inherited = environment.filter { name, _ in
            !["PG", "POSTGRES_", "KAFKA_", "RDKAFKA_"].contains { name.hasPrefix($0) }
        }
        let partitions = max(16, request.messages / 25_000)
        let postgreSQL = try PrivatePostgreSQL(in: folder)
        return try await postgreSQL.run(on: screen) {
            let broker = LocalProcess(
                name: "broker", program: program,
                arguments: ["broker", "--topic", topic, "--partitions", "\(partitions)"], environment: inherited)
            // Its log lines have spaces, its address has none.
            return try await broker.run(on: screen, isReady: { !$0.contains(" ") }) { address in
                let servers = [
                    "KAFKA_BOOTSTRAP_SERVERS": address, "KAFKA_PARTITIONS": "\(partitions)",
                    // The embedded broker answers an empty fetch only at the end of this time, and rebalances only after
                    // most of this one.
                    "RDKAFKA_FETCH_WAIT_MAX_MS": "10", "RDKAFKA_SESSION_TIMEOUT_MS": "6000",
                ].merging(postgreSQL.settings(as: "postgres")) { $1 }
                let ground = try BenchmarkGround(
                    file: request.file ?? "/dev/null", environment: inherited, own: own(servers), isLocal: true)
                return try await measure(on: ground, stop)
            }
        }
    }

    private func own(_ servers: [String: String]) -> [String: String] {
        ["KAFKA_TOPIC": topic, "KAFKA_GROUP_ID": topic, "METRICS_DIRECTORY": folder.path].merging(servers) { $1 }
    }

    // MARK: - Measures

    private func measure(on ground: BenchmarkGround, _ stop: StopSignal) async throws -> BenchmarkResults {
        let results: BenchmarkResults
        do {
            let alone = try await onThread("alone", stoppedBy: stop) { try measureAlone(on: ground, stop) }
            let consumer = LocalProcess(
                name: "consumer", program: program, arguments: ["consumer"] + ground.fileOption,
                environment: ground.environment)
            let together = try await consumer.run(on: screen) { _ in
                try await onThread("together", stoppedBy: stop) { try measureConsumer(on: ground, stop) }
            }
            results = try await onThread("stored", stoppedBy: stop) {
                try measureStored(after: (alone, together), on: ground, stop)
            }
        } catch {
            try? await remove(ground)
            throw error
        }
        try await remove(ground)
        return results
    }

    private func remove(_ ground: BenchmarkGround) async throws {
        let left = try await onThread("removal", stoppedBy: StopSignal()) { ground.remove() }
        guard !left.isEmpty else { return }
        for line in left { Logger(label: "benchmark").error("\(line)") }
        throw CommandFailure(.software, "not everything that was made could be removed")
    }

    /// What needs no consumer.
    private struct Alone {
        let decode, copy, produce: BenchmarkResults.Rate
    }

    /// What a running consumer shows.
    private struct Together {
        let ingest: BenchmarkResults.Rate
        let latencies: [BenchmarkResults.Latency]
    }

    /// Readings that end now.
    private var readings: BenchmarkReadings {
        let span = Int64(request.messages / request.customers + 1) * 1_000_000
        return BenchmarkReadings(
            customers: request.customers,
            from: Instant(microsecondsSince1970: wallClockMicroseconds() - span))
    }

    private func during<Result>(
        _ what: String, until stop: StopSignal, _ body: (Course) throws -> Result
    ) throws -> Result {
        try TerminalProgress.during(what) { progress in
            let course = Course(stop, progress)
            try course.expectGoing()
            return try body(course)
        }
    }

    private func measureAlone(on ground: BenchmarkGround, _ stop: StopSignal) throws -> Alone {
        try during("making database and topic", until: stop) { _ in try ground.make(stop) }
        let settings = ground.settings
        let rule = AnomalyRule(minimum: Int16(settings[.heartRateMin]), maximum: Int16(settings[.heartRateMax]))
        let readings = readings
        let messages = request.messages
        return Alone(
            decode: try during("decoding", until: stop) { try DecodeMeasure.run(readings, by: rule, $0) },
            copy: try during("COPY", until: stop) {
                try CopyMeasure.run(readings, rows: messages, batch: settings[.batchRows], on: ground, $0)
            },
            produce: try during("publishing", until: stop) {
                try PublishMeasure.run(readings, messages: messages, on: ground, $0)
            })
    }

    private func measureConsumer(on ground: BenchmarkGround, _ stop: StopSignal) throws -> Together {
        let ingest = try during("ingest", until: stop) {
            try IngestMeasure.run(messages: request.messages, on: ground, $0)
        }
        // What a slow machine keeps up with says more than how it falls behind.
        let highest = min(Self.highestRate, max(2 * Self.middleRate, Int(ingest.perSecond / 2)))
        let latencies = try [Self.lowestRate, Self.middleRate, highest].map { rate in
            try during("latency at \(rate)/s", until: stop) {
                try LatencyMeasure.run(
                    rate: rate, seconds: request.seconds, customers: request.customers, on: ground, $0)
            }
        }
        return Together(ingest: ingest, latencies: latencies)
    }

    private func measureStored(
        after measured: (alone: Alone, together: Together), on ground: BenchmarkGround, _ stop: StopSignal
    ) throws -> BenchmarkResults {
        let sealing = try during("sealing", until: stop) {
            try SealMeasure.run(readings: request.messages, on: ground, stop, $0)
        }
        let queries = try during("the page's questions", until: stop) { try PageMeasure.run(on: ground, stop, $0) }
        let version: String = try PostgreSQLConnection(ground.parameters, .benchmark).query(
            "SELECT split_part(current_setting('server_version'), ' ', 1)", unableTo: "ask for the version"
        ).value()
        let settings = ground.settings
        return BenchmarkResults(
            servers: BenchmarkResults.Servers(
                postgresql: version, brokers: settings[.kafkaBootstrapServers], partitions: settings[.kafkaPartitions],
                isLocal: request.isLocal, isThisMachine: settings.remotePostgreSQL == nil),
            messages: request.messages, customers: request.customers, decode: measured.alone.decode,
            copy: measured.alone.copy, produce: measured.alone.produce, ingest: measured.together.ingest,
            latencies: measured.together.latencies, sealing: sealing, queries: queries)
    }
}
