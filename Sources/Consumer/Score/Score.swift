public import Daemon
public import HeartRate

/// Judges a recording with the daemon's own detector: what would be told, when and why, and how well it agrees with what
/// somebody knows.
public struct Score {
    let rules: EpisodeRules
    private let keepsCurves: Bool
    private var places: [String: Int] = [:]
    private var choice = EpisodeChoice()
    private(set) var customers: [ScoredCustomer] = []

    /// - Parameters:
    ///   - settings: the consumer's.
    ///   - keepsCurves: whether a page will be made, which has every reading.
    /// - Throws: `CommandFailure` when the settings switch episodes off.
    public init(_ settings: Settings, keepsCurves: Bool = false) throws(CommandFailure) {
        guard let rules = EpisodeRules(settings) else {
            throw CommandFailure(.config, "EPISODES is false: there is nothing to score")
        }
        self.rules = rules
        self.keepsCurves = keepsCurves
    }

    /// Takes the next reading. One that the consumer would not store is counted and not judged.
    public mutating func take(_ customerID: String, at instant: Instant, heartRate: Int, activity: Activity?) {
        let place = place(of: customerID)
        guard let rate = Int16(exactly: heartRate), Reading.storableHeartRates.contains(rate) else {
            customers[place].takeUnstorable(isZero: heartRate == 0, at: instant, by: rules, &choice)
            return
        }
        customers[place].take(rate, at: instant, activity: activity, by: rules, &choice)
    }

    /// Takes a customer's own limits, before the readings.
    public mutating func take(_ limits: CustomerLimits, of customerID: String) {
        let place = place(of: customerID)
        customers[place].limits = limits
    }

    /// Takes what somebody knows of a customer; of one without readings it counts for nothing.
    public mutating func take(_ label: ScoreLabel, of customerID: String) {
        guard let place = places[customerID] else { return }
        customers[place].labels.append(label)
    }

    /// Says that all has been taken.
    public mutating func finish() {
        for place in customers.indices { customers[place].finish(by: rules, &choice) }
    }

    private mutating func place(of customerID: String) -> Int {
        if let place = places[customerID] { return place }
        places[customerID] = customers.count
        customers.append(ScoredCustomer(id: customerID, keepsCurve: keepsCurves))
        return customers.count - 1
    }

    var hasLabels: Bool { customers.contains { !$0.labels.isEmpty } }

    var hours: Double { customers.reduce(0) { $0 + $1.hours } }
}
