import FoundationEssentials

/// What was measured.
struct BenchmarkResults: Encodable, Sendable {
    /// How many a second, and what kept it from being more.
    struct Rate: Encodable, Sendable {
        let perSecond: Double
        let limit: String
    }

    /// From the publication of a message to its visible row, in milliseconds.
    struct Latency: Encodable, Sendable {
        /// Messages a second.
        let rate: Double
        let p50, p99, p999: Double
        let limit: String

        private enum CodingKeys: String, CodingKey {
            case rate, limit
            case p50 = "p50_ms"
            case p99 = "p99_ms"
            case p999 = "p99_9_ms"
        }
    }

    /// How long the page's questions take, in milliseconds.
    struct Query: Encodable, Sendable {
        let name: String
        let p50, p99: Double

        private enum CodingKeys: String, CodingKey {
            case name
            case p50 = "p50_ms"
            case p99 = "p99_ms"
        }
    }

    /// A sealed day.
    struct Sealing: Encodable, Sendable {
        let perSecond: Double
        let limit: String
        /// What a reading takes on the disk, indexes included.
        let bytesInRows, bytesSealed: Double
    }

    /// Which servers these were.
    struct Servers: Encodable, Sendable {
        let postgresql: String
        let brokers: String
        let partitions: Int
        /// Whether they were made for this.
        let isLocal: Bool
        /// Whether PostgreSQL is on this machine.
        let isThisMachine: Bool
    }

    let servers: Servers
    let messages: Int
    let customers: Int
    let decode, copy, produce, ingest: Rate
    let latencies: [Latency]
    let sealing: Sealing
    let queries: [Query]

    /// What it means.
    struct Meaning: Encodable, Sendable {
        /// How many hearts at one reading a second can be kept, with nothing in reserve.
        let hearts: Int
        /// What a year of all of them takes.
        let bytesPerYearInRows, bytesPerYearSealed: Double
    }

    /// Every reading has to be stored and sealed, so the slower of the two decides.
    var meaning: Meaning {
        let hearts = max(1, Self.rounded(min(ingest.perSecond, sealing.perSecond)))
        let readings = Double(hearts) * 365 * 86_400
        return Meaning(
            hearts: hearts, bytesPerYearInRows: readings * sealing.bytesInRows,
            bytesPerYearSealed: readings * sealing.bytesSealed)
    }

    private enum CodingKeys: CodingKey {
        case servers, messages, customers, decode, copy, produce, ingest, latencies, sealing, queries, meaning, summary
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(servers, forKey: .servers)
        try container.encode(messages, forKey: .messages)
        try container.encode(customers, forKey: .customers)
        try container.encode(decode, forKey: .decode)
        try container.encode(copy, forKey: .copy)
        try container.encode(produce, forKey: .produce)
        try container.encode(ingest, forKey: .ingest)
        try container.encode(latencies, forKey: .latencies)
        try container.encode(sealing, forKey: .sealing)
        try container.encode(queries, forKey: .queries)
        try container.encode(meaning, forKey: .meaning)
        try container.encode(summary, forKey: .summary)
    }

    /// Two significant digits, rounded down.
    static func rounded(_ value: Double) -> Int {
        var unit = 1
        while value / Double(unit) >= 100 { unit *= 10 }
        return Int(value / Double(unit)) * unit
    }
}
