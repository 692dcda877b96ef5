internal import HTTPService
internal import NIOCore
internal import PostgreSQL
internal import Schema
internal import Synchronization

/// What happened to episodes, in order, for all who listen: the latest from memory.
final class EpisodeFeed: Sendable {
    /// An event as a listener gets it.
    struct Message: Sendable {
        let number: Int64
        let text: String

        init(_ event: EpisodeEventItem) throws {
            number = event.eventId
            text = "id: \(number)\nevent: episode\ndata: \(String(buffer: try json(event)))\n\n"
        }
    }

    private struct State {
        /// nil until the database was asked.
        var order: EventOrder?
        /// The latest, without a gap; those before are in the database.
        var latest: [Message] = []
        /// The number before the first of these.
        var start: Int64 = 0
    }

    /// This many are kept in memory, and are read at once.
    private static let mostKept = 1000
    private let state = Mutex(State())

    /// The number up to which listeners have all; nil until the database was asked.
    var position: Int64? { state.withLock { $0.order?.complete } }

    /// Reads what is new. The poller calls it, and nobody else.
    func poll(_ session: inout Session) throws(PostgreSQLError) {
        let known = state.withLock { $0.order }
        let (start, transactions, events) = try session.ask { connection throws(PostgreSQLError) in
            let start: Int64
            if let known {
                start = known.complete
            } else {
                start = try EpisodeEventItem.startOfLatest(Self.mostKept, connection)
            }
            // In this order: a transaction that had ended by then is seen with all that it did.
            let transactions = try EpisodeEventItem.transactions(connection)
            let events = try EpisodeEventItem.list(after: start, limit: Self.mostKept, connection)
            return (start, transactions, events)
        }
        var order = known ?? EventOrder(after: start)
        order.take(oldest: transactions.oldest, next: transactions.next, numbers: events.map(\.eventId))
        let complete = order.complete
        let new = events.filter { $0.eventId <= complete }.compactMap { try? Message($0) }
        let isFirst = known == nil
        let taken = order
        state.withLock { state in
            state.order = taken
            if isFirst { state.start = start }
            state.latest += new
            let surplus = state.latest.count - Self.mostKept
            guard surplus > 0 else { return }
            state.start = state.latest[surplus - 1].number
            state.latest.removeFirst(surplus)
        }
    }

    /// What comes after a number; nil when it has to be read from the database.
    func messages(after number: Int64) -> [Message]? {
        state.withLock { state in
            guard number >= state.start else { return nil }
            return Array(state.latest.drop { $0.number <= number })
        }
    }
}
