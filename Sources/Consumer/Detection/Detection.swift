import HeartRate

/// Takes the readings of batches through the detectors of their customers.
///
/// The outcome depends on nothing but each customer's readings in the order of the log (and for the live judgement of
/// silence on the clock), so a batch that is cut differently after a crash finds the same.
struct Detection {
    private(set) var states: CustomerStates
    /// Who is watched for silence, apart from the cache.
    private(set) var silences = SilenceTable()

    /// - Parameter most: for how many customers detectors are kept in memory.
    init(most: Int) { states = CustomerStates(most: most) }

    /// Forgets what may not be what the database has, when a batch was not written, and for a new assignment.
    mutating func forget() {
        states.removeAll()
        silences.removeAll()
    }

    /// Other rules or limits: every detector is read again, and everybody who is watched stays watched.
    mutating func reload() {
        states.removeAll()
        silences.review()
    }

    /// Finds the places of those whom a batch is about.
    mutating func prepare(_ batch: borrowing Batch) -> Involved {
        var involved = Involved()
        var unknown: [Int] = []
        func place(_ id: Span<UInt8>, _ states: inout CustomerStates) -> Int {
            let (place, isNew) = states.insert(id)
            if isNew { unknown.append(place) }
            return place
        }
        for customer in batch.customers.changes.indices {
            involved.readings.append(place(batch.customers.customers.id(customer).span, &states))
        }
        var seen: Set<Int> = []
        if batch.isMoreThanReadings { seen = Set(involved.readings) }
        for number in batch.unstorable.elements.indices {
            let place = place(batch.unstorable.customers.id(number).span, &states)
            if seen.insert(place).inserted { involved.unstorable.append((place, number)) }
        }
        for number in batch.silence.map({ silences.due(at: $0) }) ?? [] {
            let place = place(silences.id(number).span, &states)
            if seen.insert(place).inserted { involved.silent.append(place) }
        }
        for number in batch.isLast ? silences.waiting : [] {
            let place = place(silences.id(number).span, &states)
            if seen.insert(place).inserted { involved.waiting.append(place) }
        }
        involved.unknown = unknown
        return involved
    }

    /// Puts unknown customers at what the database has of them.
    ///
    /// - Parameter stored: in the order of the places.
    mutating func restore(_ places: some Sequence<Int>, _ stored: [StoredDetector], at now: Int64) {
        for (place, customer) in zip(places, stored) { states.restore(place, customer, at: now) }
    }

    /// Watches somebody whom others have read until now. Its silence counts from now on: ours is never taken for it.
    mutating func watch(_ customers: [StoredDetector], at now: Int64, by rules: EpisodeRules) {
        for customer in customers {
            let presence = SilenceTable.Presence(customer.detector, customer.limits, by: rules)
            guard presence.mayBeMissed else { continue }
            let watch = silences.insert(customer.id.utf8.span, at: now)
            silences.note(watch, presence, at: now)
            guard states.hasRoom else { continue }
            let (place, isNew) = states.insert(customer.id.utf8.span)
            guard isNew else { continue }
            states.restore(place, customer, at: now)
            states.update(place) { $0.watch = Int32(watch) }
        }
    }

    /// Judges a batch's readings, and the silence of customers when the batch says at which moment it can be.
    ///
    /// - Parameter meanwhile: what is done now and then, each few milliseconds.
    mutating func judge(
        _ batch: inout Batch, _ involved: Involved, at now: Int64, by rules: EpisodeRules, meanwhile: () -> Void = {}
    ) {
        var findings = Findings()
        var next = 0
        for (number, customer) in batch.sequence.enumerated() {
            if number.isMultiple(of: 256) { meanwhile() }
            let place = involved.readings[customer]
            let rows = batch.order[next..<next + Int(batch.customers.changes[customer].readings)]
            next = rows.endIndex
            let course = CustomerCourse(
                observations: batch.observations, rows: rows,
                unstorable: batch.unstorable.elements(of: states.id(place)),
                arrival: batch.customers.changes[customer].arrival, isLast: batch.isLast)
            judge(course, at: place, &findings, now: now, by: rules)
        }
        for (place, number) in involved.unstorable {
            let course = CustomerCourse(unstorable: batch.unstorable.elements[number], isLast: batch.isLast)
            judge(course, at: place, &findings, now: now, by: rules)
        }
        if let moment = batch.silence { judgeSilence(of: involved.silent, at: moment, &findings, by: rules) }
        finish(involved.waiting, &findings, by: rules)
        batch.markSuspect(findings.suspect)
        batch.findings = findings
    }

