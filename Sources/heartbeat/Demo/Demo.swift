import Consumer
import Daemon
import Database
import FoundationEssentials
import PostgreSQL
import Kafka
import KafkaService
import Schema
import SharedSettings

/// The whole pipeline on one machine, started in order and ended in the opposite one.
struct Demo: Sendable {
    private let options: Options
    private let screen = LocalScreen(of: "demo", isTerminal: Terminal.isOutput)
    private let folder: PrivateFolder
    private let program: String
    private let environment = ProcessInfo.processInfo.environment
    /// nil when there is a server to use.
    private let privatePostgreSQL: PrivatePostgreSQL?

    /// What was asked for.
    struct Options: Sendable {
        let brokers: String?
        let postgres: DemoDatabaseAddress?
        let customers: Int
        let interval: Double
        let partitions: Int
        let seconds: Int?
    }

    init(_ options: Options, in folder: PrivateFolder) throws {
        self.options = options
        self.folder = folder
        program = try PrivateFolder.thisProgram()
        privatePostgreSQL = try options.postgres == nil ? PrivatePostgreSQL(in: folder) : nil
    }

    /// Runs until somebody asks to stop, or for the time that was asked for.
    ///
    /// - Throws: `CommandFailure` when something is not stored exactly once, or when a process cannot go on.
    func run(_ signals: Signals) async throws {
        try await withPostgreSQL {
            let setup = heartbeat("database", ["database", "setup"], settings: databaseSettings(as: "postgres"))
            try await setup.runToEnd(on: screen)
            try await withBroker { brokers in try await runPipeline(brokers, signals) }
        }
    }

    /// What is left when it has run and its folder is gone.
    var farewell: String {
        options.brokers == nil && privatePostgreSQL != nil
            ? "ended: nothing is left behind" : "ended: what was stored on servers that were there before stays there"
    }

    // MARK: - What is below

    private func withPostgreSQL(_ body: @escaping @Sendable () async throws -> Void) async throws {
        guard let privatePostgreSQL else { return try await body() }
        try await privatePostgreSQL.run(with: ["max_wal_size=256MB"], on: screen, while: body)
    }

    private func withBroker(_ body: @escaping @Sendable (_ brokers: String) async throws -> Void) async throws {
        if let brokers = options.brokers { return try await body(brokers) }
        screen.note("the Kafka broker is in memory and ends with the demo; --brokers HOST:PORT names a real one")
        let broker = heartbeat(
            "broker", ["broker", "--topic", topic, "--partitions", "\(options.partitions)"], settings: [:])
        // Its log lines have spaces, its address has none.
        try await broker.run(on: screen, isReady: { !$0.contains(" ") }, while: body)
    }

    // MARK: - The pipeline

    private func runPipeline(_ brokers: String, _ signals: Signals) async throws {
        let settings = try Settings(.consumer, file: "/dev/null", environment: consumerSettings(brokers))
        let meter = try DemoMeter(
            settings.postgresParameters,
            try settings.kafkaConfiguration(for: .consumer, defaults: [], fixed: []), topic: topic)
        defer { meter.end() }
        var consumer = heartbeat("consumer", ["consumer"], settings: consumerSettings(brokers))
        var producer = heartbeat("producer", ["producer"], settings: producerSettings(brokers))
        consumer.isRestarted = true
        producer.isRestarted = true
        try await withDashboard { [consumer, producer] in
            try await consumer.run(on: screen) { _ in
                try await producer.run(on: screen) { _ in try await showFigures(meter, signals) }
                try await waitUntilEverythingIsStored(meter)
            }
        }
        try await verify(settings, meter.figures)
    }

    private func withDashboard(_ body: @escaping @Sendable () async throws -> Void) async throws {
        let port = try environment["DASHBOARD_PORT"] ?? "\(freePort(preferring: 8501))"
        var settings = databaseSettings(as: "heartbeat-dashboard").merging(metricsSettings) { $1 }
        settings["DASHBOARD_PORT"] = port
        var dashboard = heartbeat("dashboard", ["dashboard"], settings: settings)
        dashboard.isRestarted = true
        try await dashboard.run(on: screen, isReady: { $0.contains("serving on ") }) { line in
            screen.note("the live page is at \(line.split(separator: " ").last ?? "")")
            try await body()
        }
    }

    private func showFigures(_ meter: DemoMeter, _ signals: Signals) async throws {
        let start = ContinuousClock.now
        let end = options.seconds.map { start + .seconds($0) }
        var shown: ContinuousClock.Instant?
        // SIGHUP, which elsewhere asks to reload, comes here when the terminal is closed.
        while !signals.stop.isRequested, !signals.takeReloadRequest(), end.map({ ContinuousClock.now < $0 }) ?? true {
            if shown.map({ ContinuousClock.now - $0 >= .seconds(1) }) ?? true {
                screen.showLive(Self.line(meter.figures, after: ContinuousClock.now - start))
                shown = .now
            }
            try await Task.sleep(for: .milliseconds(100))
        }
        screen.endLive()
        let below = (options.brokers == nil ? ["broker"] : []) + (privatePostgreSQL == nil ? [] : ["PostgreSQL"])
        screen.note("ending: " + (["producer", "consumer", "dashboard"] + below).joined(separator: ", "))
    }

