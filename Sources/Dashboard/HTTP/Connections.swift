internal import NIOCore
internal import Synchronization

/// The open connections, of which there are never more than the process has room for.
///
/// A new connection is always taken, so that a request for /healthz is answered however many there are. When there are
/// too many, another one is closed for it: the one that has been waiting for a request the longest, or else the one
/// that has been taking its answer the longest. A live page is never closed; `EventHub` bounds how many there are.
final class Connections: Sendable {
    /// What a connection is used for.
    enum Use: Int {
        /// It has sent no request, or only a part of one.
        case waiting
        /// It gets an answer.
        case answering
        /// It gets events, without an end.
        case streaming
    }

    private struct Connection {
        let channel: any Channel
        var use: Use
        /// The place in the order of all changes.
        var since: Int
    }

    private struct State {
        var open: [ObjectIdentifier: Connection] = [:]
        var changes = 0
    }

    private let state = Mutex(State())
    private let most: Int

    /// - Parameter most: how many there may be.
    init(most: Int) { self.most = most }

    /// Counts a new connection.
    func opened(_ channel: any Channel) {
        let isFull = state.withLock { $0.open.count >= most }
        if isFull { makeRoom() }
        use(channel, .waiting)
        channel.closeFuture.whenComplete { [self] _ in
            _ = state.withLock { $0.open.removeValue(forKey: ObjectIdentifier(channel)) }
        }
    }

    /// Notes what a connection is used for from now on.
    func use(_ channel: any Channel, _ use: Use) {
        state.withLock { state in
            state.changes += 1
            state.open[ObjectIdentifier(channel)] = Connection(channel: channel, use: use, since: state.changes)
        }
    }

    /// Closes the connection that is missed least.
    func makeRoom() {
        let victim = state.withLock { state -> (any Channel)? in
            let found = state.open.filter { $0.value.use != .streaming }.min {
                ($0.value.use.rawValue, $0.value.since) < ($1.value.use.rawValue, $1.value.since)
            }
            return found.flatMap { state.open.removeValue(forKey: $0.key)?.channel }
        }
        victim?.close(mode: .all, promise: nil)
    }
}
