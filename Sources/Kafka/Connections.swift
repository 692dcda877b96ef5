internal import Glibc
internal import Synchronization

/// How often a client has connected to each broker.
///
/// A log can lose its end only while its broker restarts or another broker takes it over. librdkafka counts here before it
/// connects, so whoever compares the count at each message sees that before the first message of the new connection.
final class Connections: Sendable {
    private let counts = Mutex<[Int32: Int]>([:])
    private let sum = Atomic<Int>(0)

    /// How often it has connected at all.
    var total: Int { sum.load(ordering: .acquiring) }

    /// How often it has connected to one broker.
    func count(of broker: Int32) -> Int { counts.withLock { $0[broker] ?? 0 } }

    /// Counts a connection by librdkafka's name of it, which ends in `/` and the broker's number or `/bootstrap`.
    func add(_ name: String) {
        let id = name.split(separator: "/").last.flatMap { Int32($0) } ?? -1
        counts.withLock { $0[id, default: 0] += 1 }
        sum.add(1, ordering: .releasing)
    }
}

/// Connects as librdkafka does by itself; 0, or the number of the error.
@unsafe func connectSocket(_ socket: Int32, to address: UnsafePointer<sockaddr>?, length: Int32) -> Int32 {
    guard unsafe connect(socket, address, socklen_t(length)) != 0, errno != EINPROGRESS else { return 0 }
    return errno
}
