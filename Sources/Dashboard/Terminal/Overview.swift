internal import Bytes
public import Daemon
internal import PostgreSQL
internal import Schema
internal import SharedSettings

/// How everything is, on one screen: what the page shows, for a terminal and for programs.
public struct Overview: Encodable, Sendable {
    /// Somebody with an open episode of high severity.
    struct High: Encodable, Sendable {
        let customerId: CustomerKey
        let kind: String
        let openedAt: Moment
    }

    /// Readings that are stored, and what came with them.
    struct Stored: Encodable, Sendable {
        var readings: Int64 = 0
        var anomalies: Int64 = 0
        var rejected: Int64 = 0
        /// In the last whole minute.
        @OrNull var readingsPerSecond: Double? = nil
    }

    let now: Moment
    let version: String
    let database: Snapshot.Database
    let daemons: [Snapshot.DaemonItem]
    @OrNull var lag: Snapshot.Lag?
    private(set) var stored = Stored()
    private(set) var customers = 0
    private(set) var statusCounts: [String: Int] = [:]
    private(set) var openHighs = 0
    /// Whose episodes these are, the most urgent first.
    private(set) var highs: [High] = []

    /// Whether PostgreSQL answered.
    public var isComplete: Bool { database.state == .ready }

    /// Looks at the daemons' files and asks the database.
    public init(_ settings: Settings) {
        let microseconds = wallClockMicroseconds()
        now = Moment(microseconds: microseconds)
        version = heartbeatVersion
        let files = DaemonFiles(in: settings[.metricsDirectory], own: nil, at: microseconds)
        daemons = files.daemons.sorted { $0.name < $1.name }
        lag = files.lag
        let clock = AlarmClock(remindAfter: nil, now: microseconds)
        var session = Session(settings.postgresParameters, .dashboard(statementLimit: .seconds(5)))
        do throws(PostgreSQLError) {
            let picture = try session.ask { connection throws(PostgreSQLError) in try PollQuery(at: clock, connection) }
            database = .init(state: .ready, since: now)
            take(picture)
        } catch {
            database = .init(state: .away, since: now, error: "\(error)")
        }
    }

    private mutating func take(_ picture: PollQuery) {
        let minute = now.microseconds / 60_000_000 - 1
        let last = picture.throughput.first { $0.minute.microseconds / 60_000_000 == minute }
        stored = Stored(
            readings: picture.readings, anomalies: picture.anomalies, rejected: picture.rejected,
            readingsPerSecond: (Double((last?.valid ?? 0) + (last?.anomaly ?? 0)) / 6).rounded() / 10)
        var table = CustomerTable()
        table.update(
            picture.rows, picture.episodes.standings, isTruncated: picture.isTruncated, at: now.microseconds)
        customers = table.customers.count
        let counts = table.statusCounts
        statusCounts = Dictionary(uniqueKeysWithValues: Status.allCases.map { ($0.rawValue, counts[$0] ?? 0) })
        openHighs = picture.episodes.high
        highs = table.people.flatMap(\.standing.episodes).filter { $0.severity == "high" && $0.closedAt == nil }
            .prefix(20).map { High(customerId: $0.customerId, kind: $0.kind, openedAt: $0.openedAt) }
    }
}

extension Overview {
    /// A line of the screen; the colour stands beside words that say the same.
    public struct ScreenLine: Sendable {
        /// What it is about.
        public let name: String
        /// How that is.
        public let text: String
        /// Whether a person should look.
        public let isUrgent: Bool

        /// A line.
        public init(_ name: String, _ text: String, isUrgent: Bool = false) {
            self.name = name
            self.text = text
            self.isUrgent = isUrgent
        }
    }

    /// For people.
    public var lines: [ScreenLine] {
        var lines = daemons.map { ScreenLine($0.name, Self.text($0), isUrgent: $0.state != .ready) }
        lines.append(ScreenLine("lag", lag.map(Self.text) ?? "not known"))
        guard isComplete else {
            return lines + [ScreenLine("PostgreSQL", "unreachable: \(database.error ?? "")", isUrgent: true)]
        }
        let rate = stored.readingsPerSecond.map { "\($0) readings/s in the last whole minute" } ?? "not known"
        lines.append(ScreenLine("rate", rate))
        lines.append(
            ScreenLine(
                "stored",
                "\(stored.readings) readings, \(stored.anomalies) of them anomalies; \(stored.rejected) rejected messages"
            ))
        let counts = Status.allCases.compactMap { status in
            statusCounts[status.rawValue].flatMap { $0 > 0 ? "\($0) \(status.rawValue)" : nil }
        }
        lines.append(
            ScreenLine("customers", "\(customers)" + (counts.isEmpty ? "" : ": " + counts.joined(separator: ", "))))
        let names = highs.prefix(5).map { high in
            "\(escapingControls(high.customerId.text)) \(high.kind) since \(high.openedAt.text)"
        }
        lines.append(
            ScreenLine(
                "open highs",
                "\(openHighs)" + (names.isEmpty ? "" : ": " + names.joined(separator: ", "))
                    + (openHighs > names.count && !names.isEmpty ? ", ..." : ""), isUrgent: openHighs > 0))
        return lines
    }

    private static func text(_ daemon: Snapshot.DaemonItem) -> String {
        let since = daemon.since.map { " since \($0.text)" } ?? ""
        switch daemon.state {
        case .ready: return "ready"
        case .waiting: return "waiting for \(daemon.waitingFor.joined(separator: " and "))\(since)"
        case .starting: return "starting"
        case .silent: return "silent\(since): it hangs, or was ended by force"
        case .stopped, .absent: return "not running on this machine"
        }
    }

    private static func text(_ lag: Snapshot.Lag) -> String {
        "\(lag.messages) messages" + (lag.seconds.map { ", \(($0 * 10).rounded() / 10) s" } ?? "")
    }
}
