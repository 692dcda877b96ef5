import FoundationEssentials

/// A private PostgreSQL cluster in a folder: made by initdb, reached by a Unix socket in that folder and by nothing else.
///
/// It says which programs to run and how; who runs them sees to their output and their end.
public struct LocalPostgreSQL: Sendable {
    /// A program and how to start it.
    public struct Command: Sendable {
        /// The program's path.
        public let program: String
        /// Its arguments.
        public let arguments: [String]
        /// Its environment: English, UTF-8 and UTC, whatever the machine has.
        public let environment = ["PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"]
    }

    /// There is no PostgreSQL server on this machine.
    public struct Missing: Error, CustomStringConvertible {
        /// What is missing.
        public let description = "there is no PostgreSQL server \(oldestVersion) or newer in \(root)"
        /// What to do about it.
        public let hint = "install it by \"apt install postgresql\""
    }

    /// The signal that has the server take its children along: SIGKILL would leave them behind.
    public static let lastSignal = "QUIT"
    /// The end of the log line with which the server says that it can be used.
    public static let readyLine = "database system is ready to accept connections"

    private static let root = "/usr/lib/postgresql"
    private static let oldestVersion = 15

    /// The cluster's folder, with the socket in it.
    public let folder: String
    private let programs: String

    /// A cluster in a folder; makes nothing yet.
    ///
    /// - Parameters:
    ///   - folder: one that only its owner may enter, or a test's; the path of a socket has at most 107 bytes.
    ///   - programs: the folder of the server's programs; nil for the newest that is installed.
    /// - Throws: `Missing`.
    public init(in folder: String, programs: String? = nil) throws(Missing) {
        self.folder = folder
        if let programs {
            self.programs = programs
            return
        }
        // Debian keeps each version's programs in a folder of its own and off the path.
        let versions = ((try? FileManager.default.contentsOfDirectory(atPath: Self.root)) ?? []).compactMap { Int($0) }
        let usable = versions.filter {
            FileManager.default.isExecutableFile(atPath: "\(Self.root)/\($0)/bin/initdb")
        }
        guard let newest = usable.max(), newest >= Self.oldestVersion else { throw Missing() }
        self.programs = "\(Self.root)/\(newest)/bin"
    }

    /// The folder of the cluster's data.
    public var data: String { folder + "/data" }

    /// The program that makes the cluster, with a superuser "postgres" whom nobody asks for a password.
    public var initialization: Command {
        Command(
            program: path(of: "initdb"),
            arguments: ["-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"])
    }

    /// The server.
    ///
    /// - Parameter settings: more settings, as `fsync=off`.
    public func server(_ settings: [String]) -> Command {
        let all = ["listen_addresses=", "unix_socket_directories=\(folder)"] + settings
        return Command(program: path(of: "postgres"), arguments: ["-D", data] + all.flatMap { ["-c", $0] })
    }

    /// A program that comes with the server, as psql.
    public func path(of program: String) -> String { programs + "/" + program }

    /// heartbeat's settings for a role's sessions with a database.
    public func settings(database: String, as role: String) -> [String: String] {
        ["POSTGRES_HOST": folder, "POSTGRES_DB": database, "POSTGRES_USER": role]
    }
}