    private static func line(_ figures: DemoMeter.Figures, after time: Duration) -> String {
        let rate = (figures.rate * 10).rounded() / 10
        return """
            \(time.components.seconds) s: \(rate) messages/s, lag \(figures.lag.map { "\($0)" } ?? "unknown"), \
            readings \(figures.readings), anomalies \(figures.anomalies), rejected \(figures.rejected), \
            verified: \(figures.verified)
            """
    }

    /// The producer has ended, so the log does not grow any more.
    private func waitUntilEverythingIsStored(_ meter: DemoMeter) async throws {
        let start = ContinuousClock.now
        while true {
            let figures = meter.figures
            if figures.time > start, figures.lag == 0 { return }
            guard ContinuousClock.now - start < .seconds(20) else {
                let lag = figures.lag.map { "lag \($0) messages" } ?? "Kafka or PostgreSQL does not answer"
                throw CommandFailure(.software, "the consumer has not stored everything within 20 s: \(lag)")
            }
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    private func verify(_ settings: Settings, _ figures: DemoMeter.Figures) async throws {
        let verification = try Verification(PostgreSQLConnection(settings.postgresParameters, .verify))
        guard verification.isSound else {
            // Says which offsets.
            _ = try? await heartbeat("verify", ["verify"], settings: databaseSettings(as: "postgres")).runToEnd(
                on: screen)
            throw CommandFailure(.software, "not every message is stored exactly once")
        }
        screen.note(
            """
            \(figures.messages) messages = \(figures.readings) readings (\(figures.anomalies) anomalies) \
            + \(figures.rejected) rejected
            """)
        screen.note("sound: \(verification.consumed) messages are stored, each exactly once")
    }

    // MARK: - Processes and their settings

    /// A command of this program.
    private func heartbeat(_ name: String, _ arguments: [String], settings: [String: String]) -> LocalProcess {
        // What /etc/heartbeat has is for the daemons of this machine, not for the demo.
        let config = arguments.first == "broker" ? [] : ["--config", "/dev/null"]
        return LocalProcess(
            name: name, program: program, arguments: arguments + config,
            environment: inherited.merging(settings) { $1 })
    }

    /// The environment without what would lead to other servers than the demo's own.
    private var inherited: [String: String] {
        environment.filter { name, _ in
            if privatePostgreSQL != nil, name.hasPrefix("PG") || name.hasPrefix("POSTGRES_") { return false }
            return options.brokers != nil || !(name.hasPrefix("KAFKA_") || name.hasPrefix("RDKAFKA_"))
        }
    }

    private var topic: String {
        options.brokers == nil ? "heartbeat" : environment["KAFKA_TOPIC"] ?? "heartbeat-demo"
    }

    private func databaseSettings(as role: String) -> [String: String] {
        if let privatePostgreSQL { return privatePostgreSQL.settings(as: role) }
        return ["POSTGRES_DB": environment["POSTGRES_DB"] ?? "heartbeat_demo"]
            .merging(options.postgres?.settings ?? [:]) { $1 }
    }

    private func kafkaSettings(_ brokers: String) -> [String: String] {
        ["KAFKA_BOOTSTRAP_SERVERS": brokers, "KAFKA_TOPIC": topic, "KAFKA_PARTITIONS": "\(options.partitions)"]
    }

    /// Where the daemons write their metrics, for the dashboard.
    private var metricsSettings: [String: String] { ["METRICS_DIRECTORY": folder.path] }

    private func consumerSettings(_ brokers: String) -> [String: String] {
        var settings = inherited.merging(kafkaSettings(brokers)) { $1 }
        settings.merge(databaseSettings(as: "heartbeat-consumer")) { $1 }
        settings.merge(metricsSettings) { $1 }
        settings["KAFKA_GROUP_ID"] = inherited["KAFKA_GROUP_ID"] ?? "heartbeat-demo"
        if options.brokers == nil {
            // The embedded broker answers an empty fetch only at the end of this time, and rebalances only after most
            // of this one.
            settings["RDKAFKA_FETCH_WAIT_MAX_MS"] = "10"
            settings["RDKAFKA_SESSION_TIMEOUT_MS"] = "6000"
        }
        return settings
    }

    private func producerSettings(_ brokers: String) -> [String: String] {
        // Livelier than hearts are: a demo should have something to show within its first minute.
        let lively = [
            "MALFORMED_RATE": "0.01", "BRADYCARDIA_SPELLS_PER_HOUR": "3", "TACHYCARDIA_SPELLS_PER_HOUR": "3",
            "SEND_ACTIVITY": "true",
        ]
        var settings = lively.merging(inherited) { $1 }.merging(kafkaSettings(brokers)) { $1 }
        settings["NUM_CUSTOMERS"] = "\(options.customers)"
        settings["INTERVAL_SECONDS"] = "\(options.interval)"
        settings.merge(metricsSettings) { $1 }
        return settings
    }
}
