internal import Daemon
import HTTPService
import Hummingbird
internal import Logging
internal import NIOCore
internal import PostgreSQL
internal import Schema
internal import Synchronization

/// Asks the database once a second what the page shows, for all viewers together, and publishes it.
///
/// Nothing here depends on whether anybody looks: so the first viewer is answered from memory at once.
final class Poller: Sendable {
    private struct Memory {
        var snapshot: Snapshot
        var settings: Settings
        var live = LivePoints()
        var freshness = Freshness()
        var daemons = SeenDaemons()
        var rate = RateMeter()
        var files: DaemonFiles?
        var gapsLookedAt: ContinuousClock.Instant?
        var groupsLookedAt: ContinuousClock.Instant?
        var receiversLookedAt: ContinuousClock.Instant?
        var publishedAt = ContinuousClock.now
    }

    /// What every customer together makes.
    private struct Figures: Sendable {
        let statusCounts: [String: Int]
        let people: Snapshot.People
        let lastReading: Snapshot.LastReading?

        init(_ table: CustomerTable, at now: Int64) {
            let counts = table.statusCounts
            statusCounts = Dictionary(
                uniqueKeysWithValues: Status.allCases.map { ($0.rawValue, counts[$0] ?? 0) })
            people = Snapshot.People(table.people, at: now)
            lastReading = table.lastReading.map {
                Snapshot.LastReading(
                    customerId: $0.id, recordedAt: .reading($0.recordedAt), heartRate: $0.heartRate,
                    isAnomaly: $0.isAnomaly)
            }
        }
    }

    let hub: EventHub
    /// The customers, for lists.
    let table = Mutex(CustomerTable())
    /// What happened to episodes.
    let feed = EpisodeFeed()
    private let memory: Mutex<Memory>
    private let metrics: DashboardMetrics
    private let service: Service

    init(_ settings: Settings, _ service: Service, hub: EventHub, metrics: DashboardMetrics) {
        self.hub = hub
        self.metrics = metrics
        self.service = service
        let snapshot = Snapshot(
            version: heartbeatVersion,
            database: .init(state: .away, since: .now, error: "it has not answered yet"),
            data: .init(state: .waiting, since: .now), limits: Limits(settings))
        memory = Mutex(Memory(snapshot: snapshot, settings: settings))
    }

    /// Asks once a second until it is stopped. Runs on a thread of its own.
    func run(_ session: Session, _ loop: WorkLoop) {
        var session = session
        var backoff = Backoff(to: .seconds(3))
        while !service.stop.isRequested {
            let start = ContinuousClock.now
            loop.progressed()
            do throws(PostgreSQLError) {
                try poll(&session)
                service.answered(.postgreSQL)
                service.ready()
                backoff.reset()
                let duration = ContinuousClock.now - start
                metrics.observePoll(duration / .seconds(1))
                // A database that is that slow gets two thirds of the time for others.
                let pause = max(.seconds(1) - duration, duration * 2)
                if service.stop.wait(for: pause) { return }
            } catch {
                lost(error)
                publish()
                if service.stop.wait(for: backoff.next()) { return }
            }
        }
    }

    /// The state now, as JSON.
    func stateJSON() throws -> ByteBuffer {
        var snapshot = memory.withLock { $0.snapshot }
        snapshot.now = .now
        return try json(snapshot)
    }

    /// Sends the state to everybody.
    func publish() {
        memory.withLock { memory in
            memory.publishedAt = .now
            lookAtFiles(&memory)
        }
        guard let state = try? stateJSON() else { return }
        hub.publish(Event(Array("event: state\ndata: ".utf8) + Array(state.readableBytesView) + Array("\n\n".utf8)))
    }

    /// Sends the state once more when the last time is a while ago: the database may keep us waiting.
    func publishIfLate() {
        if memory.withLock({ ContinuousClock.now - $0.publishedAt > .milliseconds(1500) }) { publish() }
    }

    /// Why the database cannot be asked; nil when it answers.
    var unreadiness: String? {
        memory.withLock { memory in
            guard memory.snapshot.database.state == .away else { return nil }
            return "PostgreSQL has been unreachable since \(memory.snapshot.database.since.text): "
                + (memory.snapshot.database.error ?? "it has not answered yet")
        }
    }

    /// The metrics of all daemons.
    var metricsText: String {
        memory.withLock { memory in
            lookAtFiles(&memory)
            return memory.files?.metrics.text ?? ""
        }
    }

    var settings: Settings {
        get { memory.withLock { $0.settings } }
        set {
            memory.withLock { memory in
                memory.settings = newValue
                memory.snapshot.limits = Limits(newValue)
            }
        }
    }

    var mostActive: [CustomerKey] { memory.withLock { $0.snapshot.mostActive } }

    /// What decides now whether an acknowledgement still holds.
    var alarmClock: AlarmClock {
        let minutes = settings[.remindMinutes]
        return AlarmClock(remindAfter: minutes > 0 ? Int64(minutes) * 60_000_000 : nil, now: wallClockMicroseconds())
    }

