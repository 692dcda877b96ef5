import Hummingbird
internal import FoundationEssentials
internal import HTTPTypes
internal import HeartRate
internal import NIOCore
internal import PostgreSQL

/// Episodes, and the one thing that can be changed: who has looked at one.
extension API {
    func addEpisodes(to routes: RouterGroup<Viewer>) {
        routes.get("episodes", use: episodes)
        routes.get("episodes/:id", use: episode)
        routes.post("episodes/:id/acknowledge", use: acknowledge)
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
        if let before = try query.text("before", of: 1...50) {
            wanted.before = AnomalyPage.Cursor(before)
            guard wanted.before != nil else { throw query.refusal("before", "next_before of the page before") }
        }
        let asked = wanted
        let page = try await ask { connection throws(PostgreSQLError) in try EpisodePage(asked, connection) }
        return try .json(json(EpisodeList(items: page.items, nextBefore: page.next?.text)), to: request)
    }

    @Sendable private func episode(_ request: Request, _ viewer: Viewer) async throws -> Response {
        _ = try QueryParameters(request)
        let id = try Self.episodeID(viewer)
        let found = try await ask { connection throws(PostgreSQLError) in try EpisodeItem.find(id, connection) }
        guard let found else { throw Self.noEpisode }
        return try .json(json(found), to: request)
    }

    @Sendable private func acknowledge(_ request: Request, _ viewer: Viewer) async throws -> Response {
        let body = try await Self.body(of: request, viewer)
        try SameOrigin.require(request)
        _ = try QueryParameters(request)
        let id = try Self.episodeID(viewer)
        let person = try Self.person(body)
        let (isDone, found) = try await ask { connection throws(PostgreSQLError) in
            let isDone = try EpisodeItem.acknowledge(id, by: person, connection)
            return (isDone, try EpisodeItem.find(id, connection))
        }
        guard let found else { throw Self.noEpisode }
        guard isDone else {
            throw Problem(
                .conflict,
                """
                \(found.acknowledgedBy ?? "somebody") acknowledged it before, at \
                \(found.acknowledgedAt?.text ?? "some time")
                """)
        }
        return try .json(json(found), to: request)
    }

    private static let noEpisode = Problem(.notFound, "there is no such episode")

    private static func episodeID(_ viewer: Viewer) throws(Problem) -> Int64 {
        guard let id = viewer.parameters.get("id", as: Int64.self), id > 0 else {
            throw Problem(.badRequest, "expected the episode's number, 1 or more")
        }
        return id
    }

    /// The body, which `RequestGuard` has let in because it is short. Who sends it too slowly is let go.
    private static func body(of request: Request, _ viewer: Viewer) async throws -> ByteBuffer {
        let channel = viewer.channel
        let limit = channel.eventLoop.scheduleTask(in: .seconds(5)) { channel.close(mode: .all, promise: nil) }
        defer { limit.cancel() }
        return try await request.body.collect(upTo: RequestGuard.mostBytes)
    }

    private static func person(_ body: ByteBuffer) throws(Problem) -> String {
        let expected = Problem(.badRequest, "expected a JSON object with \"by\" alone: who acknowledges, as a text")
        guard let fields = try? JSONDecoder().decode([String: String].self, from: Data(body.readableBytesView)),
            fields.count == 1, let person = fields["by"]
        else { throw expected }
        let scalars = person.unicodeScalars
        let isPlain = !scalars.contains { $0.properties.generalCategory == .control }
        let isTrimmed = ![scalars.first, scalars.last].contains { [0x20, 0xa0].contains($0?.value) }
        guard (1...50).contains(scalars.count), isPlain, isTrimmed else {
            throw Problem(
                .badRequest,
                "by: expected 1 to 50 characters, none of them a control character, with no blank at either end")
        }
        return person
    }
}
