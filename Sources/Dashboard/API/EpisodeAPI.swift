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
        let query = try Query(request, "state", "severity", "kind", "customer_id", "from", "until", "limit", "before")
        var wanted = EpisodePage.Request(limit: try query.integer("limit", in: 1...200, default: 50))
        wanted.condition = try query.choice("state", EpisodePage.Condition.self) ?? .all
        wanted.severity = try query.choice("severity", Severity.self, \.name)
        wanted.kind = try query.choice("kind", EpisodeKind.self, \.name)
        wanted.customer = try query.text("customer_id", atMost: 50)
        (wanted.from, wanted.until) = (try query.moment("from"), try query.moment("until"))
        if let before = try query.text("before", atMost: 50) {
            wanted.before = AnomalyPage.Cursor(before)
            guard wanted.before != nil else { throw query.refusal("before", "next_before of the page before") }
        }
        let asked = wanted
        let page = try await ask { connection throws(PostgreSQLError) in try EpisodePage(asked, connection) }
        return try Self.answer(json(EpisodeList(items: page.items, nextBefore: page.next?.text)), to: request)
    }

    @Sendable private func episode(_ request: Request, _ viewer: Viewer) async throws -> Response {
        _ = try Query(request)
        let id = try Self.episodeID(viewer)
        let found = try await ask { connection throws(PostgreSQLError) in try EpisodeItem.find(id, connection) }
        guard let found else { throw Self.noEpisode }
        return try Self.answer(json(found), to: request)
    }

    @Sendable private func acknowledge(_ request: Request, _ viewer: Viewer) async throws -> Response {
        let body = try await Self.body(of: request, viewer)
        try OwnPage.require(request)
        _ = try Query(request)
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
        return try Self.answer(json(found), to: request)
    }

    private static let noEpisode = Problem(.notFound, "there is no such episode")

    private static func episodeID(_ viewer: Viewer) throws(Problem) -> Int64 {
        guard let id = viewer.parameters.get("id", as: Int64.self), id > 0 else {
            throw Problem(.badRequest, "expected the episode's number, 1 or more")
        }
        return id
    }

    /// The body, which `Gate` has let in because it is short. Who sends it too slowly is let go.
    private static func body(of request: Request, _ viewer: Viewer) async throws -> ByteBuffer {
        let channel = viewer.channel
        let limit = channel.eventLoop.scheduleTask(in: .seconds(5)) { channel.close(mode: .all, promise: nil) }
        defer { limit.cancel() }
        return try await request.body.collect(upTo: Gate.mostBytes)
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

/// Tells a request of the dashboard's own page from one that a page of somebody else makes a browser send, with the
/// password that the browser remembers (cross-site request forgery).
enum OwnPage {
    /// - Throws: `Problem` unless the browser says that the request comes from here, and unless it has a type of body
    ///   that a form can not send.
    static func require(_ request: Request) throws(Problem) {
        guard isOwn(request) else {
            throw Problem(
                .forbidden,
                """
                only the dashboard's own page may change something: expected Sec-Fetch-Site: same-origin, or an Origin \
                that is the Host
                """)
        }
        let type = (request.headers[.contentType] ?? "").prefix { $0 != ";" }
        guard type.filter({ $0 != " " }).lowercased() == "application/json" else {
            throw Problem(.unsupportedMediaType, "expected Content-Type: application/json")
        }
    }

    private static func isOwn(_ request: Request) -> Bool {
        // No script can set this header, so it says more than Origin, whose port a proxy may have hidden from us.
        if let name = HTTPField.Name("Sec-Fetch-Site"), let site = request.headers[name] {
            return site == "same-origin"
        }
        guard let origin = request.headers[.origin]?.lowercased(), let host = request.head.authority?.lowercased()
        else {
            return false
        }
        return origin == "http://" + host || origin == "https://" + host
    }
}