    /// Whether more customers are in memory than are kept: then their states have to be written.
    var isFull: Bool { states.isOverfull }

    /// Drops what need not be in memory, once it is stored.
    mutating func trim() {
        states.trim()
        if silences.trim() { states.forgetWatches() }
    }

    /// Judges what a batch has of one customer.
    private mutating func judge(
        _ course: CustomerCourse, at place: Int, _ findings: inout Findings, now: Int64, by rules: EpisodeRules
    ) {
        let id = states.id(place)
        let presence = states.update(place) { entry -> SilenceTable.Presence in
            if let arrival = course.arrival { entry.delay.take(arrival) }
            findings.beginCustomer(behind: entry.delay.behind)
            if entry.delay.isWorthTelling {
                findings.behind[String(decoding: id, as: UTF8.self)] = entry.delay.behind
            }
            entry.noteForgotten(id, &findings)
            entry.seenAt = now
            course.judge(by: &entry.detector, entry.limits, rules: rules, of: id, &findings)
            entry.detector.openEpisodes { findings.note($0, of: String(decoding: id, as: UTF8.self)) }
            if course.rows.isEmpty { findings.addSilent(id) }
            return SilenceTable.Presence(entry.detector, entry.limits, by: rules)
        }
        watch(place, presence, at: now)
    }

    /// Notes how somebody stands among those who are watched.
    private mutating func watch(_ place: Int, _ presence: SilenceTable.Presence, at now: Int64?) {
        let id = states.id(place)
        let number = states.update(place) { entry -> Int in
            if entry.watch < 0 { entry.watch = Int32(silences.insert(id.span, at: now ?? 0)) }
            return Int(entry.watch)
        }
        silences.note(number, presence, at: now)
    }

    private mutating func judgeSilence(
        of places: [Int], at moment: SilenceMoment, _ findings: inout Findings, by rules: EpisodeRules
    ) {
        for place in places {
            let id = states.id(place)
            let number = silences.insert(id.span, at: moment.at)
            let silent = Microseconds.milliseconds(moment.at - max(silences.seenAt(number), moment.since))
            let presence = states.update(place) { entry -> SilenceTable.Presence in
                findings.beginCustomer(behind: 0)
                let (limits, changes) = (entry.limits, findings.changes.count)
                let hasNews = entry.detector.isWaiting || entry.isForgetful
                entry.noteForgotten(id, &findings)
                entry.detector.signalLost(for: silent, rules: rules, limits: limits) {
                    findings.note($0, of: String(decoding: id, as: UTF8.self), $1)
                }
                if findings.changes.count > changes || hasNews { findings.addSilent(id) }
                return SilenceTable.Presence(entry.detector, limits, by: rules)
            }
            watch(place, presence, at: nil)
        }
    }

    /// Judges what waits for late readings, since no more are to come.
    private mutating func finish(_ places: [Int], _ findings: inout Findings, by rules: EpisodeRules) {
        for place in places {
            let id = states.id(place)
            let presence = states.update(place) { entry -> SilenceTable.Presence in
                findings.beginCustomer(behind: 0)
                entry.detector.finish(rules: rules, limits: entry.limits) {
                    findings.note($0, of: String(decoding: id, as: UTF8.self), $1)
                }
                findings.addSilent(id)
                return SilenceTable.Presence(entry.detector, entry.limits, by: rules)
            }
            watch(place, presence, at: nil)
        }
    }
}
