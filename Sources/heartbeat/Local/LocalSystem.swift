import Daemon
import FoundationEssentials
import Glibc
import LocalServers

// The system calls that the demo and the benchmark make, and all of their unsafe code.

/// Whether this process is root's.
var isRoot: Bool { geteuid() == 0 }

/// Makes a folder that only its owner can enter, with a name that nobody could know before.
///
/// - Parameter name: the word for which it is made: `demo`.
func makePrivateFolder(in parent: String, for name: String) throws -> String {
    var template = Array("\(parent)/heartbeat-\(name)-XXXXXX".utf8CString)
    guard unsafe mkdtemp(&template) != nil else {
        throw CommandFailure(
            .unavailable, "unable to make a folder in \(parent): \(lastSystemError())",
            hint: "name another one by TMPDIR")
    }
    return String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
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

/// A TCP port of 127.0.0.1 that nobody listens on: this one, or any.
func freePort(preferring wanted: UInt16) throws -> UInt16 {
    func bound(_ port: UInt16) -> UInt16? {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        // As the dashboard does, so that connections of a demo before are no hindrance.
        var yes: Int32 = 1
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe bind(descriptor, $0, size) == 0 && listen(descriptor, 1) == 0
                    && getsockname(descriptor, $0, &size) == 0
            }
        }
        return isBound ? UInt16(bigEndian: address.sin_port) : nil
    }
    guard let port = bound(wanted) ?? bound(0) else {
        throw CommandFailure(.software, "unable to find a port for the dashboard: \(lastSystemError())")
    }
    return port
}

/// Becomes another program: nothing of this one goes on.
func become(_ program: String, _ arguments: [String]) throws -> Never {
    var words = unsafe ([program] + arguments).map { unsafe strdup($0) } + [nil]
    unsafe execv(program, &words)
    throw CommandFailure(.software, "unable to run \(program): \(lastSystemError())")
}

private func lastSystemError() -> String { unsafe String(cString: strerror(errno)) }