    /// How it goes, for the service manager.
    var sentence: String {
        memory.withLock { memory in
            let rate = memory.snapshot.rate.readingsPerSecond.map { "\($0) readings/s, " } ?? ""
            return rate + "\(hub.listenerCount) viewers"
        }
    }

    // MARK: - One round

    private func poll(_ session: inout Session) throws(PostgreSQLError) {
        let clock = alarmClock
        let picture = try session.ask { connection throws(PostgreSQLError) in try PollQuery(at: clock, connection) }
        let now = wallClockMicroseconds()
        table.withLock {
            $0.update(picture.rows, picture.episodes.standings, isTruncated: picture.isTruncated, at: now)
        }
        try feed.poll(&session)
        try completeTrends(&session, at: now)
        try lookAtGroups(&session)
        try lookAtReceivers(&session)
        try lookAtPeriod(picture, &session)
        let (mostActive, figures) = table.withLock { ($0.mostActive, Figures($0, at: now)) }
        let (before, isGapsDue, horizon) = memory.withLock { memory in
            let isDue = memory.gapsLookedAt.map { .now - $0 >= .seconds(60) } ?? true
            return (memory.snapshot, isDue, memory.live.horizons(of: mostActive, at: now))
        }
        let anomalies = try newAnomalies(picture, unlike: before, at: now, &session)
        let gaps =
            isGapsDue
            ? try session.ask { connection throws(PostgreSQLError) in try PollQuery.gaps(connection) } : nil
        let customers = try customerCount(picture, known: before.totals.customers, isDue: isGapsDue, &session)
        let live = try session.ask { connection throws(PostgreSQLError) in try LivePoints.read(horizon, connection) }
        memory.withLock { memory in
            if let anomalies { memory.snapshot.anomalies = anomalies }
            if let gaps {
                memory.snapshot.gaps = gaps
                memory.gapsLookedAt = .now
            }
            memory.live.add(live, mostActive, at: now)
            memory.snapshot.chartPoints = memory.live.recent
            memory.snapshot.mostActive = mostActive
            memory.snapshot.totals.customers = customers
            memory.snapshot.statusCounts = figures.statusCounts
            memory.snapshot.people = figures.people
            memory.snapshot.lastReading = figures.lastReading
            take(picture, &memory, at: now)
            take(picture.episodes, &memory, of: picture.rows.count { now - $0.recordedAt < 86_400_000_000 })
            metrics.setCustomers(memory.snapshot)
        }
        publish()
    }

    /// Looks up what the trends of those lack who are listed first, for each once after the dashboard's start.
    private func completeTrends(_ session: inout Session, at now: Int64) throws(PostgreSQLError) {
        let incomplete = table.withLock { table in
            table.people.prefix(Snapshot.People.mostListed).filter { !$0.isTrendComplete }.map(\.row.id)
        }
        guard !incomplete.isEmpty else { return }
        let trends = try session.ask { connection throws(PostgreSQLError) in
            try CustomerDetails.trends(of: incomplete, from: now - Int64(Trend.steps) * Trend.step, connection)
        }
        table.withLock { table in
            for id in incomplete { table.completeTrend(of: id, with: trends[id] ?? []) }
        }
    }

    /// Looks up how often sensors send until steps have been seen here.
    private func lookAtPeriod(_ picture: PollQuery, _ session: inout Session) throws(PostgreSQLError) {
        guard memory.withLock({ $0.freshness.isNew }),
            let last = picture.rows.max(by: { $0.recordedAt < $1.recordedAt })
        else { return }
        let period = try session.ask { connection throws(PostgreSQLError) in
            try CustomerDetails.period(of: last.id, until: last.recordedAt, connection)
        }
        memory.withLock { $0.freshness.expect(period) }
    }

    /// Reads every few seconds who is in which group.
    private func lookAtGroups(_ session: inout Session) throws(PostgreSQLError) {
        let isDue = memory.withLock { $0.groupsLookedAt.map { .now - $0 >= .seconds(3) } ?? true }
        guard isDue else { return }
        let groups = try session.ask { connection throws(PostgreSQLError) in try Groups.all(connection) }
        table.withLock { $0.groups = groups }
        memory.withLock { $0.groupsLookedAt = .now }
    }

    /// Reads every few seconds how it goes with those who are told.
    private func lookAtReceivers(_ session: inout Session) throws(PostgreSQLError) {
        let isDue = memory.withLock { $0.receiversLookedAt.map { .now - $0 >= .seconds(5) } ?? true }
        guard isDue else { return }
        let receivers = try session.ask { connection throws(PostgreSQLError) in try Receivers.all(connection) }
        memory.withLock { memory in
            memory.snapshot.receivers = receivers
            memory.receiversLookedAt = .now
        }
    }

