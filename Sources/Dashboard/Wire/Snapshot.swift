/// What the page shows at first and then each second: the schema "State" of openapi.json.
struct Snapshot: Encodable, Sendable {
    var now = Moment.now
    @OrNull var asOf: Moment? = nil
    let version: String
    @OrNull var liveSince: Moment? = nil
    var database: Database
    var data: DataAge
    var daemons: [DaemonItem] = []
    var receivers: [ReceiverItem] = []
    @OrNull var lag: Lag? = nil
    var gaps = Gaps()
    var totals = Totals()
    var anomalyRate = AnomalyRate()
    var rate = Rate()
    @OrNull var lastReading: LastReading? = nil
    var limits: Limits
    /// How many customers are how; the words are those of `Status`.
    var statusCounts: [String: Int] = [:]
    var people = People()
    @OrNull var openEpisodes: Int? = nil
    var episodes = Episodes()
    var anomalies: [AnomalyItem] = []
    var throughput: [Minute] = []
    var mostActive: [CustomerKey] = []
    var chartPoints: [Series] = []

    struct Database: Encodable, Sendable {
        enum Availability: String, Encodable, Sendable { case ready, away }
        var state: Availability
        var since: Moment
        @OrNull var error: String? = nil
    }

    struct DataAge: Encodable, Sendable {
        enum Age: String, Encodable, Sendable { case waiting, live, late, stale }
        var state: Age
        var since: Moment
    }

    struct DaemonItem: Encodable, Sendable {
        enum Condition: String, Encodable, Sendable { case ready, waiting, starting, silent, stopped, absent }
        let name: String
        let kind: String
        var state: Condition
        @OrNull var since: Moment? = nil
        var waitingFor: [String] = []
        @OrNull var version: String? = nil
        @OrNull var updatedAt: Moment? = nil
    }

    /// Somebody whom the notifier tells of alarms.
    struct ReceiverItem: Encodable, Sendable {
        let name: String
        let waiting: Int64
        @OrNull var waitingSince: Moment? = nil
        let sentLastDay: Int64
        let deadLastDay: Int64
        @OrNull var sentAt: Moment? = nil
        @OrNull var error: String? = nil
    }

    struct Lag: Encodable, Sendable {
        let messages: Int64
        @OrNull var seconds: Double? = nil
    }

    struct Gaps: Encodable, Sendable {
        var count: Int64 = 0
        var messages: Int64 = 0
        @OrNull var latestAt: Moment? = nil
    }

    struct Totals: Encodable, Sendable {
        var readings: Int64 = 0
        var customers: Int64 = 0
        var anomalies: Int64 = 0
        var rejected: Int64 = 0
    }

    struct AnomalyRate: Encodable, Sendable {
        @OrNull var total: Double? = nil
        @OrNull var last5Minutes: Double? = nil

        /// The default strategy would not set the number off.
        enum CodingKeys: String, CodingKey {
            case total
            case last5Minutes = "last_5_minutes"
        }
    }

    struct Rate: Encodable, Sendable {
        @OrNull var readingsPerSecond: Double? = nil
    }

    struct LastReading: Encodable, Sendable {
        let customerId: CustomerKey
        let recordedAt: Moment
        let heartRate: Int64
        let isAnomaly: Bool
    }

    struct Episodes: Encodable, Sendable {
        var bySeverity = BySeverity()
        @OrNull var lastClosedAt: Moment? = nil
        /// Episodes of high severity that were raised in the last 24 hours.
        var alarmsLastDay = 0
        /// The same for each customer with a reading in that time.
        @OrNull var alarmsPerCustomerDay: Double? = nil
    }

    struct BySeverity: Encodable, Sendable {
        var high = 0
        var medium = 0
        var low = 0
    }

    /// Who has something open, or an alarm that ended unseen: the most urgent first.
    struct People: Encodable, Sendable {
        /// Nobody reads more rows at a time.
        static let mostListed = 12
        /// Nobody finds more chips.
        static let mostChips = 100

        var counts = Counts()
        /// How many need somebody now, by the severity of what they need somebody for.
        var now = BySeverity()
        /// When an alarm of high severity was last raised that nobody has seen.
        @OrNull var latestHighAt: Moment? = nil
        @OrNull var latestMediumAt: Moment? = nil
        var listed: [CustomerItem] = []
        /// Those who follow.
        var more: [Chip] = []
    }

    struct Counts: Encodable, Sendable {
        var now = 0
        var eased = 0
        var watched = 0
    }

    /// Somebody in short.
    struct Chip: Encodable, Sendable {
        let customerId: CustomerKey
        let heartRate: Int64
        let status: Status
        let section: Section?
    }
}
