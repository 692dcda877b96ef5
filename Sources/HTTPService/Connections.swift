public import NIOCore
internal import Synchronization

/// The open connections, of which there are never more than the process has room for.
///
/// A new connection is always taken, so that a request for /healthz is answered however many there are, by the dashboard's
/// `HealthHandler`. When there are too many, another one is closed for it: the one on which nothing has happened for the
/// longest. A live page is never closed; the dashboard bounds how many there are.
public final class Connections: Sendable {
    private struct Other {
        let channel: any Channel
        /// The place of what happened last in the order of all that happens.
        var last: Int
    }

    private struct State {
        var livePages: Set<ObjectIdentifier> = []
        var others: [ObjectIdentifier: Other] = [:]
        var count = 0
    }

    private let state = Mutex(State())
    private let most: Int

    /// - Parameter most: how many there may be.
    public init(most: Int) { self.most = most }

    /// Takes a new connection.
    func opened(_ channel: any Channel) {
        if state.withLock({ $0.livePages.count + $0.others.count >= most }) { makeRoom() }
        state.withLock { state in
            state.count += 1
            state.others[ObjectIdentifier(channel)] = Other(channel: channel, last: state.count)
        }
        channel.closeFuture.whenComplete { [self] _ in
            state.withLock { state in
                state.others[ObjectIdentifier(channel)] = nil
                state.livePages.remove(ObjectIdentifier(channel))
            }
        }
    }

    /// Notes that a request came in, or a part of an answer went out.
    func progressed(_ channel: any Channel) {
        state.withLock { state in
            state.count += 1
            state.others[ObjectIdentifier(channel)]?.last = state.count
        }
    }

    /// Notes that a connection gets events from now on, without an end.
    public func becomesLivePage(_ channel: any Channel) {
        state.withLock { state in
            guard state.others.removeValue(forKey: ObjectIdentifier(channel)) != nil else { return }
            state.livePages.insert(ObjectIdentifier(channel))
        }
    }

    /// Closes the connection on which nothing has happened for the longest.
    func makeRoom() {
        let oldest = state.withLock { state -> (any Channel)? in
            let found = state.others.min { $0.value.last < $1.value.last }
            return found.flatMap { state.others.removeValue(forKey: $0.key)?.channel }
        }
        oldest?.close(mode: .all, promise: nil)
    }
}
