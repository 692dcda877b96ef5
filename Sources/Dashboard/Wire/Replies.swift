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

struct CustomerItem: Encodable {
    let customerId: CustomerKey
    let heartRate: Int64
    let status: CustomerTable.Status
    let recordedAt: Moment
    let isAnomaly: Bool
    @OrNull var anomalyReason: String? = nil
    let readings: Int64
    let anomalies: Int64
    /// Not there for one customer alone, who has a chart.
    let trace: [Point]?

    init(_ row: CustomerTable.Row, trace: [Point]? = nil, at now: Int64, staleAfter: Int64) {
        customerId = row.id
        heartRate = row.heartRate
        status = CustomerTable.status(of: row, at: now, staleAfter: staleAfter)
        recordedAt = .reading(row.recordedAt)
        isAnomaly = row.isAnomaly
        _anomalyReason = OrNull(wrappedValue: row.reason)
        readings = row.readings
        anomalies = row.anomalies
        self.trace = trace
    }
}

struct DetailsReply: Encodable {
    private let item: CustomerItem
    private let details: CustomerDetails

    init(_ item: CustomerItem, _ details: CustomerDetails) {
        self.item = item
        self.details = details
    }

    private enum CodingKeys: String, CodingKey { case createdAt, firstRecordedAt, ownLimits }

    func encode(to encoder: any Encoder) throws {
        try item.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(details.createdAt.map { Moment(microseconds: $0) }, forKey: .createdAt)
        try container.encode(details.firstRecordedAt.map { Moment.reading($0) }, forKey: .firstRecordedAt)
        try container.encode(details.ownLimits, forKey: .ownLimits)
    }
}

struct ReadingsReply: Encodable {
    let customerId: CustomerKey
    let from: Moment
    let until: Moment
    let bucketSeconds: Int64
    let limits: Limits
    let points: [Point]
    let count: Int64
    let anomalies: Int64
    @OrNull var min: Int64? = nil
    @OrNull var max: Int64? = nil
}
