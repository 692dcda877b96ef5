import HeartRate

/// What a batch, or a transaction, changes in `customer_state`.
struct CustomerChanges {
    /// What it changes of one customer.
    struct CustomerChange {
        /// The latest by its time stamp; of two with the same one the later in the log.
        var latest: (recordedAt: Instant, heartRate: Int16, anomaly: Anomaly?)
        /// Where the last of its readings came from.
        var sourceID: Int32
        var readings: Int32 = 0
        var anomalies: Int32 = 0
        /// When the last of its readings was sent, and how long after its time stamp; in milliseconds. Nil when that is not known.
        var arrival: (at: Int64, delay: Int64)?

        /// Adds what comes later in the log.
        mutating func add(_ later: CustomerChange) {
            if later.latest.recordedAt >= latest.recordedAt { latest = later.latest }
            sourceID = later.sourceID
            readings += later.readings
            anomalies += later.anomalies
            arrival = later.arrival ?? arrival
        }
    }

    /// Whose changes they are, by the same numbers.
    private(set) var customers = CustomerSet()
    private(set) var changes: [CustomerChange] = []

    mutating func removeAll() {
        customers.removeAll()
        changes.removeAll(keepingCapacity: true)
    }

    mutating func noteArrival(of number: Int, _ recordedAt: Instant, at milliseconds: Int64) {
        // A producer may write anything as its time.
        let sent = Instant(millisecondsSince1970: milliseconds).microsecondsSince1970 / 1000
        changes[number].arrival = (sent, sent - recordedAt.microsecondsSince1970 / 1000)
    }

    /// - Returns: the customer's number.
    mutating func add(_ reading: Reading, _ anomaly: Anomaly?, sourceID: Int32) -> Int {
        let number = customers.insert(reading.customerID.utf8)
        let latest = (reading.recordedAt, reading.heartRate, anomaly)
        if number == changes.count {
            changes.append(CustomerChange(latest: latest, sourceID: sourceID))
        } else if reading.recordedAt >= changes[number].latest.recordedAt {
            changes[number].latest = latest
        }
        changes[number].sourceID = sourceID
        changes[number].readings += 1
        if anomaly != nil { changes[number].anomalies += 1 }
        return number
    }

    /// Adds the changes of a later batch.
    mutating func add(_ later: CustomerChanges) {
        for number in later.changes.indices {
            let own = customers.insert(later.customers.id(number).span)
            if own == changes.count {
                changes.append(later.changes[number])
            } else {
                changes[own].add(later.changes[number])
            }
        }
    }
}

/// What a batch adds to `readings_per_minute`.
struct MinuteChanges {
    /// The readings of one minute; heart rates in bpm.
    struct MinuteChange {
        let start: Instant
        var readings: Int32 = 0
        var anomalies: Int32 = 0
        var lowest: Int16 = .max
        var highest: Int16 = .min
        var sum: Int64 = 0
    }

    private(set) var changes: [MinuteChange] = []
    private var numbers: [Int64: Int] = [:]
    /// Where the last reading was counted: most readings of a batch share a minute.
    private var last = (minute: Int64.min, number: 0)

    mutating func removeAll() {
        changes.removeAll(keepingCapacity: true)
        numbers.removeAll(keepingCapacity: true)
        last = (.min, 0)
    }

    mutating func add(_ reading: Reading, isAnomaly: Bool) {
        let number = number(of: reading.recordedAt)
        changes[number].readings += 1
        if isAnomaly { changes[number].anomalies += 1 }
        changes[number].lowest = min(changes[number].lowest, reading.heartRate)
        changes[number].highest = max(changes[number].highest, reading.heartRate)
        changes[number].sum += Int64(reading.heartRate)
    }

    /// Adds the changes of another batch.
    mutating func add(_ other: MinuteChanges) {
        for change in other.changes {
            let number = number(of: change.start)
            changes[number].readings += change.readings
            changes[number].anomalies += change.anomalies
            changes[number].lowest = min(changes[number].lowest, change.lowest)
            changes[number].highest = max(changes[number].highest, change.highest)
            changes[number].sum += change.sum
        }
    }

    private mutating func number(of instant: Instant) -> Int {
        let microseconds: Int64 = 60_000_000
        let (quotient, remainder) = instant.microsecondsSince1970.quotientAndRemainder(dividingBy: microseconds)
        let minute = remainder < 0 ? quotient - 1 : quotient
        if last.minute == minute { return last.number }
        var number = changes.count
        if let found = numbers[minute] {
            number = found
        } else {
            numbers[minute] = number
            changes.append(MinuteChange(start: Instant(microsecondsSince1970: minute * microseconds)))
        }
        last = (minute, number)
        return number
    }
}
