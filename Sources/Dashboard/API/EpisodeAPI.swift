import HTTPService
import Hummingbird
internal import Daemon
internal import HTTPTypes
internal import HeartRate
internal import PostgreSQL

/// Episodes, and what can be changed: who has looked at one.
extension API {
    func addEpisodes(to routes: RouterGroup<Viewer>) {
        routes.get("episodes", use: episodes)
        routes.get("changes", use: changes)
        routes.get("episodes/:id", use: episode)
        routes.post("episodes/:id/acknowledge", use: acknowledge)
        routes.post("episodes/:id/undo", use: undo)
    }

    @Sendable private func episodes(_ request: Request, _ viewer: Viewer) async throws -> Response {
        let query = try QueryParameters(
            request, "state", "severity", "kind", "customer_id", "from", "until", "limit", "before")
        var wanted = EpisodePage.EpisodeRequest(limit: try query.integer("limit", in: 1...200, default: 50))
        wanted.filter = try query.choice("state", EpisodePage.Filter.self) ?? .all
        wanted.severity = try query.choice("severity", Severity.self, by: \.name)
        wanted.kind = try query.choice("kind", EpisodeKind.self, by: \.name)
        wanted.customer = try query.namedCustomer()?.text
        (wanted.from, wanted.until) = (try query.moment("from"), try query.moment("until"))
        if let before = try query.text("before", of: 0...50), !before.isEmpty {
            wanted.before = AnomalyPage.Cursor(before)
            guard wanted.before != nil else { throw query.refusal("before", "next_before of the page before") }
        }
        let asked = wanted
        let clock = poller.alarmClock
        let page = try await ask { connection throws(PostgreSQLError) in try EpisodePage(asked, at: clock, connection) }
        return try .json(json(EpisodeList(items: page.items, nextBefore: page.next?.text)), to: request)
    }

    /// How the severity of a customer's episodes changed, for the bands of the chart.
    @Sendable private func changes(_ request: Request, _ viewer: Viewer) async throws -> Response {
        let query = try QueryParameters(request, "customer_id", "from", "until")
        let id = try query.customer()
        let range = try query.range(now: wallClockMicroseconds())
        let found = try await ask { connection throws(PostgreSQLError) in
            try EpisodeChange.list(of: id, in: range, connection)
        }
        return try .json(json(ChangeList(items: found)), to: request)
    }

    @Sendable private func episode(_ request: Request, _ viewer: Viewer) async throws -> Response {
        _ = try QueryParameters(request)
        let id = try Self.episodeID(viewer)
        let clock = poller.alarmClock
        let found = try await ask { connection throws(PostgreSQLError) in
            try EpisodeItem.find(id, at: clock, connection)
        }
        guard let found else { throw Self.noEpisode }
        return try .json(json(found), to: request)
    }

    @Sendable private func acknowledge(_ request: Request, _ viewer: Viewer) async throws -> Response {
        let (change, person) = try await change(request, from: viewer, fields: ["by", "severity", "note"])
        let id = try Self.episodeID(viewer)
        let said = Acknowledgement(
            by: person, severity: try change.choice("severity", Severity.allCases.map(\.name)),
            note: try change.text("note", of: 1...200))
        let clock = poller.alarmClock
        let (isDone, found) = try await ask { connection throws(PostgreSQLError) in
            let isDone = try EpisodeItem.acknowledge(id, said, at: clock, on: connection)
            return (isDone, try EpisodeItem.find(id, at: clock, connection))
        }
        guard let found else { throw Self.noEpisode }
        guard isDone else { throw Self.conflict(found) }
        return try .json(json(found), to: request)
    }

    @Sendable private func undo(_ request: Request, _ viewer: Viewer) async throws -> Response {
        let (_, person) = try await change(request, from: viewer, fields: ["by"])
        let id = try Self.episodeID(viewer)
        let clock = poller.alarmClock
        let (isDone, found) = try await ask { connection throws(PostgreSQLError) in
            let isDone = try EpisodeItem.undo(id, by: person, connection)
            return (isDone, try EpisodeItem.find(id, at: clock, connection))
        }
        guard let found else { throw Self.noEpisode }
        guard isDone else {
            throw Problem(.conflict, "\(person) has not acknowledged it within the last minute")
        }
        return try .json(json(found), to: request)
    }

    private static func conflict(_ found: EpisodeItem) -> Problem {
        if let unseen = found.unseenSeverity {
            return Problem(.conflict, "it has become worse: its severity is \(unseen)")
        }
        return Problem(
            .conflict,
            """
            \(found.acknowledgedBy ?? "somebody") acknowledged it before, at \
            \(found.acknowledgedAt?.text ?? "some time")
            """)
    }

    private static let noEpisode = Problem(.notFound, "there is no such episode")

    private static func episodeID(_ viewer: Viewer) throws(Problem) -> Int64 {
        guard let id = viewer.parameters.get("id", as: Int64.self), id > 0 else {
            throw Problem(.badRequest, "expected the episode's number, 1 or more")
        }
        return id
    }
}
