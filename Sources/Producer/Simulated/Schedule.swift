/// When each simulated reading is due, in nanoseconds since the start.
///
/// Customer i's reading number k is due at k x interval + i x interval / customers: the customers are spread over the
/// interval instead of coming in one burst. Each time is computed from the start, not from the one before, so that
/// nothing drifts; and no clock is looked at, so that nothing is skipped, however late the caller is.
struct Schedule: Equatable {
    /// How many customers there are, 1 or more.
    let customers: Int
    /// The time between one customer's readings, in nanoseconds.
    let interval: Int64

    /// Which of the customer's readings is next, from 0.
    private(set) var tick: Int64 = 0
    /// Whose reading is next, from 0.
    private(set) var customer = 0

    init(customers: Int, interval: Duration) {
        self.customers = customers
        self.interval = interval.wholeNanoseconds
    }

    /// When the next reading is due. 292 years after the start there is no number for it.
    var due: Int64 { Self.due(tick: tick, customer: customer, of: customers, interval: interval) }

    /// Goes on to the reading that is due after it.
    mutating func advance() {
        customer += 1
        guard customer == customers else { return }
        customer = 0
        tick += 1
    }

    static func due(tick: Int64, customer: Int, of customers: Int, interval: Int64) -> Int64 {
        // At most 3.6e12 ns x 1e6 customers: the product fits.
        tick * interval + Int64(customer) * interval / Int64(customers)
    }
}

extension Duration {
    /// Rounded down to nanoseconds; not for more than 292 years.
    var wholeNanoseconds: Int64 {
        let (seconds, attoseconds) = components
        return seconds * 1_000_000_000 + attoseconds / 1_000_000_000
    }
}
