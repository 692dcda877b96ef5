import Consumer
import Daemon
import Database
import FoundationEssentials
import Kafka
import KafkaService
import PostgreSQL
import Schema
import SharedSettings
import Synchronization

/// Where the benchmark works: a database and a topic of its own, which it makes and removes. It touches nothing else.
final class BenchmarkGround: Sendable {
    /// What was made and has to be removed.
    private struct Made {
        var hasDatabase = false
        var roles: [String] = []
        var hasTopic = false
    }

    /// The comment on a database that a benchmark has made; the topic's name follows.
    private static let mark = "made by \"heartbeat benchmark\", which drops it; its topic is "
    static let defaultDatabase = "heartbeat_benchmark"

    /// The consumer's settings, for the benchmark's own topic and database.
    let settings: Settings
    /// The environment of the processes below.
    let environment: [String: String]
    /// The option that names the file of the settings.
    let fileOption: [String]
    /// Whether all servers end with the benchmark, so that nothing has to be made or removed.
    let isLocal: Bool
    private let made = Mutex(Made())

    /// - Parameters:
    ///   - file: the file of the settings; nil for the one of the installation.
    ///   - environment: overrides it.
    ///   - own: what is the benchmark's own: topic, database, place of the metrics.
    /// - Throws: `SettingsError`.
    init(
        file: String?, environment: [String: String], own: [String: String], isLocal: Bool
    ) throws(SettingsError) {
        // No alert leaves this machine because of simulated hearts.
        let quiet = ["EPISODE_COMMAND": "", "CONSUMER_NAME": "benchmark"]
        self.environment = environment.merging(own) { $1 }.merging(quiet) { $1 }
        fileOption = file.map { ["--config", $0] } ?? []
        self.isLocal = isLocal
        settings = try Settings(.consumer, file: file, environment: self.environment)
    }

    /// Its own topic, which is the name of its consumer group, too.
    var topic: String { settings[.kafkaTopic] }
    /// libpq's keywords for its own database.
    var parameters: [String: String] { settings.postgresParameters }

    private var database: String { settings[.postgresDB] }
    private var server: [String: String] { parameters.merging(["dbname": "postgres"]) { $1 } }

    /// The settings that lead to the database, as the environment has them.
    var databaseEnvironment: [String: String] {
        [
            "POSTGRES_HOST": settings.text(of: .postgresHost), "POSTGRES_PORT": settings.text(of: .postgresPort),
            "POSTGRES_DB": settings.text(of: .postgresDB), "POSTGRES_USER": settings.text(of: .postgresUser),
            "POSTGRES_PASSWORD": settings.text(of: .postgresPassword),
        ].filter { !$1.isEmpty }
    }

    /// librdkafka's configuration for questions to the cluster.
    func clientConfiguration() throws(SettingsError) -> KafkaConfiguration {
        try settings.kafkaConfiguration(
            for: .consumer, defaults: [("client.id", "heartbeat-benchmark"), ("group.id", topic)], fixed: [])
    }

    // MARK: - Making

    /// Makes database and topic.
    ///
    /// - Throws: `CommandFailure` when the database is there already; what `DatabaseSetup` throws; `KafkaError`.
    func make(_ stop: StopSignal) throws {
        guard !isLocal else { return try DatabaseSetup(parameters).run() }
        let connection = try settings.asOperator("postgres", running: "benchmark") {
            try PostgreSQLConnection(server, .benchmark)
        }
        try removeLeftover(connection)
        let roles = [DatabaseSetup.owner] + DatabaseSetup.daemonRoles + [DatabaseSetup.maintenanceRole]
        let known: [String] = try connection.query(
            "SELECT rolname::text FROM pg_roles WHERE rolname = ANY ($1::text[])", [ArrayText(roles)],
            unableTo: "look at the roles"
        ).column()
        made.withLock { $0 = Made(hasDatabase: true, roles: roles.filter { !known.contains($0) }) }
        do {
            try DatabaseSetup(parameters).run()
        } catch let error as PostgreSQLError where error.fault == .lasting {
            throw CommandFailure(
                .refused, error.description, hint: "POSTGRES_USER names a role that may make roles and databases")
        }
        try connection.execute(
            """
            COMMENT ON DATABASE \(PostgreSQLConnection.identifier(database)) IS \
            \(try connection.literal(Self.mark + topic))
            """, unableTo: "mark the database")
        try makeTopic(stop)
    }

