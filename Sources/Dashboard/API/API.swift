internal import AccessTokens
import HTTPService
import Hummingbird
internal import Daemon
internal import HTTPTypes
internal import HeartRate
internal import Logging
internal import NIOCore
internal import PostgreSQL
internal import Schema
internal import Synchronization
internal import Zlib

/// The answers of /api/v1, as openapi.json describes them.
struct API: Sendable {
    let poller: Poller
    let connections: Connections
    let sessions: Workers<Session>
    let charts: ChartCache
    let exports: ExportSlots
    let acting: ActingRule
    let tokens: TokenTable<Set<Scope>>

    private var now: Int64 { wallClockMicroseconds() }

    func addRoutes(to router: Router<Viewer>) {
        addFHIR(to: router)
        let routes = router.group("api/v1")
        routes.get("state") { request, _ in
            _ = try QueryParameters(request)
            return Response.json(try poller.stateJSON(), to: request)
        }
        routes.get("events", use: events)
        routes.get("chart", use: chart)
        routes.get("throughput", use: throughput)
        routes.get("anomalies", use: anomalies)
        routes.get("customers", use: customers)
        routes.get("customer", use: customer)
        routes.get("readings", use: readings)
        addExports(to: routes)
        addEpisodes(to: routes)
        addReport(to: routes)
        addCare(to: routes)
        addEpisodeEvents(to: routes)
        let description = Asset(PageFile.openAPI, type: "application/json")
        routes.get("openapi.json") { request, _ in description.response(to: request) }
    }

    // MARK: - From memory

    @Sendable private func events(_ request: Request, _ viewer: Viewer) throws -> Response {
        _ = try QueryParameters(request)
        let isPacked = acceptsGzip(request)
        let body: ResponseBody
        if request.method == .head {
            body = ResponseBody()
        } else {
            let hub = poller.hub
            let (number, events) = try listen(viewer)
            let first = Event(Array("retry: 2000\n\n".utf8))
            body = ResponseBody { writer in
                defer { hub.leave(number) }
                var stream = GzipStream()
                func write(_ event: Event, to writer: inout any ResponseBodyWriter) async throws {
                    guard isPacked else { return try await writer.write(ByteBuffer(bytes: event.plain)) }
                    // Without memory for it the connection ends, and the page comes back.
                    guard let packed = event.packed else { throw Problem(.serviceUnavailable, "out of memory") }
                    stream.add(event.plain)
                    try await writer.write(ByteBuffer(bytes: packed))
                }
                if isPacked { try await writer.write(ByteBuffer(bytes: GzipStream.header)) }
                try await write(first, to: &writer)
                for await event in events {
                    guard isAllowed(viewer) else { break }
                    try await write(event, to: &writer)
                }
                if isPacked { try await writer.write(ByteBuffer(bytes: stream.trailer)) }
                try await writer.finish(nil)
            }
        }
        return Self.eventStream(body, isPacked: isPacked)
    }

    /// Begins to listen, if there are not too many who do, and counts the connection among those that stay.
    func listen(_ viewer: Viewer) throws(Problem) -> (number: Int, events: AsyncStream<Event>) {
        let channel = viewer.channel
        guard let listener = poller.hub.listen(disconnect: { channel.close(mode: .all, promise: nil) }) else {
            var problem = Problem.busy(
                .serviceUnavailable, "too many pages are open: DASHBOARD_VIEWERS", seconds: 10)
            problem.isLast = true
            throw problem
        }
        connections.becomesLivePage(channel)
        return listener
    }

    /// An answer of server-sent events.
    static func eventStream(_ body: ResponseBody, isPacked: Bool = false) -> Response {
        var headers: HTTPFields = [
            .contentType: "text/event-stream", .cacheControl: "no-store", .vary: "Accept-Encoding",
            // nginx would collect events otherwise.
            accelBuffering: "no",
        ]
        if isPacked { headers[.contentEncoding] = "gzip" }
        return Response(status: .ok, headers: headers, body: body)
    }

    private static let accelBuffering = HTTPField.Name("X-Accel-Buffering") ?? .via

