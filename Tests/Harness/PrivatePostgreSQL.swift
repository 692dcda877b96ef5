import Foundation
import PostgreSQL
import Synchronization

/// A PostgreSQL cluster of one's own: made by initdb in a folder, reached by a Unix socket in it and by nothing else.
package final class PrivatePostgreSQL: Sendable {
    /// The cluster of the suite that runs now.
    @TaskLocal package static var current: PrivatePostgreSQL?

    /// How to stop it, by the signals that the manual gives them ("Shutting Down the Server").
    package enum Shutdown: Int32, Sendable {
        /// Open transactions are rolled back, sessions are ended.
        case fast = 2  // SIGINT
        /// As after a power cut: the next start recovers from the log.
        case immediate = 3  // SIGQUIT
    }

    private let folder: TestFolder
    private let programs: String
    private let user: (id: uid_t, group: gid_t)?
    private let server = Mutex<ChildProcess?>(nil)
    private let databases = Atomic<Int>(0)

    package init() async throws {
        folder = try TestFolder()
        programs = try Self.findPrograms()
        user = try Self.unprivilegedUser()
        let data = folder.path + "/data"
        mkdir(data, 0o700)
        if let user {
            chown(data, user.id, user.group)
            // For the socket.
            chown(folder.path, user.id, user.group)
        }
        let initdb = try start(
            "initdb", ["-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"])
        guard try await initdb.waitForEnd(within: .seconds(60)) == .exited(0) else {
            throw HarnessError("initdb failed: " + initdb.log)
        }
        try await start()
    }

    /// The folder of the socket.
    package var host: String { folder.path }

    /// The log of the server that runs now, since its start.
    package var log: String { server.withLock { $0?.log } ?? "" }

    /// The last lines of the server's log.
    package var logTail: String { folder.logs(of: 1) }

    /// Starts the server, unless it runs, and waits until it answers.
    package func start() async throws {
        let isRunning = server.withLock { $0 != nil && $0?.end == nil }
        if isRunning { return }
        let process = try start(
            "postgres",
            [
                "-D", folder.path + "/data", "-k", folder.path, "-c", "listen_addresses=", "-c", "max_connections=60",
                // A crash of the machine is not among the tests, so the disk need not be waited for.
                "-c", "fsync=off", "-c", "log_line_prefix=%m [%p] %q%u@%d ",
            ])
        server.withLock { $0 = process }
        try await eventually("PostgreSQL answers", within: .seconds(60)) {
            if let end = process.end { throw HarnessError("PostgreSQL has ended (\(end)): \(process.log)") }
            return (try? PostgreSQLConnection(parameters(database: "postgres"))) != nil
        }
    }

    /// Stops the server and waits for its end.
    package func stop(_ shutdown: Shutdown) async throws {
        guard let process = server.withLock({ $0 }) else { return }
        process.kill(shutdown.rawValue)
        try await process.waitForEnd(within: .seconds(60))
        server.withLock { $0 = nil }
    }

    /// libpq's keywords for a session.
    package func parameters(database: String, user: String = "postgres") -> [String: String] {
        [
            "host": folder.path, "dbname": database, "user": user, "connect_timeout": "10",
            "options": "-c timezone=UTC",
        ]
    }

    /// A name that no database of this cluster has had.
    package func newName() -> String { "heartbeat_\(databases.add(1, ordering: .relaxed).newValue)" }

    /// A program that comes with the server, as psql.
    package func path(of program: String) -> String { programs + "/" + program }

    private func start(_ name: String, _ arguments: [String]) throws -> ChildProcess {
        var command = ChildProcess.Command(
            path(of: name), arguments, environment: ["PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"])
        command.user = user
        // The postmaster takes its children down on SIGQUIT, and they would be left over on SIGKILL.
        command.lastSignal = "QUIT"
        return try ChildProcess(name, command, in: folder)
    }

    /// Debian does not put initdb and postgres on the path: several versions can stand side by side.
    private static func findPrograms() throws -> String {
        let root = "/usr/lib/postgresql"
        let versions = ((try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []).compactMap { Int($0) }
        guard let newest = versions.filter({ access("\(root)/\($0)/bin/initdb", X_OK) == 0 }).max() else {
            throw HarnessError("there is no PostgreSQL server in \(root): install the package postgresql")
        }
        return "\(root)/\(newest)/bin"
    }

    /// PostgreSQL refuses to run as root.
    private static func unprivilegedUser() throws -> (id: uid_t, group: gid_t)? {
        guard geteuid() == 0 else { return nil }
        guard let entry = getpwnam("postgres") ?? getpwnam("nobody") else {
            throw HarnessError("there is no user postgres or nobody to run PostgreSQL as")
        }
        return (entry.pointee.pw_uid, entry.pointee.pw_gid)
    }
}

/// A database of one test, with heartbeat's schema.
package final class TestDatabase {
    package let cluster: PrivatePostgreSQL
    package let name: String
    /// The session that conditions are looked at with, kept since looking is often.
    private var session: PostgreSQLConnection?

    private init(cluster: PrivatePostgreSQL, name: String) {
        self.cluster = cluster
        self.name = name
    }

    /// A name only; `heartbeat database setup` has not run.
    package static func withoutSetup() throws -> TestDatabase {
        guard let cluster = PrivatePostgreSQL.current else {
            throw HarnessError("the suite has no trait .privatePostgreSQL")
        }
        return TestDatabase(cluster: cluster, name: cluster.newName())
    }

    /// A database that `heartbeat database setup` made.
    package static func make() async throws -> TestDatabase {
        let database = try withoutSetup()
        // A test that failed may have left it stopped.
        try await database.cluster.start()
        let setup = try await Heartbeat.run(["database", "setup"], database.settings(as: "postgres"))
        guard setup.end == .exited(0) else { throw HarnessError("heartbeat database setup failed: \(setup.log)") }
        return database
    }

    /// heartbeat's settings for sessions of a role.
    package func settings(as user: String) -> [String: String] {
        ["POSTGRES_HOST": cluster.host, "POSTGRES_DB": name, "POSTGRES_USER": user]
    }

    /// A session.
    package func connect(as user: String = "postgres") throws -> PostgreSQLConnection {
        try PostgreSQLConnection(cluster.parameters(database: name, user: user))
    }

    /// The rows of a statement, or the last of several.
    @discardableResult
    package func rows(_ sql: String) throws -> [[String?]] {
        // The server may have been stopped and started meanwhile.
        if session.map({ (try? $0.rows("SELECT 1")) == nil }) ?? true { session = try connect() }
        return try session?.rows(sql) ?? []
    }

    /// Ends the session that `rows` goes through.
    package func disconnect() { session = nil }

    /// The one number that a statement gives.
    package func number(_ sql: String) throws -> Int {
        guard let number = try rows(sql).first?.first??.description, let value = Int(number) else {
            throw HarnessError("no number: \(sql)")
        }
        return value
    }
}

extension PostgreSQLConnection {
    /// The rows of a statement, or the last of several.
    @discardableResult
    package func rows(_ sql: String) throws -> [[String?]] {
        let result = try execute(sql, unableTo: "run \(sql.prefix(100))")
        return (0..<result.count).map { row in (0..<result.columnCount).map { result[row, $0] } }
    }
}
