import Foundation
import LocalServers

/// A disk that is small enough to be filled: a file system in memory, in a mount namespace of its own, with which it ends.
/// Whoever is not root has a user namespace, too, where the machine allows that.
package final class SmallDisk: Sendable {
    private let holder: ChildProcess
    private let mountPoint: String

    private static let isRoot = geteuid() == 0
    private static let namespaces =
        isRoot ? ["--mount"] : ["--user", "--map-current-user", "--keep-caps", "--mount"]

    /// Why there can be none on this machine, in words; nil when there can.
    package static func obstacle() async throws -> String? {
        let folder = try TestFolder()
        let attempt = try ChildProcess(
            "unshare",
            ChildProcess.Command("/usr/bin/unshare", namespaces + ["mount", "-t", "tmpfs", "tmpfs", folder.path]),
            in: folder)
        guard try await attempt.waitForEnd(within: .seconds(30)) != .exited(0) else { return nil }
        return "a disk cannot be mounted here: \(attempt.log.split(separator: "\n").first ?? "")"
    }

    /// Mounts it on a folder; only the commands that are given to `inside` see that.
    init(on mountPoint: String, megabytes: Int, owner: SystemUser?, in folder: TestFolder) async throws {
        self.mountPoint = mountPoint
        let rights = "mode=0700" + (owner.map { ",uid=\($0.id),gid=\($0.group)" } ?? "")
        let script = "mount -t tmpfs -o size=\(megabytes)m,\(rights) tmpfs \"$0\" && echo mounted && exec cat"
        let holder = try ChildProcess(
            "disk", ChildProcess.Command("/usr/bin/unshare", Self.namespaces + ["sh", "-c", script, mountPoint]),
            in: folder)
        self.holder = holder
        try await eventually("the disk is mounted") {
            if let end = holder.end { throw HarnessError("unable to mount a disk (\(end)): \(holder.log)") }
            return holder.output.contains("mounted")
        }
    }

    /// Where others see what is on it.
    var path: String { "/proc/\(holder.id)/root\(mountPoint)" }

    /// The same command where the disk is.
    func inside(_ command: ChildProcess.Command) -> ChildProcess.Command {
        var inside = command
        inside.program = "/usr/bin/nsenter"
        let spaces = "/proc/\(holder.id)/ns"
        inside.arguments =
            ["--mount=\(spaces)/mnt"] + (Self.isRoot ? [] : ["--user=\(spaces)/user", "--preserve-credentials"])
        // The server's user may not enter, so root becomes it inside.
        inside.arguments += ["/usr/bin/setpriv", "--pdeathsig", command.lastSignal]
        if let user = command.user {
            inside.arguments += ["--reuid", "\(user.id)", "--regid", "\(user.group)", "--clear-groups"]
        }
        inside.arguments += ["--", command.program] + command.arguments
        inside.user = nil
        return inside
    }

    /// Leaves no byte of it free.
    package func fill() throws {
        let file = path + "/filler"
        guard FileManager.default.createFile(atPath: file, contents: nil) else {
            throw HarnessError("unable to write \(file)")
        }
        let handle = try FileHandle(forWritingTo: URL(filePath: file))
        defer { try? handle.close() }
        while (try? handle.write(contentsOf: Data(count: 1 << 16))) != nil {}
    }

    /// Has room on it again.
    package func empty() throws { try FileManager.default.removeItem(atPath: path + "/filler") }
}
