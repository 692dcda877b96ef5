/// How old the newest reading of all is, and whether that is too old for the sensors that there are.
///
/// It goes by the readings' own time stamps: whatever else touches the database, such as an episode that opens because
/// nothing arrives, makes nothing newer.
struct Freshness: Sendable {
    /// How many steps between newest readings are remembered.
    private static let mostSteps = 9
    /// Until anything is known, sensors may send once a minute.
    private static let unknownStep: Int64 = 30_000_000
    /// Readings that arrive now but are older than this are those of an outage, or of a recording, in microseconds.
    private static let late: Int64 = 60_000_000

    /// The time stamp of the newest reading, never one from the future.
    private var newest: Int64?
    private var steps: [Int64] = []
    /// The usual step of whoever sent last, before this dashboard has seen steps itself.
    private var period: Int64?
    private var readings: Int64?
    /// When readings last arrived, by our clock.
    private var arrivedAt: Int64 = 0

    /// Takes over what a poll has found.
    mutating func take(newest found: Int64?, readings total: Int64, at now: Int64) {
        if let readings, total > readings { arrivedAt = now }
        readings = total
        guard let found else { return }
        if let newest, found > newest {
            steps.append(found - newest)
            if steps.count > Self.mostSteps { steps.removeFirst() }
        }
        // It never goes back, also when rows are deleted.
        newest = max(newest ?? found, found)
    }

    /// Whether too few steps have been seen.
    var isNew: Bool { steps.count < 3 }

    /// Takes over how often somebody sends, in microseconds, from before this dashboard's start.
    mutating func expect(_ found: Int64?) { period = found ?? period }

    /// - Parameter staleAfter: the least age that is too old, in microseconds.
    /// - Returns: nil before the first reading.
    func data(at now: Int64, staleAfter: Int64) -> Snapshot.DataAge? {
        guard let newest else { return nil }
        let step = isNew ? period ?? Self.unknownStep : steps.sorted()[steps.count / 2]
        let since = Moment(microseconds: newest)
        guard now - newest > max(staleAfter, 3 * step) else { return .init(state: .live, since: since) }
        let isArriving = now - arrivedAt <= staleAfter && now - newest > Self.late
        return .init(state: isArriving ? .late : .stale, since: since)
    }
}