    private func makeTopic(_ stop: StopSignal) throws {
        let client = try KafkaConsumer(clientConfiguration())
        let wanted = KafkaCluster.Topic(
            partitions: settings[.kafkaPartitions], replicationFactor: settings[.kafkaReplicationFactor])
        do throws(KafkaError) {
            made.withLock { $0.hasTopic = true }
            try client.cluster.createTopic(topic, as: wanted, withinMilliseconds: 10_000)
        } catch {
            // What was not answered may have been done.
            if error.code != .timedOut { made.withLock { $0.hasTopic = false } }
            throw CommandFailure(.unavailable, error.description)
        }
        // Not every broker knows it at once.
        var looks = 0
        while try client.cluster.topic(topic, withinMilliseconds: 5000) == nil, looks < 100 {
            looks += 1
            _ = stop.wait(for: .milliseconds(100))
        }
    }

    /// A benchmark that was killed could not remove its database; one that runs has sessions there.
    private func removeLeftover(_ connection: PostgreSQLConnection) throws {
        let databases = try connection.query(
            """
            SELECT coalesce(shobj_description(oid, 'pg_database'), '') AS comment,
                   EXISTS (SELECT FROM pg_stat_activity WHERE datname = $1) AS is_used
              FROM pg_database WHERE datname = $1
            """, [database], unableTo: "look for database \"\(database)\""
        ).map { row throws(PostgreSQLError) -> (comment: String, isUsed: Bool) in
            (try row["comment"], try row["is_used"])
        }
        guard let found = databases.first else { return }
        guard found.comment.hasPrefix(Self.mark), !found.isUsed else {
            throw CommandFailure(
                .config,
                found.comment.hasPrefix(Self.mark)
                    ? "another benchmark works in database \"\(database)\""
                    : "database \"\(database)\" is there already: the benchmark makes one of its own and drops it",
                hint: "name another one by --database")
        }
        try drop(connection)
        let topic = String(found.comment.dropFirst(Self.mark.count))
        guard let client = try? KafkaConsumer(clientConfiguration()) else { return }
        try? client.cluster.deleteTopic(topic, withinMilliseconds: 10_000)
        try? client.cluster.deleteGroup(topic, withinMilliseconds: 10_000)
    }

    // MARK: - Removing

    /// Removes everything that was made. What fails is told, and the rest is removed all the same.
    ///
    /// - Returns: what is left and why, one line each.
    func remove() -> [String] {
        let made = made.withLock { $0 }
        var left: [String] = []
        func attempt(_ what: String, _ body: () throws -> Void) {
            do { try body() } catch { left.append("\(what) is left: \(error)") }
        }
        if made.hasDatabase {
            attempt("database \"\(database)\"") {
                let connection = try PostgreSQLConnection(server, .benchmark)
                try drop(connection)
                // Members first.
                for role in made.roles.reversed() {
                    try connection.execute(
                        "DROP ROLE IF EXISTS \(PostgreSQLConnection.identifier(role))",
                        unableTo: "drop role \"\(role)\"")
                }
            }
        }
        if made.hasTopic { attempt("topic \"\(topic)\"") { try removeTopic() } }
        return left
    }

    private func drop(_ connection: PostgreSQLConnection) throws(PostgreSQLError) {
        try connection.executeAlone(
            "DROP DATABASE IF EXISTS \(PostgreSQLConnection.identifier(database)) WITH (FORCE)",
            unableTo: "drop database \"\(database)\"")
    }

    private func removeTopic() throws {
        let client = try KafkaConsumer(clientConfiguration())
        try client.cluster.deleteTopic(topic, withinMilliseconds: 10_000)
        // Without a consumer that has stored anything there is no group.
        try? client.cluster.deleteGroup(topic, withinMilliseconds: 10_000)
    }
}
