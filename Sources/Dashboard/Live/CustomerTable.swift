/// Every customer's latest reading, in memory: what lists are made of without asking the database.
///
/// At most `mostCustomers` are kept, by id; it takes about 1 kB for each.
struct CustomerTable: Sendable {
    /// More customers than this are not listed.
    static let mostCustomers = 50_000
    /// The most customers that a search finds when there are more than that.
    static let mostFound = 5000
    /// The most readings of a trace.
    static let tracePoints = 30
    /// How many minutes activity is counted over.
    static let activityMinutes = 5

    /// A row of `customer_state`.
    struct Row: Sendable {
        var id: CustomerKey
        /// Microseconds since 1970.
        var recordedAt: Int64
        var heartRate: Int64
        var isAnomaly: Bool
        var reason: String?
        var readings: Int64
        var anomalies: Int64
        /// Whether the consumer has found that no reading comes any more, which can be sooner than a reading is old.
        var isSignalLost = false
    }

    /// A row and what was seen of it before.
    struct Customer: Sendable {
        var row: Row
        let searchKey: [UInt8]
        /// The readings seen, oldest first.
        var trace: [Point] = []
        /// Whether the readings from before the dashboard's start have been looked up.
        var isTraceComplete = false
        /// `row.readings` at the begin of each of the last minutes, oldest first.
        var marks: [Int64]

        /// How many readings came in the last minutes.
        var activity: Int64 { row.readings - (marks.first ?? row.readings) }
    }

    enum Status: String, Encodable, Sendable, CaseIterable {
        case normal, low, high, silent

        /// What a person has to look at comes first.
        var rank: Int64 { self == .normal ? 2 : self == .silent ? 1 : 0 }
    }

    /// In the order of their ids' bytes.
    private(set) var customers: [Customer] = []
    private(set) var isTruncated = false
    /// When the database gave the rows, in microseconds since 1970; nil before the first time.
    private(set) var asOf: Int64?
    /// The six customers of the chart, in the order of their lines.
    private(set) var mostActive: [CustomerKey] = []
    private var places: [CustomerKey: Int] = [:]
    private var lastMark: Int64 = 0
    private var orders: [Sort: [Int32]] = [:]

    /// Takes over what the database has now.
    ///
    /// - Parameter rows: sorted by the ids' bytes, at most one more than `mostCustomers`.
    mutating func update(_ rows: [Row], at now: Int64) {
        let isFirst = asOf == nil
        if rows.map(\.id) != customers.map(\.row.id) { rebuild(rows, isFirst: isFirst) }
        for (place, row) in rows.prefix(Self.mostCustomers).enumerated() {
            guard customers[place].trace.isEmpty || customers[place].row.recordedAt != row.recordedAt else {
                customers[place].row = row
                continue
            }
            customers[place].row = row
            if customers[place].trace.count == Self.tracePoints { customers[place].trace.removeFirst() }
            customers[place].trace.append(Point(row.recordedAt / 1000, row.heartRate, isAnomaly: row.isAnomaly))
        }
        if lastMark == 0 { lastMark = now }
        if now - lastMark >= 60_000_000 {
            lastMark = now
            for place in customers.indices {
                customers[place].marks.append(customers[place].row.readings)
                if customers[place].marks.count > Self.activityMinutes { customers[place].marks.removeFirst() }
            }
        }
        isTruncated = rows.count > Self.mostCustomers
        asOf = now
        orders = [:]
        chooseMostActive(at: now)
    }

    private mutating func rebuild(_ rows: [Row], isFirst: Bool) {
        let known = customers
        customers = rows.prefix(Self.mostCustomers).map { row in
            if let place = places[row.id] { return known[place] }
            // Readings from before the dashboard's start say nothing about now; a new customer's are all new.
            return Customer(row: row, searchKey: lowercase(row.id.text), marks: [isFirst ? row.readings : 0])
        }
        places = Dictionary(uniqueKeysWithValues: customers.enumerated().map { ($1.row.id, $0) })
    }

    /// A customer keeps a place among the six until another has a quarter more readings, so that lines do not flicker.
    private mutating func chooseMostActive(at now: Int64) {
        let horizon = now - Int64(Self.activityMinutes) * 60_000_000
        let incumbents = Set(mostActive)
        let candidates = customers.lazy.filter { $0.row.recordedAt >= horizon }.map { customer in
            let bonus = incumbents.contains(customer.row.id) ? customer.activity / 4 + 3 : 0
            return (id: customer.row.id, score: customer.activity + bonus, readings: customer.row.readings)
        }
        var best: [(id: CustomerKey, score: Int64, readings: Int64)] = []
        for candidate in candidates {
            let place = best.firstIndex { (candidate.score, candidate.readings) > ($0.score, $0.readings) }
            best.insert(candidate, at: place ?? best.count)
            if best.count > 6 { best.removeLast() }
        }
        var newcomers = best.map(\.id).filter { !incumbents.contains($0) }[...]
        let chosen = Set(best.map(\.id))
        mostActive = mostActive.compactMap { chosen.contains($0) ? $0 : newcomers.popFirst() } + newcomers
    }