    /// The latest anomalies that are not sealed; nil when they are those that are known. Where the last days had few, or none,
    /// those before would take longer than a poll may.
    private func newAnomalies(
        _ picture: PollQuery, unlike before: Snapshot, at now: Int64, _ session: inout Session
    ) throws(PostgreSQLError) -> [AnomalyItem]? {
        guard picture.anomalies != before.totals.anomalies || before.database.state == .away else { return nil }
        return try session.ask { connection throws(PostgreSQLError) in
            try AnomalyPage(AnomalyPage.AnomalyRequest(limit: 10, hasSealed: false), now: now, connection).items
        }
    }

    /// How many customers there are; those that are not listed are counted when it is due.
    private func customerCount(
        _ picture: PollQuery, known: Int64, isDue: Bool, _ session: inout Session
    ) throws(PostgreSQLError) -> Int64 {
        guard picture.isTruncated else { return Int64(picture.rows.count) }
        guard isDue || known <= CustomerTable.mostCustomers else { return known }
        return try session.ask { connection throws(PostgreSQLError) in try PollQuery.customerCount(connection) }
    }

    private func take(_ picture: PollQuery, _ memory: inout Memory, at now: Int64) {
        let moment = Moment(microseconds: now)
        let isFirst = memory.snapshot.asOf == nil
        if !isFirst { memory.rate.add(Int(max(0, picture.readings - memory.snapshot.totals.readings))) }
        memory.snapshot.rate.readingsPerSecond = isFirst ? nil : (memory.rate.perSecond() * 10).rounded() / 10
        memory.snapshot.asOf = moment
        memory.snapshot.totals.readings = picture.readings
        memory.snapshot.totals.anomalies = picture.anomalies
        memory.snapshot.totals.rejected = picture.rejected
        memory.snapshot.throughput = picture.throughput
        memory.snapshot.anomalyRate.total = Self.share(picture.anomalies, of: picture.readings)
        let recent = picture.throughput.filter { now - $0.minute.microseconds < 300_000_000 }
        let recentAnomalies = recent.reduce(0) { $0 + $1.anomaly }
        memory.snapshot.anomalyRate.last5Minutes = Self.share(
            recentAnomalies, of: recent.reduce(recentAnomalies) { $0 + $1.valid })
        if memory.snapshot.database.state == .away {
            memory.snapshot.database = .init(state: .ready, since: moment)
            memory.snapshot.liveSince = moment
        }
        memory.freshness.take(
            newest: picture.rows.lazy.map(\.recordedAt).filter { $0 <= now }.max(), readings: picture.readings, at: now)
        if let data = memory.freshness.data(at: now, staleAfter: staleAfter(memory)) { memory.snapshot.data = data }
    }

    /// - Parameter customers: how many had a reading within a day.
    private func take(_ episodes: OpenEpisodes, _ memory: inout Memory, of customers: Int) {
        memory.snapshot.openEpisodes = episodes.total
        memory.snapshot.episodes = Snapshot.Episodes(
            bySeverity: .init(high: episodes.high, medium: episodes.medium, low: episodes.low),
            lastClosedAt: episodes.lastClosedAt.map { .reading($0) }, alarmsLastDay: episodes.alarms,
            alarmsPerCustomerDay: episodes.load(of: customers))
        metrics.setEpisodes(memory.snapshot.episodes)
    }

    private func staleAfter(_ memory: Memory) -> Int64 {
        Int64(memory.settings[.dashboardStaleSeconds] / .microseconds(1))
    }

    private static func share(_ part: Int64, of whole: Int64) -> Double? {
        whole > 0 ? (Double(part) / Double(whole) * 1e6).rounded() / 1e6 : nil
    }

    private func lost(_ error: PostgreSQLError) {
        memory.withLock { memory in
            if memory.snapshot.database.state == .ready { memory.snapshot.database.since = .now }
            memory.snapshot.database.state = .away
            memory.snapshot.database.error = "\(error)"
            memory.snapshot.liveSince = nil
            metrics.setEpisodes(nil)
            metrics.setCustomers(nil)
        }
        service.waits(
            for: .postgreSQL, "\(error)", error.sqlState.map { ["POSTGRES_SQLSTATE": "\($0.rawValue)"] } ?? [:])
    }

    private func lookAtFiles(_ memory: inout Memory) {
        let now = wallClockMicroseconds()
        let files = DaemonFiles(in: memory.settings[.metricsDirectory], own: service.metrics.text, at: now)
        memory.snapshot.daemons = memory.daemons.complete(files.daemons)
        memory.snapshot.daemons.append(
            Snapshot.DaemonItem(
                name: "dashboard", kind: "dashboard",
                state: memory.snapshot.database.state == .ready ? .ready : .waiting,
                since: memory.snapshot.database.state == .ready ? nil : memory.snapshot.database.since,
                waitingFor: memory.snapshot.database.state == .ready ? [] : ["PostgreSQL"], version: heartbeatVersion,
                updatedAt: Moment(microseconds: now)))
        memory.snapshot.lag = files.lag
        memory.files = files
    }
}
