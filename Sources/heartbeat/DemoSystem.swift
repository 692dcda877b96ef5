import Daemon
import FoundationEssentials
import Glibc

// The system calls that the demo makes, and all of its unsafe code.

/// Whether standard output is a terminal that can move its cursor.
func standardOutputIsTerminal() -> Bool {
    isatty(STDOUT_FILENO) == 1 && ProcessInfo.processInfo.environment["TERM"].map { $0 != "dumb" } ?? false
}

/// Makes a folder that only its owner can enter, with a name that nobody could know before.
func makePrivateFolder(in parent: String) throws -> String {
    var template = Array("\(parent)/heartbeat-demo-XXXXXX".utf8CString)
    guard unsafe mkdtemp(&template) != nil else {
        throw CommandFailure(
            .unavailable, "unable to make a folder in \(parent): \(lastSystemError())",
            hint: "name another one by TMPDIR")
    }
    return String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
}

/// A user of this machine.
struct SystemUser {
    let name: String
    let id: uid_t
    let group: gid_t

    /// The user of that name, if there is one.
    init?(named name: String) {
        guard let entry = unsafe getpwnam(name) else { return nil }
        self.name = name
        id = unsafe entry.pointee.pw_uid
        group = unsafe entry.pointee.pw_gid
    }
}

/// Gives a file to a user.
func giveFile(_ path: String, to user: SystemUser) throws {
    guard unsafe chown(path, user.id, user.group) == 0 else {
        throw CommandFailure(.software, "unable to give \(path) to user \"\(user.name)\": \(lastSystemError())")
    }
}

/// The files outside of the system's own folders that this process has mapped as code: the Swift runtime, unless it is
/// a part of the program.
func librariesOfThisProcess() -> [String] {
    let maps = (try? String(contentsOfFile: "/proc/self/maps", encoding: .utf8)) ?? ""
    let paths = maps.split(separator: "\n").compactMap { line in
        line.firstIndex(of: "/").map { String(line[$0...]) }
    }
    return Set(paths).filter { path in
        path.contains(".so") && !["/usr/lib/", "/lib/", "/lib64/"].contains { path.hasPrefix($0) }
    }.sorted()
}

/// Becomes another program: nothing of this one goes on.
func become(_ program: String, _ arguments: [String]) throws -> Never {
    var words = unsafe ([program] + arguments).map { unsafe strdup($0) } + [nil]
    unsafe execv(program, &words)
    throw CommandFailure(.software, "unable to run \(program): \(lastSystemError())")
}

private func lastSystemError() -> String { unsafe String(cString: strerror(errno)) }
