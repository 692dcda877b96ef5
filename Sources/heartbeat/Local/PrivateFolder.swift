import Daemon
import FoundationEssentials
import LocalServers

/// A command's own folder: its database and the socket are in it, and it goes with the command.
struct PrivateFolder: Sendable {
    let path: String

    /// Makes the folder in TMPDIR, or in /tmp.
    ///
    /// - Parameter name: the command's: `demo`.
    init(for name: String) throws {
        let wanted = ProcessInfo.processInfo.environment["TMPDIR"] ?? "/tmp"
        // The path of a socket has at most 107 bytes (unix(7)), and ours is below the folder.
        path = try makePrivateFolder(
            in: wanted.utf8.count <= 60 && wanted.hasPrefix("/") ? wanted : "/tmp", for: name)
    }

    /// Takes over a folder that the command made when it was root.
    init(takingOver path: String) { self.path = path }

    /// Removes the folder with everything in it.
    func remove() {
        try? FileManager.default.removeItem(atPath: path)
    }

    /// This program's own file.
    static func thisProgram() throws -> String {
        try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    }

    /// Goes on as an ordinary user in the same process: PostgreSQL refuses to run as root, and nothing else needs to.
    ///
    /// The program is copied into the folder, since the user may not be able to enter the one that it is in.
    ///
    /// - Parameters:
    ///   - name: the command's.
    ///   - tell: is told who it goes on as.
    static func startAgainAsOrdinaryUser(
        _ name: String, _ arguments: [String], telling tell: (String) -> Void
    ) throws -> Never {
        guard let user = SystemUser.forServers else {
            throw CommandFailure(
                .config, "the \(name) does not run as root, and there is no user \"postgres\" or \"nobody\"",
                hint: "start it as an ordinary user")
        }
        let path = try makePrivateFolder(in: "/tmp", for: name)
        do {
            let files = FileManager.default
            let libraries = path + "/lib"
            try files.createDirectory(atPath: libraries, withIntermediateDirectories: false)
            for library in librariesOfThisProcess() {
                let name = library.split(separator: "/").last.map(String.init) ?? ""
                try files.copyItem(atPath: library, toPath: "\(libraries)/\(name)")
            }
            try files.copyItem(atPath: try thisProgram(), toPath: path + "/heartbeat")
            for file in [path, libraries] { try giveFile(file, to: user) }
            tell("started by root: everything runs as user \"\(user.name)\"")
            try become(
                "/usr/bin/env",
                [
                    "--chdir=/", "LD_LIBRARY_PATH=\(libraries)", "HOME=\(path)", "setpriv", "--reuid", "\(user.id)",
                    "--regid", "\(user.group)", "--clear-groups", "--", path + "/heartbeat",
                ] + arguments + ["--folder", path])
        } catch {
            PrivateFolder(takingOver: path).remove()
            throw error
        }
    }
}
