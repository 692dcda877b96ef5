import Foundation
import Harness
import PostgreSQL
import Testing

/// A notifier beside a database of its own.
struct RunningNotifier {
    let database: TestDatabase
    let process: ChildProcess
    let routesFile: String
    private let settings: [String: String]

    /// Starts it and waits until the database has answered.
    ///
    /// - Parameter routes: the text of its file of routes.
    init(
        _ routes: String, _ more: [String: String] = [:], database given: TestDatabase? = nil, name: String = "notifier"
    ) async throws {
        database = if let given { given } else { try await TestDatabase.make() }
        let folder = try TestFolder.required()
        routesFile = try folder.write("notifier.routes", routes)
        settings = database.settings(as: "heartbeat-notifier").merging([
            "NOTIFIER_ROUTES_FILE": routesFile, "NOTIFIER_BACKOFF_SECONDS": "0.3", "METRICS_DIRECTORY": folder.path,
        ]) { $1 }.merging(more) { $1 }
        process = try Heartbeat.start(name, ["notifier"], settings: settings)
        try await ready()
    }

    private init(_ old: RunningNotifier, _ process: ChildProcess) {
        (database, routesFile, settings) = (old.database, old.routesFile, old.settings)
        self.process = process
    }

    /// The same one, started again.
    func again(_ name: String) throws -> RunningNotifier {
        RunningNotifier(self, try Heartbeat.start(name, ["notifier"], settings: settings))
    }

    func ready() async throws {
        try await eventually("\(process.name) is ready") { process.log.contains("ready: PostgreSQL has answered") }
    }

    /// Writes the file of routes and has it read again.
    func use(_ routes: String) async throws {
        let before = process.log.count { $0 == "\n" }
        try TestFolder.required().write("notifier.routes", routes)
        process.kill(SIGHUP)
        try await eventually("the reload is done or refused") {
            process.log.split(separator: "\n").dropFirst(before).contains { $0.contains("reload") }
        }
    }

    /// The value of one of its metrics.
    func metric(_ sample: String) throws -> Double? {
        try MetricsFile(contents(TestFolder.required().path + "/notifier.prom")).values[sample]
    }
}

/// What a consumer's batch writes of an episode.
struct Change {
    var customer = "cust_0001"
    var kind = "tachycardia"
    var change = "opened"
    var severity = "high"
    /// How many seconds ago the episode began.
    var begin = 30
    /// How many milliseconds after its beginning it changed.
    var after = 8000

    /// The calls that the consumer makes, in one transaction.
    func sql(now: String = "date_trunc('second', now())") -> String {
        let opened = "\(now) - interval '\(begin) seconds'"
        let time = "\(opened) + interval '\(after) milliseconds'"
        let closed = change == "closed" ? time : "NULL"
        let text = "ARRAY['\(customer)'], ARRAY['\(kind)']::episode_kind[]"
        return """
            SELECT record_episodes(\(text), ARRAY['\(severity)']::episode_severity[], ARRAY['high']::episode_severity[],
                ARRAY[\(opened)], ARRAY[\(opened) + interval '8 seconds'], ARRAY[\(time)], ARRAY[\(closed)]::timestamptz[],
                ARRAY[207]::smallint[], ARRAY[9], ARRAY['above 180 bpm for 8 s']);
            SELECT record_episode_changes(\(text), ARRAY[\(opened)], ARRAY[\(time)], ARRAY['\(change)'],
                ARRAY['\(severity)']::episode_severity[]);
            """
    }
}

extension TestDatabase {
    /// Writes changes as the consumer does, with its rights.
    func write(_ changes: [Change], now: String = "date_trunc('second', now())") throws {
        let session = try connect(as: "heartbeat-consumer")
        try session.rows("BEGIN; " + changes.map { $0.sql(now: now) }.joined() + "COMMIT")
    }
}

/// One at a time, since each loads the machine.
@Suite("The notifier", .serialized, .privatePostgreSQL, .ownFolder, .logsOnFailure) enum OnANotifier {}
