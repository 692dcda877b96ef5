import CThreadStop
import Daemon
import Foundation

/// What systemd is to a daemon: a socket that it reports to, and a watchdog.
package final class ServiceManager: Sendable {
    /// In the environment of the daemon.
    package let environment: [String: String]
    private let descriptor: Int32
    private let messages = Monitor<[(text: String, at: ContinuousClock.Instant)]>([])
    private let thread: WorkThread

    /// Begins to listen.
    ///
    /// - Parameter watchdog: within which time a daemon has to report; the default asks for nothing.
    package init(_ name: String = "notify", watchdog: Duration? = nil) throws {
        let path = try TestFolder.required().path + "/\(name).socket"
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
        self.descriptor = descriptor
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let isBound = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
            }
        }
        guard isBound else { throw HarnessError("unable to listen at \(path)") }
        var environment = ["NOTIFY_SOCKET": path]
        environment["WATCHDOG_USEC"] = watchdog.map { "\(Int($0 / .microseconds(1)))" }
        self.environment = environment
        thread = try WorkThread(name: "manager") { [messages] in
            var buffer = [UInt8](repeating: 0, count: 4096)
            while true {
                let count = recv(descriptor, &buffer, buffer.count, 0)
                guard count > 0 else { return }
                let text = String(decoding: buffer.prefix(count), as: UTF8.self)
                messages.withLock { $0.append((text, .now)) }
            }
        }
    }

    deinit {
        // An empty message would not wake it.
        shutdown(descriptor, Int32(SHUT_RDWR))
        thread.join()
        close(descriptor)
    }

    /// Every assignment that came, in order: `READY=1`.
    package var assignments: [String] {
        messages.withLock { $0 }.flatMap { $0.text.split(separator: "\n").map(String.init) }
    }

    /// Every STATUS= that came, in order.
    package var statuses: [String] {
        assignments.filter { $0.hasPrefix("STATUS=") }.map { String($0.dropFirst(7)) }
    }

    /// The last STATUS=; empty when there was none.
    package var status: String {
        assignments.last { $0.hasPrefix("STATUS=") }.map { String($0.dropFirst(7)) } ?? ""
    }

    /// The longest time between two of an assignment.
    package func longestPause(of assignment: String) -> Duration {
        let times = messages.withLock { $0 }.filter { $0.text.split(separator: "\n").contains { $0 == assignment } }
        return zip(times, times.dropFirst()).map { $1.at - $0.at }.max() ?? .zero
    }

    /// Whether the daemon has ever said that what it needs has answered: it tells of its work then.
    package var isReady: Bool {
        statuses.contains { status in !["starting", "waiting", "stopping"].contains { status.hasPrefix($0) } }
    }

    /// How often an assignment came.
    package func count(_ assignment: String) -> Int { assignments.count { $0 == assignment } }
}

/// Stops one thread of a process, as if it hung in a call; it goes on when this value ends.
package final class StoppedThread: Sendable {
    private let state = Monitor<(code: Int32?, isOver: Bool)>((nil, false))
    private let thread: WorkThread

    /// - Parameter name: of the thread, as `top -H` has it; empty for the process's first.
    package init(_ name: String, of process: ChildProcess) throws {
        let folder = "/proc/\(process.id)/task"
        let threads = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        let found =
            name.isEmpty
            ? process.id : threads.first { contents("\(folder)/\($0)/comm") == name + "\n" }.flatMap { pid_t($0) }
        guard let found else { throw HarnessError("\(process.name) has no thread \(name)") }
        thread = try WorkThread(name: "tracer") { [state] in
            let code = stop_thread(found)
            state.withLock { $0.code = code }
            state.wakeAll()
            _ = state.wait { $0.isOver ? true : nil }
        }
        let code = state.wait { $0.code }
        guard code == 0 else { throw HarnessError("unable to stop thread \(name): error \(code ?? 0)") }
    }

    deinit {
        state.withLock { $0.isOver = true }
        state.wakeAll()
        thread.join()
    }
}