    /// A customer by id.
    func customer(_ id: CustomerKey) -> Customer? { places[id].map { customers[$0] } }

    /// Puts older readings before those of a trace.
    mutating func completeTrace(of id: CustomerKey, with older: [Point]) {
        guard let place = places[id] else { return }
        customers[place].isTraceComplete = true
        let oldest = customers[place].trace.first?.milliseconds ?? .max
        let trace = older.filter { $0.milliseconds < oldest } + customers[place].trace
        customers[place].trace = trace.suffix(Self.tracePoints)
    }

    /// The latest reading of all.
    var lastReading: Row? { customers.lazy.map(\.row).max { $0.recordedAt < $1.recordedAt } }
}

/// ASCII letters in lower case; the rest as it is.
func lowercase(_ text: String) -> [UInt8] {
    text.utf8.map { (65...90).contains($0) ? $0 + 32 : $0 }
}

extension CustomerTable {
    /// What a list is sorted by.
    enum SortKey: String, Sendable, CaseIterable {
        case customerID = "customer_id"
        case heartRate = "heart_rate"
        case status, readings, anomalies
        case recordedAt = "recorded_at"
    }

    /// A key and a direction.
    struct Sort: Hashable, Sendable {
        var key: SortKey
        var isDescending: Bool
    }

    /// Which customers, in which order, and which part of them.
    struct Selection: Sendable {
        var search: String?
        var status: Status?
        var sort: Sort
        var limit: Int
        var offset: Int
    }

    /// How somebody is, judged by the latest reading.
    static func status(of row: Row, at now: Int64, staleAfter: Int64) -> Status {
        if row.isSignalLost || now - row.recordedAt > staleAfter { return .silent }
        guard row.isAnomaly else { return .normal }
        return row.reason?.hasPrefix("bradycardia") ?? (row.heartRate < 100) ? .low : .high
    }

    /// How many customers match, and the part of them that was asked for.
    typealias Page = (total: Int, items: [Customer])

    /// Looks for customers.
    mutating func page(_ request: Selection, at now: Int64, staleAfter: Int64) -> Page {
        let wanted = request.search.map(lowercase)
        var total = 0
        var items: [Customer] = []
        for index in order(request.sort, at: now, staleAfter: staleAfter) {
            let customer = customers[Int(index)]
            if let wanted, !contains(customer.searchKey, wanted) { continue }
            if let status = request.status, Self.status(of: customer.row, at: now, staleAfter: staleAfter) != status {
                continue
            }
            if total >= request.offset, items.count < request.limit { items.append(customer) }
            total += 1
        }
        return (total, items)
    }

    /// Sorted once for all viewers, until the next update.
    private mutating func order(_ sort: Sort, at now: Int64, staleAfter: Int64) -> [Int32] {
        if let known = orders[sort] { return known }
        let keys = customers.indices.map { place -> (key: Int64, place: Int32) in
            let row = customers[place].row
            let key: Int64 =
                switch sort.key {
                case .customerID: Int64(place)
                case .heartRate: row.heartRate
                case .status: Self.status(of: row, at: now, staleAfter: staleAfter).rank
                case .readings: row.readings
                case .anomalies: row.anomalies
                case .recordedAt: row.recordedAt
                }
            return (sort.isDescending ? -key : key, Int32(place))
        }
        let order = keys.sorted { ($0.key, $0.place) < ($1.key, $1.place) }.map(\.place)
        orders[sort] = order
        return order
    }

    /// How many customers are how.
    func statusCounts(at now: Int64, staleAfter: Int64) -> Snapshot.StatusCounts {
        var counts = Snapshot.StatusCounts()
        for customer in customers {
            switch Self.status(of: customer.row, at: now, staleAfter: staleAfter) {
            case .normal: counts.normal += 1
            case .low: counts.low += 1
            case .high: counts.high += 1
            case .silent: counts.silent += 1
            }
        }
        return counts
    }
}

private func contains(_ text: [UInt8], _ part: [UInt8]) -> Bool {
    guard let first = part.first else { return true }
    guard part.count <= text.count else { return false }
    return (0...(text.count - part.count)).contains { start in
        text[start] == first && text[start..<(start + part.count)].elementsEqual(part)
    }
}
