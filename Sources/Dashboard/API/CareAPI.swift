internal import AccessTokens
import HTTPService
import Hummingbird
internal import HTTPTypes
internal import HeartRate
internal import NIOCore
internal import PostgreSQL
internal import Schema
internal import Synchronization

/// What is set for one customer, by whom, and what was set before.
extension API {
    func addCare(to routes: RouterGroup<Viewer>) {
        routes.get("viewer", use: viewer)
        routes.get("groups", use: groups)
        routes.get("care", use: care)
        routes.post("customer/limits", use: setLimits)
        routes.post("customer/pause", use: pause)
        routes.post("customer/groups", use: setGroups)
        routes.post("customer/note", use: note)
        routes.post("receivers/test", use: testReceiver)
    }

    /// The body of a request, and who it is from; refuses what another site could send, and who may only look.
    func change(
        _ request: Request, from viewer: Viewer, fields: Set<String>
    ) async throws -> (change: ChangeBody, person: String) {
        let channel = viewer.channel
        // Who sends it too slowly is let go. `RequestGuard` has seen that it is short.
        let limit = channel.eventLoop.scheduleTask(in: .seconds(5)) { channel.close(mode: .all, promise: nil) }
        defer { limit.cancel() }
        let body = try await request.body.collect(upTo: RequestGuard.mostBytes)
        try SameOrigin.require(request, isToken: viewer.token != nil)
        _ = try QueryParameters(request)
        let change = try ChangeBody(body, fields)
        // Who has a token acts under its name.
        if let token = viewer.token { return (change, token.name) }
        let said = try change.neededText("by", of: 1...50)
        return (change, try await acting.person(said, request, from: channel.remoteAddress))
    }

    @Sendable private func viewer(_ request: Request, _ viewer: Viewer) throws -> Response {
        _ = try QueryParameters(request)
        let address = viewer.channel.remoteAddress
        return try .json(
            json(
                ViewerReply(
                    user: viewer.token?.name ?? acting.user(request, from: address),
                    needsPassword: viewer.token == nil && acting.needsPassword(request, from: address))), to: request)
    }

    @Sendable private func groups(_ request: Request, _ viewer: Viewer) throws -> Response {
        _ = try QueryParameters(request)
        let groups = poller.table.withLock { $0.groups }
        let items = groups.map { GroupItem(name: $0.key, customers: $0.value.count) }.sorted { $0.name < $1.name }
        return try .json(json(GroupList(items: items)), to: request)
    }

    @Sendable private func care(_ request: Request, _ viewer: Viewer) async throws -> Response {
        let query = try QueryParameters(request, "customer_id", "limit", "before")
        let id = try query.customer()
        let limit = try query.integer("limit", in: 1...200, default: 20)
        let before = try query.integer("before", in: 1...Int.max, default: .max)
        let page = try await ask { connection throws(PostgreSQLError) in
            try CarePage(of: id, before: before, limit: limit, connection)
        }
        return try .json(json(page), to: request)
    }

    @Sendable private func setLimits(_ request: Request, _ viewer: Viewer) async throws -> Response {
        let (change, person) = try await change(
            request, from: viewer, fields: ["customer_id", "by", "note", "heart_rate_min", "heart_rate_max"])
        let common = Limits(poller.settings)
        let lowest = try change.integer("heart_rate_min", in: 1...299)
        let highest = try change.integer("heart_rate_max", in: 1...299)
        guard lowest ?? common.heartRateMin < highest ?? common.heartRateMax else {
            throw Problem(
                .badRequest,
                """
                expected heart_rate_min below heart_rate_max: the common limits are \(common.heartRateMin) and \
                \(common.heartRateMax)
                """)
        }
        let said = try change.text("note", of: 1...200)
        return try await set(change, of: request) { id, connection throws(PostgreSQLError) in
            try CareChange(id, by: person, note: said).setLimits(lowest: lowest, highest: highest, connection)
        }
    }

    @Sendable private func pause(_ request: Request, _ viewer: Viewer) async throws -> Response {
        let (change, person) = try await change(
            request, from: viewer, fields: ["customer_id", "by", "note", "minutes"])
        guard let minutes = try change.integer("minutes", in: 0...1440) else {
            throw Problem(.badRequest, "minutes: expected an integer from 0 to 1440")
        }
        let said = try change.text("note", of: 1...200)
        return try await set(change, of: request) { id, connection throws(PostgreSQLError) in
            try CareChange(id, by: person, note: said).pause(minutes: minutes, connection)
        }
    }

    @Sendable private func setGroups(_ request: Request, _ viewer: Viewer) async throws -> Response {
        let (change, person) = try await change(request, from: viewer, fields: ["customer_id", "by", "groups"])
        let names = try change.texts("groups", most: 20)
        let wrong = try await ask { connection throws(PostgreSQLError) in
            try GroupName.firstWrong(of: names, connection)
        }
        guard wrong == nil else { throw Problem(.badRequest, "groups: \(GroupName.rule)") }
        return try await set(change, of: request) { id, connection throws(PostgreSQLError) in
            try CareChange(id, by: person).setGroups(names, connection)
        }
    }

    @Sendable private func note(_ request: Request, _ viewer: Viewer) async throws -> Response {
        let (change, person) = try await change(
            request, from: viewer, fields: ["customer_id", "by", "note", "episode_id"])
        let said = try change.neededText("note", of: 1...200)
        let episode = try change.integer("episode_id", in: 1...Int.max)
        return try await set(change, of: request) { id, connection throws(PostgreSQLError) in
            try CareChange(id, by: person, note: said).addNote(to: episode, connection)
        }
    }

    /// Has the notifier send a test message to one receiver.
    @Sendable private func testReceiver(_ request: Request, _ viewer: Viewer) async throws -> Response {
        let (change, person) = try await change(request, from: viewer, fields: ["receiver", "by"])
        let name = try change.neededText("receiver", of: 1...50)
        let isKnown = try await ask { connection throws(PostgreSQLError) in
            try Receivers.test(name, by: person, connection)
        }
        guard isKnown else { throw Problem(.notFound, "nothing was ever sent to a receiver of that name") }
        return try .json(json(TestReply(receiver: name)), to: request)
    }

    /// Changes something of a customer, and answers how the customer is then.
    private func set(
        _ change: ChangeBody, of request: Request,
        _ body: @escaping @Sendable (CustomerKey, PostgreSQLConnection) throws(PostgreSQLError) -> Bool
    ) async throws -> Response {
        let id = try change.customer()
        let (clock, rules) = (poller.alarmClock, self.rules)
        let found = try await ask { connection throws(PostgreSQLError) -> CustomerDetails? in
            guard try body(id, connection) else { return nil }
            return try CustomerDetails(id, at: clock, by: rules, connection)
        }
        guard let found else { throw Problem(.notFound, "there is no such customer, or no acknowledgement of yours") }
        return try .json(json(DetailsReply(CustomerItem(found.customer, at: clock.now), found)), to: request)
    }
}
