internal import Daemon
internal import Logging
internal import PostgreSQL

/// Goes between the database and the senders: notes who is told of what, hands it to them, and notes what became of it.
///
/// The order in which things are noted is what makes it safe to be killed at any moment: an event counts as routed in the
/// transaction that has a row for each receiver, and a row counts as sent after the receiver has answered. What was sent and
/// is not noted is sent again, with the same id.
struct Dispatcher {
    private let settings: Settings
    private let service: Service
    private var store: EventStore
    private var routes = Routes()
    private var desks: [String: Desk] = [:]
    private var metrics: NotifierMetrics
    private var unsettled: [EventStore.Settlement] = []
    private var isRegistered = false
    private var tidiedAt: ContinuousClock.Instant?
    private var unknownZones: Set<String> = []
    private var waiting = 0

    /// As many events or notifications are read at a time.
    private static let most = 100
    private static let mostRefreshed = 1000

    init(_ settings: Settings, _ service: Service) {
        self.settings = settings
        self.service = service
        store = EventStore(settings)
        metrics = NotifierMetrics(service.metrics)
    }

    /// Takes over who is told of what. A receiver that stays as it is does not notice.
    ///
    /// - Throws: `SystemError` when the system has no thread left.
    mutating func use(_ routes: Routes) throws(SystemError) {
        let kept = Set(routes.receivers)
        let ended = desks.filter { !kept.contains($0.value.sender.receiver) }
        for desk in ended.values { desk.sender.stop() }
        for (name, desk) in ended {
            desk.sender.join(within: .milliseconds(100))
            collect(name)
            service.end(desk.loop)
            desks[name] = nil
        }
        self.routes = routes
        for receiver in routes.receivers where desks[receiver.name] == nil {
            let loop = service.loop("sender \(receiver.name)")
            let sender = try Sender(receiver, settings, loop: loop)
            desks[receiver.name] = Desk(sender, loop: loop, longestPause: settings[.notifierBackoff])
            metrics.add(receiver.name)
        }
    }

    /// Does what is to be done now.
    ///
    /// - Throws: `PostgreSQLError`; then nothing is lost.
    mutating func round() throws(PostgreSQLError) {
        if !isRegistered {
            try store.register()
            isRegistered = true
        }
        try settle()
        try route()
        try tidy()
        let now = ContinuousClock.now
        for name in desks.keys.sorted() { try hand(to: name, at: now) }
        service.tell("\(desks.count) receivers, \(waiting) notifications waiting, \(metrics.sent) sent")
    }

    /// Ends the senders and notes what they have done.
    mutating func stop() {
        for desk in desks.values { desk.sender.stop() }
        let end = ContinuousClock.now + .seconds(3)
        for desk in desks.values { desk.sender.join(within: max(.zero, end - .now)) }
        do throws(PostgreSQLError) {
            try settle()
        } catch {
            service.logger.warning("\(unsettled.count) notifications may be sent again: \(error)")
        }
    }

    // MARK: - From the senders

    private mutating func settle() throws(PostgreSQLError) {
        for name in desks.keys.sorted() { collect(name) }
        guard !unsettled.isEmpty else { return }
        try store.settle(unsettled)
        unsettled = []
    }

    private mutating func collect(_ name: String) {
        for report in desks[name]?.sender.takeReports() ?? [] {
            switch report.outcome {
            case .delivered: delivered(report, name)
            case .refused(let cause):
                note(report, of: name, as: .dead, because: cause)
                if report.event != nil {
                    metrics.count(.dead, of: name)
                    reportDead(1, of: name, because: "it was refused: \(cause)")
                }
            case .unavailable(let cause): failed(report, of: name, because: cause)
            }
        }
    }

    private mutating func delivered(_ report: Sender.Report, _ name: String) {
        if desks[name]?.answered() == true { service.logger.notice("the receiver \(name) is available again") }
        note(report, of: name, as: .sent)
        guard let event = report.event else { return }
        metrics.count(.sent, of: name)
        metrics.delivered(after: wallClockMicroseconds() - event.times.recorded)
    }

    private mutating func failed(_ report: Sender.Report, of name: String, because cause: String) {
        metrics.count(.failed, of: name)
        if desks[name]?.failed(cause, at: .now) == true {
            service.logger.warning("the receiver \(name) is tried again and again: \(cause)")
        }
        note(report, of: name, as: .waiting, because: cause)
    }

    private mutating func note(
        _ report: Sender.Report, of name: String, as state: EventStore.Settlement.Condition,
        because cause: String? = nil
    ) {
        guard let event = report.event else { return }
        unsettled.append(.init(eventID: event.id, receiver: name, state: state, error: cause))
    }

    private func reportDead(_ count: Int, of name: String, because cause: String) {
        service.logger.report(
            .notificationDead, "\(count) notifications for \(name) are given up: \(cause)",
            fields: ["HEARTBEAT_RECEIVER": "\(name)", "HEARTBEAT_COUNT": "\(count)"])
    }

    // MARK: - To the senders

    private mutating func route() throws(PostgreSQLError) {
        while !service.stop.isRequested {
            let events = try store.unrouted(most: Self.most)
            guard !events.isEmpty else { return }
            let minutes = try clocks()
            var told: [Int64: Set<String>] = [:]
            var routed: [(id: Int64, receivers: [String])] = []
            for (event, before) in events {
                let known = before.union(told[event.episodeID] ?? [])
                let names = routes.receivers(of: event, told: known, minutes: minutes)
                told[event.episodeID] = known.union(names)
                routed.append((event.id, names))
            }
            try store.route(routed)
            for name in routed.flatMap(\.receivers) { desks[name]?.mayHaveWork = true }
        }
    }

    /// The minute of the day in each zone of quiet hours.
    private mutating func clocks() throws(PostgreSQLError) -> [String: Int] {
        var minutes: [String: Int] = [:]
        for zone in routes.zones {
            minutes[zone] = try store.minute(in: zone)
            guard minutes[zone] == nil, unknownZones.insert(zone).inserted else { continue }
            service.logger.error("PostgreSQL does not know the time zone \(zone): its hours are not quiet")
        }
        return minutes
    }

    /// Gives up what is too old, and counts what waits, every few seconds.
    private mutating func tidy() throws(PostgreSQLError) {
        if let tidiedAt, .now - tidiedAt < .seconds(2) { return }
        tidiedAt = .now
        let expired = try store.expire(after: settings[.notifierRetry])
        for (name, list) in Dictionary(grouping: expired, by: { $0 }) {
            for _ in list { metrics.count(.dead, of: name) }
            reportDead(list.count, of: name, because: desks[name]?.failure ?? "they were not sent in time")
        }
        let backlog = try store.backlog()
        metrics.set(backlog)
        waiting = backlog.reduce(0) { $0 + $1.count }
        for entry in backlog { desks[entry.receiver]?.mayHaveWork = true }
    }

    private mutating func hand(to name: String, at now: ContinuousClock.Instant) throws(PostgreSQLError) {
        guard let desk = desks[name], desk.isDue(at: now) else { return }
        if desk.mayHaveWork {
            let list = try store.waiting(for: name, most: Self.most)
            desks[name]?.mayHaveWork = !list.isEmpty
            if !list.isEmpty { return desk.sender.give(.send(list)) }
        }
        guard desk.isRefreshDue(at: now) else { return }
        desks[name]?.refreshed(at: now)
        let open = try store.open(for: name, most: Self.mostRefreshed)
        if !open.isEmpty { desk.sender.give(.refresh(open)) }
    }
}
