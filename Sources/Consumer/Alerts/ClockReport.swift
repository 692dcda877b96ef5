import Daemon
import HeartRate
import Logging

/// Tells of sensors whose clocks are wrong: of each customer once an hour, and of few in an hour, so that the journal stays
/// readable. The metrics count all of them.
struct ClockReport {
    private static let mostInAnHour = 50

    private let logger: Logger
    private var hour = ContinuousClock.now
    private var told: Set<String> = []

    init(_ logger: Logger) { self.logger = logger }

    mutating func tell(_ findings: Findings) {
        guard !findings.restarted.isEmpty || !findings.behind.isEmpty else { return }
        if hour.duration(to: .now) > .seconds(3600) { (hour, told) = (.now, []) }
        for customer in findings.restarted {
            tell(customer, "was set back: the customer's time starts again, and what was open is closed")
        }
        for (customer, milliseconds) in findings.behind.sorted(by: { $0.key < $1.key }) {
            tell(customer, "is behind by \(milliseconds / 60_000) min")
        }
    }

    private mutating func tell(_ customer: String, _ what: String) {
        guard told.count < Self.mostInAnHour, told.insert(customer).inserted else { return }
        logger.report(
            .sensorClock, "the clock of \(customer)'s sensor \(what)", fields: ["HEARTBEAT_CUSTOMER": .string(customer)]
        )
    }
}
