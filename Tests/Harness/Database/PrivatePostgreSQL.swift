import Foundation
import LocalServers
import PostgreSQL
import Synchronization

/// A PostgreSQL cluster of one's own: see `LocalPostgreSQL`.
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
    private let cluster: LocalPostgreSQL
    private let user: SystemUser?
    private let server = Mutex<ChildProcess?>(nil)
    private let databases = Atomic<Int>(0)
    private let environment: [String: String]
    /// The disk of its data, when it has one of its own.
    package let disk: SmallDisk?

    /// - Parameters:
    ///   - environment: more of the server's environment.
    ///   - primary: the cluster that it is a standby of, by streaming replication; nil for one of its own.
    ///   - diskMegabytes: the size of a disk for its data, which can be filled; nil has them in the test's folder.
    package init(
        environment: [String: String] = [:], replicaOf primary: PrivatePostgreSQL? = nil, diskMegabytes: Int? = nil
    ) async throws {
        folder = try TestFolder()
        self.environment = environment
        let programs = ProcessInfo.processInfo.environment["HEARTBEAT_TEST_POSTGRESQL"]
        cluster = try LocalPostgreSQL(in: folder.path, programs: programs.flatMap { $0.isEmpty ? nil : $0 })
        user = try Self.unprivilegedUser()
        mkdir(cluster.data, 0o700)
        if let user {
            chown(cluster.data, user.id, user.group)
            // For the socket.
            chown(folder.path, user.id, user.group)
        }
        if let diskMegabytes {
            disk = try await SmallDisk(on: cluster.data, megabytes: diskMegabytes, owner: user, in: folder)
        } else {
            disk = nil
        }
        if let primary { try await copy(primary) } else { try await initialize() }
        try await start()
    }

    private func initialize() async throws {
        let initdb = try start("initdb", cluster.initialization)
        guard try await initdb.waitForEnd(within: .seconds(60)) == .exited(0) else {
            throw HarnessError("initdb failed: " + initdb.log)
        }
        // A crash of the machine is not among the tests, so the disk need not be waited for.
        let file = (disk?.path ?? cluster.data) + "/postgresql.auto.conf"
        // A small disk has no room for a gigabyte of the server's log.
        let sizes = disk == nil ? "" : "min_wal_size = 32MB\nmax_wal_size = 64MB\n"
        try ("fsync = off\n" + sizes).write(toFile: file, atomically: false, encoding: .utf8)
    }

    /// As an administrator makes a standby.
    private func copy(_ primary: PrivatePostgreSQL) async throws {
        var command = ChildProcess.Command(
            cluster.path(of: "pg_basebackup"),
            [
                "-h", primary.host, "-U", "postgres", "-D", cluster.data, "--write-recovery-conf",
                "--wal-method=stream", "--checkpoint=fast", "--no-sync",
            ], environment: cluster.initialization.environment)
        command.user = user.map { ($0.id, $0.group) }
        let backup = try ChildProcess("pg_basebackup", command, in: folder)
        guard try await backup.waitForEnd(within: .seconds(60)) == .exited(0) else {
            throw HarnessError("pg_basebackup failed: " + backup.log)
        }
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
            cluster.server(["max_connections=60", "log_line_prefix=%m [%p] %q%u@%d "]))
        server.withLock { $0 = process }
        try await eventually("PostgreSQL answers", within: .seconds(60)) {
            if let end = process.end { throw HarnessError("PostgreSQL has ended (\(end)): \(process.log)") }
            return (try? PostgreSQLConnection(parameters(database: "postgres"), .test)) != nil
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
        ["host": folder.path, "dbname": database, "user": user, "connect_timeout": "10"]
    }

    /// A name that no database of this cluster has had.
    package func newName() -> String { "heartbeat_\(databases.add(1, ordering: .relaxed).newValue)" }

    /// A program that comes with the server, as psql.
    package func path(of program: String) -> String { cluster.path(of: program) }

    /// heartbeat's settings for a role's sessions with a database.
    package func settings(database: String, as role: String) -> [String: String] {
        cluster.settings(database: database, as: role)
    }

    private func start(_ name: String, _ command: LocalPostgreSQL.Command) throws -> ChildProcess {
        var child = ChildProcess.Command(command.program, command.arguments, environment: command.environment)
        if name == "postgres", !environment.isEmpty {
            // Only when it is the server's user: what is preloaded keeps files of its own.
            child.arguments = environment.map { "\($0)=\($1)" } + [child.program] + child.arguments
            child.program = "/usr/bin/env"
        }
        child.user = user.map { ($0.id, $0.group) }
        child.lastSignal = LocalPostgreSQL.lastSignal
        return try ChildProcess(name, disk?.inside(child) ?? child, in: folder)
    }

    /// A program of the server's kind, that refuses to run as root, as the user that the server runs as.
    func unprivileged(_ command: ChildProcess.Command, in folder: TestFolder) throws -> ChildProcess.Command {
        var command = command
        command.user = user.map { ($0.id, $0.group) }
        if let user { chown(folder.path, user.id, user.group) }
        return command
    }

    /// PostgreSQL refuses to run as root.
    private static func unprivilegedUser() throws -> SystemUser? {
        guard geteuid() == 0 else { return nil }
        guard let user = SystemUser.forServers else {
            throw HarnessError("there is no user postgres or nobody to run PostgreSQL as")
        }
        return user
    }
}

extension SessionParameters {
    /// A test's own session.
    package static let test = SessionParameters(applicationName: "heartbeat-tests")
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

    /// The database of the same name in another cluster.
    package func copy(in cluster: PrivatePostgreSQL) -> TestDatabase { TestDatabase(cluster: cluster, name: name) }

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
        cluster.settings(database: name, as: user)
    }

    /// A session.
    package func connect(as user: String = "postgres") throws -> PostgreSQLConnection {
        try PostgreSQLConnection(cluster.parameters(database: name, user: user), .test)
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
        try execute(sql, unableTo: "run \(sql.prefix(100))").texts()
    }
}

extension PostgreSQLConnection {
    /// Has every later session with a database start with settings that nobody expects.
    ///
    /// - Parameter statementTimeout: the limit of a statement; in a session that is lent it holds until our own is set.
    package func setHostileDefaults(
        of database: String, roles: [String], statementTimeout: String = "5ms"
    ) throws {
        let settings = [
            "TimeZone": "America/Sao_Paulo", "DateStyle": "German, DMY", "IntervalStyle": "sql_standard",
            "client_encoding": "LATIN1", "bytea_output": "escape", "standard_conforming_strings": "off",
            "array_nulls": "off", "search_path": "pg_catalog", "statement_timeout": statementTimeout,
            "lock_timeout": "1ms",
            "idle_in_transaction_session_timeout": "1ms", "default_transaction_read_only": "on",
            "default_transaction_isolation": "serializable", "exit_on_error": "on",
        ]
        for (name, value) in settings {
            let value = name == "search_path" ? value : "'\(value)'"
            try rows("ALTER DATABASE \(database) SET \(name) = \(value)")
            for role in roles { try rows("ALTER ROLE \"\(role)\" IN DATABASE \(database) SET \(name) = \(value)") }
        }
    }
}
