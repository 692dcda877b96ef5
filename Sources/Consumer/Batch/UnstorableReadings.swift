import HeartRate

/// The messages of a batch that are no readings for their heart rates only, customer by customer.
struct UnstorableReadings {
    struct Element {
        let recordedAt: Instant
        let isZero: Bool
        /// How many readings the batch had before it.
        let place: Int
    }

    /// Whose they are.
    private(set) var customers = CustomerSet()
    /// By the customers' numbers, in the order of the log.
    private(set) var elements: [[Element]] = []

    var isEmpty: Bool { elements.isEmpty }

    /// One customer's.
    func elements(of id: ArraySlice<UInt8>) -> [Element] {
        guard !isEmpty, let number = customers.number(of: id.span) else { return [] }
        return elements[number]
    }

    mutating func removeAll() {
        guard !isEmpty else { return }
        customers.removeAll()
        elements.removeAll()
    }

    mutating func append(_ reading: UnstorableReading, after place: Int) {
        let number = customers.insert(reading.customerID.utf8)
        if number == elements.count { elements.append([]) }
        elements[number].append(
            Element(recordedAt: reading.recordedAt, isZero: reading.isZero, place: place))
    }
}
