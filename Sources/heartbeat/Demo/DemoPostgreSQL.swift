import Daemon
import FoundationEssentials
import Subprocess

/// The demo's own PostgreSQL cluster: in the demo's folder, reached by a Unix socket there and by nothing else.
struct DemoPostgreSQL: Sendable {
    private let folder: DemoFolder
    private let programs: String

    /// - Throws: `CommandFailure` when there is no PostgreSQL server on this machine.
    init(in folder: DemoFolder) throws {
        self.folder = folder
        programs = try Self.findPrograms()
    }

    /// heartbeat's settings for sessions of a role.
    func settings(as role: String) -> [String: String] {
        ["POSTGRES_HOST": folder.path, "POSTGRES_DB": "heartbeat_db", "POSTGRES_USER": role]
    }

    /// Makes the cluster, runs the server while `body` works, and stops it.
    func run<Result: Sendable>(
        on screen: DemoScreen, while body: @escaping @Sendable () async throws -> Result
    ) async throws -> Result {
        screen.note("making a private PostgreSQL cluster in \(folder.path)")
        // Only the folder's owner can come to the socket, so nobody else has to be kept out.
        let initdb = process(
            "initdb", "initdb",
            ["-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale", "C.UTF-8", "--no-sync"])
        try await initdb.runToEnd(on: screen)
        var server = process(
            "postgres", "postgresql",
            [
                "-D", data, "-c", "listen_addresses=", "-c", "unix_socket_directories=\(folder.path)",
                "-c", "unix_socket_permissions=0700", "-c", "max_wal_size=256MB", "-c", "log_checkpoints=off",
                "-c", "log_line_prefix=%m ",
            ])
        // SIGINT is PostgreSQL's fast shutdown. SIGQUIT, its immediate one, takes all of its processes along.
        server.stopSignal = .interrupt
        server.lastSignal = "QUIT"
        // In English, whatever the machine's language is: see its environment.
        let ready = "database system is ready to accept connections"
        return try await server.run(on: screen, isReady: { $0.hasSuffix(ready) }, while: { _ in try await body() })
    }

    private var data: String { folder.path + "/data" }

    private func process(_ program: String, _ name: String, _ arguments: [String]) -> DemoProcess {
        DemoProcess(
            name: name, program: "\(programs)/\(program)", arguments: arguments,
            environment: ["PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"])
    }

    /// Debian keeps each version's programs in a folder of its own and off the path.
    private static func findPrograms() throws -> String {
        let root = "/usr/lib/postgresql"
        let versions = ((try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []).compactMap { Int($0) }
        let usable = versions.filter { FileManager.default.isExecutableFile(atPath: "\(root)/\($0)/bin/initdb") }
        guard let newest = usable.max(), newest >= 15 else {
            throw CommandFailure(
                .unavailable, "there is no PostgreSQL server 15 or newer in \(root)",
                hint: "install it by \"apt install postgresql\", or name a running one by --postgres")
        }
        return "\(root)/\(newest)/bin"
    }
}
