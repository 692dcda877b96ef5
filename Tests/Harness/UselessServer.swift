import Daemon
import Foundation

/// A server that takes connections and never answers, or closes them at once.
package final class UselessServer: Sendable {
    /// What it does with a connection.
    package enum Conduct: Sendable {
        case silent, closing
    }

    package let address: String
    private let descriptor: Int32
    private let thread: WorkThread

    /// Listens at a free port of 127.0.0.1.
    package init(_ conduct: Conduct) throws {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        self.descriptor = descriptor
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isListening = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, size) == 0 && listen(descriptor, 16) == 0
                    && getsockname(descriptor, $0, &size) == 0
            }
        }
        guard isListening else { throw HarnessError("unable to listen at 127.0.0.1") }
        self.address = "127.0.0.1:\(in_port_t(bigEndian: address.sin_port))"
        thread = try WorkThread(name: "useless") {
            var connections: [Int32] = []
            while true {
                let connection = accept(descriptor, nil, nil)
                guard connection >= 0 else { break }
                if conduct == .closing { close(connection) } else { connections.append(connection) }
            }
            for connection in connections { close(connection) }
        }
    }

    deinit {
        shutdown(descriptor, Int32(SHUT_RDWR))
        thread.join()
        close(descriptor)
    }
}