    @Sendable private func customers(_ request: Request, _ viewer: Viewer) async throws -> Response {
        let query = try QueryParameters(
            request, "search", "group", "status", "section", "sort", "order", "limit", "offset")
        let section = try query.choice("section", SectionChoice.self)
        let wanted = CustomerTable.Selection(
            search: try query.text("search", of: 0...50), status: try query.choice("status", Status.self),
            section: section.flatMap { Section(rawValue: $0.rawValue) }, isOpen: section == .open,
            group: try query.group(),
            sort: CustomerTable.Sort(
                key: try query.choice("sort", CustomerTable.SortKey.self) ?? .customerID,
                isDescending: try query.choice("order", Order.self) == .desc),
            limit: try query.integer("limit", in: 1...200, default: 25),
            offset: try query.integer("offset", in: 0...1_000_000, default: 0))
        let (page, isTruncated) = try await page(wanted)
        let now = now
        let list = CustomerList(
            asOf: poller.table.withLock { $0.asOf }.map { Moment(microseconds: $0) }, total: page.total,
            limit: wanted.limit, offset: wanted.offset, isTruncated: isTruncated,
            items: page.items.map { CustomerItem($0, at: now) })
        return try .json(json(list), to: request)
    }

    private enum Order: String, CaseIterable { case asc, desc }

    /// A section of the list of people, or all of them.
    private enum SectionChoice: String, CaseIterable { case now, eased, watched, open }

    /// A part of the list, and whether the list lacks anybody. A search, or a group, among more customers than are in
    /// memory is the database's.
    private func page(
        _ wanted: CustomerTable.Selection
    ) async throws -> (page: CustomerTable.Page, isTruncated: Bool) {
        guard wanted.search != nil || wanted.group != nil, poller.table.withLock({ $0.isTruncated }) else {
            try await completeTrends(wanted)
            return poller.table.withLock { ($0.page(wanted), $0.isTruncated) }
        }
        let found = try await ask { connection throws(PostgreSQLError) in
            try CustomerTable.Row.list(
                connection, atMost: CustomerTable.mostFound + 1, with: wanted.search.map(lowercase), group: wanted.group
            )
        }
        var table = CustomerTable()
        table.groups = poller.table.withLock { $0.groups }
        // Whoever has something open is in memory, whatever the id.
        let standings = poller.table.withLock { known in
            found.reduce(into: [:]) { $0[$1.id] = known.customer($1.id)?.standing }
        }
        table.update(Array(found.prefix(CustomerTable.mostFound)), standings, at: now)
        return (table.page(wanted), found.count > CustomerTable.mostFound)
    }

    /// Looks up what customers' trends lack, for each customer once after the dashboard's start.
    private func completeTrends(_ wanted: CustomerTable.Selection) async throws {
        let incomplete = poller.table.withLock { table in
            table.page(wanted).items.filter { !$0.isTrendComplete }.map(\.row.id)
        }
        guard !incomplete.isEmpty, poller.unreadiness == nil else { return }
        let from = now - Int64(Trend.steps) * Trend.step
        // A trend is a nicety: a list without is better than none.
        guard
            let trends = try? await ask({ connection throws(PostgreSQLError) in
                try CustomerDetails.trends(of: incomplete, from: from, connection)
            })
        else { return }
        poller.table.withLock { table in
            for id in incomplete { table.completeTrend(of: id, with: trends[id] ?? []) }
        }
    }

    // MARK: - From the database

    @Sendable private func chart(_ request: Request, _ viewer: Viewer) async throws -> Response {
        let query = try QueryParameters(request, "minutes")
        let minutes = try query.integer("minutes", in: 1...60, default: 5)
        guard [1, 5, 15, 60].contains(minutes) else { throw query.refusal("minutes", "one of 1, 5, 15, 60") }
        let answer = try await charts.answer(minutes) {
            let customers = poller.mostActive
            let until = now
            let range = TimeRange(from: until - Int64(minutes) * 60_000_000, until: until)
            let lines = try await ask { connection throws(PostgreSQLError) in
                try ChartLines(of: customers, in: range, mostPoints: 400, connection)
            }
            return try json(
                ChartReply(
                    from: Moment(microseconds: range.from), until: Moment(microseconds: range.until),
                    bucketSeconds: lines.bucketSeconds, limits: Limits(poller.settings),
                    series: customers.map { Series(customerId: $0, points: lines.lines[$0]?.points ?? []) }))
        }
        return .json(answer, to: request)
    }

