// The answers of /api/v1 beside the state; the schemas of openapi.json.

struct ChartReply: Encodable {
    let from: Moment
    let until: Moment
    let bucketSeconds: Int64
    let limits: Limits
    let series: [Series]
}

struct Throughput: Encodable {
    let minutes: [Minute]
}

struct AnomalyList: Encodable {
    let items: [AnomalyItem]
    @OrNull var nextBefore: String? = nil
}

struct EpisodeList: Encodable {
    let items: [EpisodeItem]
    @OrNull var nextBefore: String? = nil
}

struct CustomerList: Encodable {
    @OrNull var asOf: Moment? = nil
    let total: Int
    let limit: Int
    let offset: Int
    let isTruncated: Bool
    let items: [CustomerItem]
}

/// A customer as every list has one.
struct CustomerItem: Encodable, Sendable {
    /// A customer has at most one open episode of a kind; what is left out here is less urgent.
    static let mostEpisodes = 3

    let customerId: CustomerKey
    let heartRate: Int64
    let status: Status
    @OrNull var section: Section? = nil
    let isCurrent: Bool
    @OrNull var direction: Trend.Direction? = nil
    let recordedAt: Moment
    let isAnomaly: Bool
    @OrNull var anomalyReason: String? = nil
    let readings: Int64
    let anomalies: Int64
    let trend: [Int16?]
    let episodes: [EpisodeItem]
    @OrNull var pausedUntil: Moment? = nil
    @OrNull var pausedBy: String? = nil

    init(_ customer: CustomerTable.Customer, at now: Int64) {
        let (row, standing) = (customer.row, customer.standing)
        customerId = row.id
        heartRate = row.heartRate
        status = standing.status
        _section = OrNull(wrappedValue: standing.section)
        isCurrent = standing.isCurrent
        _direction = OrNull(wrappedValue: standing.isCurrent ? customer.trend.direction(at: now) : nil)
        recordedAt = .reading(row.recordedAt)
        isAnomaly = row.isAnomaly
        _anomalyReason = OrNull(wrappedValue: row.reason)
        readings = row.readings
        anomalies = row.anomalies
        trend = customer.trend.values(at: now)
        episodes = Array(standing.episodes.prefix(Self.mostEpisodes))
        _pausedUntil = OrNull(wrappedValue: standing.pause?.until)
        _pausedBy = OrNull(wrappedValue: standing.pause?.by)
    }
}

struct DetailsReply: Encodable {
    private let item: CustomerItem
    private let details: CustomerDetails

    init(_ item: CustomerItem, _ details: CustomerDetails) {
        self.item = item
        self.details = details
    }

    private enum CodingKeys: String, CodingKey {
        case createdAt, firstRecordedAt, ownLimits, proposedLimits, irregular, groups, usualRates
    }

    func encode(to encoder: any Encoder) throws {
        try item.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(details.createdAt.map { Moment(microseconds: $0) }, forKey: .createdAt)
        try container.encode(details.firstRecordedAt.map { Moment.reading($0) }, forKey: .firstRecordedAt)
        try container.encode(details.ownLimits, forKey: .ownLimits)
        try container.encode(details.proposedLimits, forKey: .proposedLimits)
        try container.encode(details.irregular, forKey: .irregular)
        try container.encode(details.groups, forKey: .groups)
        try container.encode(details.usual, forKey: .usualRates)
    }
}

struct ReadingsReply: Encodable {
    let customerId: CustomerKey
    let from: Moment
    let until: Moment
    let bucketSeconds: Int64
    let limits: Limits
    let points: [Point]
    let activities: [String?]
    let count: Int64
    let anomalies: Int64
    @OrNull var min: Int64? = nil
    @OrNull var max: Int64? = nil
    @OrNull var rollupsUntil: Moment? = nil
}

struct ReportReply: Encodable {
    let from: Moment
    let until: Moment
    let customers: Int64
    let alarms: Int64
    let alarmsByKind: [AlarmLoad]
    @OrNull var alarmsPerCustomerHour: Double? = nil
    let isTruncated: Bool
    let items: [Report.Item]
    let notes: [Report.Note]
}

/// Whom the dashboard takes a viewer for.
struct ViewerReply: Encodable {
    @OrNull var user: String?
    let needsPassword: Bool
}

/// A test message that is on its way.
struct TestReply: Encodable {
    let receiver: String
}

struct GroupItem: Encodable {
    let name: String
    let customers: Int
}

struct ChangeList: Encodable {
    let items: [EpisodeChange]
}

struct GroupList: Encodable {
    let items: [GroupItem]
}
