import HeartRate
import Simulation

/// Simulated readings: one of each customer in turn, and a second between two of one customer.
struct BenchmarkReadings {
    private var hearts: [SimulatedHeart]
    private let ids: [CustomerID]
    private let begin: Instant
    private let jitter: Int64
    private var random = SplitMix64(seed: 1)
    /// How many were taken.
    private(set) var count = 0

    /// - Parameters:
    ///   - begin: when the first one is taken.
    ///   - jitter: how much later than on its time each may be, in microseconds.
    init(customers: Int, from begin: Instant, jitter: Int64 = 0) {
        hearts = (1...customers).map { SimulatedHeart(seed: 1, customer: $0) }
        ids = (1...customers).map(CustomerID.init(simulated:))
        self.begin = begin
        self.jitter = jitter
    }

    /// The UTC day on which the first one is taken, counted from 1970-01-01.
    var firstDay: Int64 { begin.daysSince1970 }

    /// The next reading.
    ///
    /// - Parameter moment: when it is taken; nil for the time at which it is due.
    mutating func next(at moment: Instant? = nil) -> Reading {
        while true {
            let customer = count % hearts.count
            let sample = hearts[customer].next(after: 1)
            let due = Int64(count / hearts.count) * 1_000_000 + Int64(customer) * 1_000_000 / Int64(hearts.count)
            let late = jitter > 0 ? Int64.random(in: 0..<jitter, using: &random) : 0
            let time = moment ?? begin.advanced(byMicroseconds: due + late)
            count += 1
            // A simulated heart stays within what a reading takes.
            if let reading = Reading(customerID: ids[customer], recordedAt: time, heartRate: sample.bpm) {
                return reading
            }
        }
    }
}
