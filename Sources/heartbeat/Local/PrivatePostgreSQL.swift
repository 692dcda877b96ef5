import Daemon
import LocalServers
import Subprocess

/// A command's own PostgreSQL cluster: in its private folder, reached by a Unix socket there and by nothing else.
struct PrivatePostgreSQL: Sendable {
    private let cluster: LocalPostgreSQL

    /// - Throws: `CommandFailure` when there is no PostgreSQL server on this machine.
    init(in folder: PrivateFolder) throws {
        do {
            cluster = try LocalPostgreSQL(in: folder.path)
        } catch {
            throw CommandFailure(
                .unavailable, error.description, hint: error.hint + ", or name a running one by --postgres")
        }
    }

    /// heartbeat's settings for sessions of a role.
    func settings(as role: String) -> [String: String] { cluster.settings(database: "heartbeat_db", as: role) }

    /// Makes the cluster, runs the server while `body` works, and stops it.
    ///
    /// - Parameter settings: the server's, as `max_wal_size=256MB`.
    func run<Result: Sendable>(
        with settings: [String] = [], on screen: LocalScreen,
        while body: @escaping @Sendable () async throws -> Result
    ) async throws -> Result {
        screen.note("making a private PostgreSQL cluster in \(cluster.folder)")
        try await process("initdb", cluster.initialization).runToEnd(on: screen)
        // Only the folder's owner can reach the socket, so nobody else has to be kept out.
        var server = process(
            "postgresql",
            cluster.server(
                ["unix_socket_permissions=0700", "log_checkpoints=off", "log_line_prefix=%m "] + settings))
        // SIGINT is PostgreSQL's fast shutdown.
        server.stopSignal = .interrupt
        server.lastSignal = LocalPostgreSQL.lastSignal
        return try await server.run(
            on: screen, isReady: { $0.hasSuffix(LocalPostgreSQL.readyLine) }, while: { _ in try await body() })
    }

    private func process(_ name: String, _ command: LocalPostgreSQL.Command) -> LocalProcess {
        LocalProcess(
            name: name, program: command.program, arguments: command.arguments, environment: command.environment)
    }
}
