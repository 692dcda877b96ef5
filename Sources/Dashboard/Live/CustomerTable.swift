/// Every customer's latest reading, in memory: what lists are made of without asking the database.
///
/// At most `mostCustomers` are kept, by id; it takes about 1 kB for each.
struct CustomerTable: Sendable {
    /// More customers than this are not listed.
    static let mostCustomers = 50_000
    /// The most customers that a search finds when there are more than that.
    static let mostFound = 5000
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
    }

    /// A row and what was seen of it before.
    struct Customer: Sendable {
        var row: Row
        let searchKey: [UInt8]
        var trend = Trend()
        /// Whether the readings from before the dashboard's start have been looked up.
        var isTrendComplete = false
        /// What detection has open.
        var standing = Standing.calm
        /// Whether the row's reading is not in the trend yet.
        fileprivate var isNew = true
        /// `row.readings` at the begin of each of the last minutes, oldest first.
        var marks: [Int64]

        /// Somebody, so far without a trend.
        init(row: Row, marks: [Int64]) {
            self.row = row
            searchKey = lowercase(row.id.text)
            self.marks = marks
        }

        /// How many readings came in the last minutes.
        var activity: Int64 { row.readings - (marks.first ?? row.readings) }
    }

    /// In the order of their ids' bytes.
    private(set) var customers: [Customer] = []
    private(set) var isTruncated = false
    /// When the database gave the rows, in microseconds since 1970; nil before the first time.
    private(set) var asOf: Int64?
    /// Who is in which group, by the groups' names.
    var groups: [String: Set<CustomerKey>] = [:]
    /// The six customers of the chart, in the order of their lines.
    private(set) var mostActive: [CustomerKey] = []
    private var places: [CustomerKey: Int] = [:]
    private var lastMark: Int64 = 0
    private var orders: [Sort: [Int32]] = [:]

    /// Takes over what the database has now.
    ///
    /// - Parameters:
    ///   - rows: sorted by the ids' bytes, at most `mostCustomers`, and after them whoever else has an open episode.
    ///   - standings: of those who have an episode that asks something.
    mutating func update(
        _ rows: [Row], _ standings: [CustomerKey: Standing] = [:], isTruncated: Bool = false, at now: Int64
    ) {
        let isFirst = asOf == nil
        if rows.map(\.id) != customers.map(\.row.id) { rebuild(rows, isFirst: isFirst) }
        for (place, row) in rows.enumerated() {
            if customers[place].row.recordedAt != row.recordedAt || customers[place].isNew {
                customers[place].trend.add(row.heartRate, at: row.recordedAt)
                customers[place].isNew = false
            }
            customers[place].row = row
            // Only few have one: who had none and has none stays as it is.
            if let standing = standings[row.id] {
                customers[place].standing = standing
            } else if !customers[place].standing.isCalm {
                customers[place].standing = .calm
            }
        }
        if lastMark == 0 { lastMark = now }
        if now - lastMark >= 60_000_000 {
            lastMark = now
            for place in customers.indices {
                customers[place].marks.append(customers[place].row.readings)
                if customers[place].marks.count > Self.activityMinutes { customers[place].marks.removeFirst() }
            }
        }
        self.isTruncated = isTruncated
        asOf = now
        orders = [:]
        chooseMostActive(at: now)
    }

    private mutating func rebuild(_ rows: [Row], isFirst: Bool) {
        let known = customers
        customers = rows.map { row in
            if let place = places[row.id] { return known[place] }
            // Readings from before the dashboard's start say nothing about now; a new customer's are all new.
            return Customer(row: row, marks: [isFirst ? row.readings : 0])
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

    /// Fills a trend with older readings.
    mutating func completeTrend(of id: CustomerKey, with older: [(time: Int64, heartRate: Int64)]) {
        guard let place = places[id] else { return }
        customers[place].isTrendComplete = true
        customers[place].trend.complete(with: older)
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
        case status, readings, anomalies, urgency
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
        /// Only those with something that asks for somebody: in one section, or in any.
        var section: Section?
        var isOpen = false
        /// Only those of this group.
        var group: String?
        var sort: Sort
        var limit: Int
        var offset: Int
    }

    /// How many customers match, and the part of them that was asked for.
    typealias Page = (total: Int, items: [Customer])

    /// Looks for customers.
    mutating func page(_ request: Selection) -> Page {
        let wanted = request.search.map(lowercase)
        let members = request.group.map { groups[$0] ?? [] }
        var total = 0
        var items: [Customer] = []
        for index in order(request.sort) {
            let customer = customers[Int(index)]
            if let wanted, !contains(customer.searchKey, wanted) { continue }
            if let members, !members.contains(customer.row.id) { continue }
            if let status = request.status, customer.standing.status != status { continue }
            if let section = request.section, customer.standing.section != section { continue }
            if request.isOpen, customer.standing.section == nil { continue }
            if total >= request.offset, items.count < request.limit { items.append(customer) }
            total += 1
        }
        return (total, items)
    }

    /// Sorted once for all viewers, until the next update.
    private mutating func order(_ sort: Sort) -> [Int32] {
        if let known = orders[sort] { return known }
        if sort.key == .urgency {
            let order = urgent(orderOf: customers.indices.map(\.self))
            orders[sort] = sort.isDescending ? order.reversed() : order
            return orders[sort] ?? order
        }
        let keys = customers.indices.map { place -> (key: Int64, place: Int32) in
            let row = customers[place].row
            let key: Int64 =
                switch sort.key {
                case .customerID: Int64(place)
                case .heartRate: row.heartRate
                case .status: Int64(customers[place].standing.status.rank)
                case .readings: row.readings
                case .anomalies: row.anomalies
                case .recordedAt: row.recordedAt
                case .urgency: 0
                }
            return (sort.isDescending ? -key : key, Int32(place))
        }
        let order = keys.sorted { ($0.key, $0.place) < ($1.key, $1.place) }.map(\.place)
        orders[sort] = order
        return order
    }

    private func urgent(orderOf places: [Int]) -> [Int32] {
        places.sorted { (customers[$0].standing.urgency, $0) < (customers[$1].standing.urgency, $1) }.map { Int32($0) }
    }

    /// How many customers are how.
    var statusCounts: [Status: Int] {
        customers.reduce(into: [:]) { $0[$1.standing.status, default: 0] += 1 }
    }

    /// Those with something open or unseen, the most urgent first.
    var people: [Customer] {
        urgent(orderOf: customers.indices.filter { customers[$0].standing.section != nil }).map { customers[Int($0)] }
    }
}

private func contains(_ text: [UInt8], _ part: [UInt8]) -> Bool {
    guard let first = part.first else { return true }
    guard part.count <= text.count else { return false }
    return (0...(text.count - part.count)).contains { start in
        text[start] == first && text[start..<(start + part.count)].elementsEqual(part)
    }
}
