import HeartRate

/// Takes the readings of batches through the detectors of their customers.
///
/// The outcome depends on nothing but each customer's readings in the order of the log (and for the live judgement of
/// silence on the clock), so a batch that is cut differently after a crash finds the same.
struct Detection {
    private(set) var states: CustomerStates

    /// - Parameter most: for how many customers detectors are kept in memory.
    init(most: Int) { states = CustomerStates(most: most) }

    /// Forgets what may not be what the database has: for a new assignment, other rules or limits, and when a batch was not
    /// written.
    mutating func forget() { states.removeAll() }

    /// The places of the batch's customers, and which of them have to be restored from the database.
    mutating func prepare(_ batch: borrowing Batch) -> (places: [Int], unknown: [Int]) {
        var places: [Int] = []
        var unknown: [Int] = []
        for customer in batch.customers.changes.indices {
            let (place, isNew) = states.insert(batch.customers.customers.id(customer).span)
            places.append(place)
            if isNew { unknown.append(place) }
        }
        return (places, unknown)
    }

    /// Puts unknown customers at what the database has of them.
    ///
    /// - Parameter stored: in the order of the places.
    mutating func restore(_ places: [Int], _ stored: [StoredDetector], at now: Int64, by rules: EpisodeRules) {
        for (place, customer) in zip(places, stored) { states.restore(place, customer, at: now, by: rules) }
    }

    /// Takes over somebody who is not known yet.
    mutating func watch(_ customers: [StoredDetector], at now: Int64, by rules: EpisodeRules) {
        for customer in customers {
            let (place, isNew) = states.insert(customer.id.utf8.span)
            if isNew { states.restore(place, customer, at: now, by: rules) }
        }
    }

    /// Judges a batch's readings, and the silence of customers when the batch says at which moment it can be.
    mutating func judge(_ batch: inout Batch, places: [Int], at now: Int64, by rules: EpisodeRules) {
        var findings = Findings()
        var suspect: [Int] = []
        var next = 0
        for (customer, place) in places.enumerated() {
            findings.beginCustomer()
            let id = batch.customers.customers.id(customer)
            let rows = batch.order[next..<next + Int(batch.customers.changes[customer].readings)]
            next = rows.endIndex
            states.update(place, by: rules) { entry in
                entry.seenAt = now
                if entry.isForgetful {
                    findings.forgotten.append(String(decoding: id, as: UTF8.self))
                    entry.isForgetful = false
                }
                for row in rows {
                    let observation = batch.observations[row]
                    let sample = Sample(
                        observation.heartRate, at: observation.recordedAt, activity: observation.activity)
                    let judgement = entry.detector.take(sample, rules: rules, limits: entry.limits) {
                        findings.note($0, of: String(decoding: id, as: UTF8.self), $1)
                    }
                    switch judgement {
                    case .usual: break
                    case .suspect: suspect.append(row)
                    case .late: findings.late += 1
                    }
                }
                entry.detector.openEpisodes { findings.note($0, of: String(decoding: id, as: UTF8.self)) }
                findings.checkpoints.append(entry.detector)
            }
        }
        if let moment = batch.silence { judgeSilence(at: moment, &findings, by: rules) }
        batch.markSuspect(suspect)
        findings.suspect = suspect.count
        batch.findings = findings
        states.trim()
    }

    private mutating func judgeSilence(at moment: SilenceMoment, _ findings: inout Findings, by rules: EpisodeRules) {
        for place in states.silent(at: moment.at, since: moment.since) {
            findings.beginCustomer()
            let id = String(decoding: states.id(place), as: UTF8.self)
            states.update(place, by: rules) { entry in
                let silent = moment.at - max(entry.seenAt, moment.since)
                entry.detector.signalLost(for: .milliseconds(silent), rules: rules, limits: entry.limits) {
                    findings.note($0, of: id, $1)
                }
                findings.silent.append(id)
                findings.silentCheckpoints.append(entry.detector)
            }
        }
    }
}