    @Sendable private func throughput(_ request: Request, _ viewer: Viewer) async throws -> Response {
        let minutes = try QueryParameters(request, "minutes").integer("minutes", in: 1...1440, default: 60)
        let found = try await ask { connection throws(PostgreSQLError) in try PollQuery.minutes(connection, minutes) }
        return try .json(json(Throughput(minutes: found)), to: request)
    }

    @Sendable private func anomalies(_ request: Request, _ viewer: Viewer) async throws -> Response {
        let query = try QueryParameters(request, "customer_id", "from", "until", "limit", "before")
        var wanted = AnomalyPage.AnomalyRequest(limit: try query.integer("limit", in: 1...200, default: 50))
        wanted.customer = try query.namedCustomer()?.text
        if let before = try query.text("before", of: 0...50), !before.isEmpty {
            wanted.before = AnomalyPage.Cursor(before)
            guard wanted.before != nil else { throw query.refusal("before", "next_before of the page before") }
        }
        if wanted.customer != nil {
            let range = try query.range(now: now)
            (wanted.from, wanted.until) = (range.from, range.until)
        } else {
            (wanted.from, wanted.until) = (try query.moment("from"), try query.moment("until"))
        }
        let now = now
        let asked = wanted
        let page = try await ask { connection throws(PostgreSQLError) in
            try AnomalyPage(asked, now: now, connection)
        }
        return try .json(json(AnomalyList(items: page.items, nextBefore: page.next?.text)), to: request)
    }

    /// The rules of detection, with the common limit below which a heart is slow.
    var rules: EpisodeRules {
        var rules = EpisodeRules()
        rules.heartRateMin = Int16(Limits(poller.settings).heartRateMin)
        return rules
    }

    @Sendable private func customer(_ request: Request, _ viewer: Viewer) async throws -> Response {
        let id = try QueryParameters(request, "customer_id").customer()
        let clock = poller.alarmClock
        let rules = self.rules
        let found = try await ask { connection throws(PostgreSQLError) in
            try CustomerDetails(id, at: clock, by: rules, connection)
        }
        guard let found else { throw Problem(.notFound, "there is no such customer") }
        // What every list shows, at the same moment; those who are in no list are asked for alone.
        let customer = poller.table.withLock { $0.customer(id) } ?? found.customer
        return try .json(json(DetailsReply(CustomerItem(customer, at: clock.now), found)), to: request)
    }

    @Sendable private func readings(_ request: Request, _ viewer: Viewer) async throws -> Response {
        let query = try QueryParameters(request, "customer_id", "from", "until", "buckets")
        let id = try query.customer()
        let range = try query.range(now: now)
        let buckets = try query.integer("buckets", in: 10...1000, default: 400)
        let lines = try await ask { connection throws(PostgreSQLError) in
            try ChartLines(of: [id], in: range, mostPoints: buckets, connection)
        }
        let line = lines.lines[id] ?? ChartLines.Line()
        let answer = ReadingsReply(
            customerId: id, from: .reading(range.from), until: .reading(range.until),
            bucketSeconds: lines.bucketSeconds, limits: Limits(poller.settings), points: line.points,
            activities: line.toldActivities, count: line.count, anomalies: line.anomalies, min: line.lowest,
            max: line.highest, rollupsUntil: lines.rollupsUntil.map { .reading(min($0, range.until)) })
        return try .json(json(answer), to: request)
    }

    // MARK: -

    /// Whether what began with a token may go on.
    func isAllowed(_ viewer: Viewer) -> Bool { viewer.token.map(tokens.holds) ?? true }

    /// Asks the database on one of the threads for that.
    func ask<Answer: Sendable>(
        _ question: @escaping @Sendable (PostgreSQLConnection) throws(PostgreSQLError) -> Answer
    ) async throws -> Answer {
        // While it is away nobody waits for it.
        if let reason = poller.unreadiness { throw Problem.busy(.serviceUnavailable, reason) }
        do {
            return try await sessions.run { session in try session.ask(question) }
        } catch is Workers<Session>.Busy {
            throw Problem.busy(.tooManyRequests, "too many requests are waiting for the database")
        } catch let error as PostgreSQLError {
            if error.sqlState == .queryCanceled {
                throw Problem.busy(.serviceUnavailable, "the database did not answer in time: ask for a shorter range")
            }
            throw Problem.busy(.serviceUnavailable, "\(error)")
        }
    }
}
