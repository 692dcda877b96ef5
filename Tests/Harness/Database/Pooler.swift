import Foundation

/// PgBouncer before a cluster, in transaction mode and otherwise as it is installed: it lends a session of the server for one
/// transaction only.
package struct Pooler {
    /// Where Debian installs it.
    private static let path = "/usr/sbin/pgbouncer"
    private static let port = 6432

    private let folder: TestFolder
    private let process: ChildProcess

    /// Starts it and waits until it answers.
    ///
    /// - Parameter settings: more lines of its file, as `ignore_startup_parameters = options`.
    package init(for cluster: PrivatePostgreSQL, _ settings: [String] = []) async throws {
        folder = try TestFolder.required()
        let roles = ["postgres", "heartbeat-consumer", "heartbeat-dashboard", "heartbeat-maintenance"]
        let users = try folder.write("users", roles.map { "\"\($0)\" \"\"" }.joined(separator: "\n") + "\n")
        let file = try folder.write(
            "pgbouncer.ini",
            """
            [databases]
            * = host=\(cluster.host)
            [pgbouncer]
            listen_addr =
            listen_port = \(Self.port)
            unix_socket_dir = \(folder.path)
            auth_type = trust
            auth_file = \(users)
            pool_mode = transaction
            default_pool_size = 3
            \(settings.joined(separator: "\n"))
            """)
        let command = try cluster.unprivileged(ChildProcess.Command(Self.path, [file]), in: folder)
        process = try ChildProcess("pgbouncer", command, in: folder)
        let process = process
        try await eventually("PgBouncer listens", within: .seconds(30)) {
            if let end = process.end { throw HarnessError("PgBouncer has ended (\(end)): \(process.log)") }
            return process.log.contains("process up")
        }
    }

    /// heartbeat's settings for a role's sessions with a database through it.
    package func settings(_ database: TestDatabase, as role: String) -> [String: String] {
        database.settings(as: role).merging(["POSTGRES_HOST": folder.path, "POSTGRES_PORT": "\(Self.port)"]) { $1 }
    }

    /// libpq's keywords for a session through it.
    package func parameters(_ database: TestDatabase, as role: String = "postgres") -> [String: String] {
        ["host": folder.path, "port": "\(Self.port)", "dbname": database.name, "user": role]
    }
}
