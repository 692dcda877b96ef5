import HTTPService
import Hummingbird
internal import FoundationEssentials
internal import HTTPTypes
internal import HeartRate
internal import NIOCore
internal import PostgreSQL

/// Episodes, and what can be changed: who has looked at one.
extension API {
    func addEpisodes(to routes: RouterGroup<Viewer>) {
        routes.get("episodes", use: episodes)
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
        let (id, said) = try await Self.said(request, viewer, fields: ["by", "severity", "note"])
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
        let (id, said) = try await Self.said(request, viewer, fields: ["by"])
        let clock = poller.alarmClock
        let (isDone, found) = try await ask { connection throws(PostgreSQLError) in
            let isDone = try EpisodeItem.undo(id, by: said.by, connection)
            return (isDone, try EpisodeItem.find(id, at: clock, connection))
        }
        guard let found else { throw Self.noEpisode }
        guard isDone else {
            throw Problem(.conflict, "\(said.by) has not acknowledged it within the last minute")
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

    /// What a request says of which episode; refuses what another site could send.
    private static func said(
        _ request: Request, _ viewer: Viewer, fields: Set<String>
    ) async throws -> (id: Int64, said: Acknowledgement) {
        let body = try await body(of: request, viewer)
        try SameOrigin.require(request)
        _ = try QueryParameters(request)
        return (try episodeID(viewer), try acknowledgement(body, fields))
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

    private static func acknowledgement(
        _ body: ByteBuffer, _ known: Set<String>
    ) throws(Problem) -> Acknowledgement {
        guard let fields = try? JSONDecoder().decode([String: String].self, from: Data(body.readableBytesView)),
            let person = fields["by"], known.isSuperset(of: fields.keys)
        else {
            throw Problem(
                .badRequest,
                "expected a JSON object of texts, with \"by\" and no other than \(known.sorted().joined(separator: ", "))"
            )
        }
        try require(person, as: "by", of: 1...50)
        if let note = fields["note"] { try require(note, as: "note", of: 1...200) }
        if let severity = fields["severity"], !Severity.allCases.contains(where: { $0.name == severity }) {
            throw Problem(.badRequest, "severity: expected one of low, medium, high")
        }
        return Acknowledgement(by: person, severity: fields["severity"], note: fields["note"])
    }

    private static func require(_ text: String, as name: String, of length: ClosedRange<Int>) throws(Problem) {
        let scalars = text.unicodeScalars
        let isPlain = !scalars.contains { $0.properties.generalCategory == .control }
        let isTrimmed = ![scalars.first, scalars.last].contains { [0x20, 0xa0].contains($0?.value) }
        guard length.contains(scalars.count), isPlain, isTrimmed else {
            throw Problem(
                .badRequest,
                """
                \(name): expected \(length.lowerBound) to \(length.upperBound) characters, none of them a control \
                character, with no blank at either end
                """)
        }
    }
}
