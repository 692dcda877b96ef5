/// How many readings may be sent: a number a second for long, ten times as many at once.
struct Allowance {
    /// What may be sent now; less than 0 after a large request, which is taken as a whole.
    private var left: Double
    private var since: ContinuousClock.Instant

    private static let burstSeconds = 10.0

    init(_ rate: Double, at now: ContinuousClock.Instant) {
        left = rate * Self.burstSeconds
        since = now
    }

    /// Takes some.
    ///
    /// - Returns: 0 when they were taken, else after how many seconds to try again.
    mutating func take(_ count: Int, rate: Double, at now: ContinuousClock.Instant) -> Int {
        left = min(rate * Self.burstSeconds, left + (now - since) / .seconds(1) * rate)
        since = now
        // A request without a reading is work, too.
        let cost = Double(max(1, count))
        let isEnough = left >= min(cost, rate * Self.burstSeconds)
        guard isEnough else {
            return max(1, Int(((min(cost, rate * Self.burstSeconds) - left) / rate).rounded(.up)))
        }
        left -= cost
        return 0
    }
}
