import HTTPService
import Hummingbird
internal import HTTPTypes
internal import NIOCore
internal import PostgreSQL

/// What happens to episodes, as server-sent events, also for who comes back.
extension API {
    func addEpisodeEvents(to routes: RouterGroup<Viewer>) {
        routes.get("episodes/events", use: episodeEvents)
    }

    /// After this many seconds without an event a comment says that the connection is there.
    private static let quietSeconds = 15

    @Sendable private func episodeEvents(_ request: Request, _ viewer: Viewer) throws -> Response {
        let asked = try Self.cursor(request)
        if request.method == .head { return Self.eventStream(ResponseBody()) }
        guard let position = poller.feed.position else {
            throw Problem.busy(.serviceUnavailable, poller.unreadiness ?? "the database has not answered yet")
        }
        // A number that is not there yet is another database's.
        let start = min(asked ?? position, position)
        let (number, ticks) = try listen(viewer)
        return Self.eventStream(
            ResponseBody { writer in
                defer { poller.hub.leave(number) }
                // Who has seen no event yet comes back with this number.
                try await writer.write(ByteBuffer(string: "retry: 2000\nid: \(start)\n\n"))
                var last = start
                var silentSince = ContinuousClock.now
                for await _ in ticks {
                    guard isAllowed(viewer) else { break }
                    let before = last
                    while let text = try await text(after: &last) {
                        try await writer.write(ByteBuffer(string: text))
                    }
                    if last == before, silentSince.duration(to: .now) < .seconds(Self.quietSeconds) { continue }
                    if last == before { try await writer.write(ByteBuffer(string: ":\n\n")) }
                    silentSince = .now
                }
                try await writer.finish(nil)
            })
    }

    /// The number after which events are wanted: that of the last one that a client who comes back had, or the one that
    /// it names; nil for only new ones.
    private static func cursor(_ request: Request) throws(Problem) -> Int64? {
        let query = try QueryParameters(request, "after")
        let named = try query.integer("after", in: 0...Int.max, default: -1)
        guard let name = HTTPField.Name("Last-Event-ID"), let text = request.headers[name] else {
            return named < 0 ? nil : Int64(named)
        }
        guard let number = Int64(text), number >= 0 else {
            throw Problem(.badRequest, "Last-Event-ID: expected the id of an event")
        }
        return number
    }

    /// The next events; nil when there are no more.
    private func text(after last: inout Int64) async throws -> String? {
        let cursor = last
        if let messages = poller.feed.messages(after: cursor) {
            guard let end = messages.last?.number else { return nil }
            last = end
            return messages.map(\.text).joined()
        }
        let position = poller.feed.position ?? cursor
        let messages = try await ask { connection throws(PostgreSQLError) in
            try EpisodeEventItem.list(after: cursor, upTo: position, limit: 200, connection)
        }.map { try EpisodeFeed.Message($0) }
        // What is not there was deleted.
        last = messages.last?.number ?? position
        return messages.isEmpty ? nil : messages.map(\.text).joined()
    }
}
