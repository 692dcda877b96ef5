import HeartRate

/// The detectors of the customers who were seen last: a cache of `customer_state.detector`, for one assignment.
///
/// 0.7 kB a customer, measured with 100,000. Where a customer is not in it, the database is asked; so it may be emptied at
/// any time between two batches, and has to be when a batch was not written.
struct CustomerStates {
    /// One customer's.
    struct Entry {
        var detector = Detector()
        var limits = CustomerLimits()
        /// When a batch with this customer came last, in milliseconds of the monotonic clock.
        var seenAt: Int64 = 0
        /// Whether the database may have open episodes of which the detector knows nothing.
        var isForgetful = false
    }

    private var customers = CustomerSet()
    private var entries: [Entry] = []
    /// For each when its silence has to be judged, in milliseconds of the monotonic clock. Beside the entries, since all
    /// of them are looked through every second.
    private var dueAt: [Int64] = []
    private let most: Int

    /// - Parameter most: how many customers are kept when a batch has been written.
    init(most: Int) { self.most = most }

    /// How many customers there are.
    var count: Int { entries.count }

    mutating func removeAll() {
        customers.removeAll()
        entries.removeAll(keepingCapacity: true)
        dueAt.removeAll(keepingCapacity: true)
    }

    /// The customer's number, and whether nobody knew it: then its checkpoint has to be restored.
    mutating func insert(_ id: Span<UInt8>) -> (number: Int, isNew: Bool) {
        let number = customers.insert(id)
        guard number == entries.count else { return (number, false) }
        entries.append(Entry())
        dueAt.append(.max)
        return (number, true)
    }

    /// The UTF-8 of a customer's id.
    func id(_ number: Int) -> ArraySlice<UInt8> { customers.id(number) }

    /// Puts a customer at what the database has.
    mutating func restore(_ number: Int, _ stored: StoredDetector, at now: Int64, by rules: EpisodeRules) {
        entries[number] = Entry(
            detector: stored.detector, limits: stored.limits, seenAt: now, isForgetful: stored.isUnreadable)
        schedule(number, rules)
    }

    /// Lends a customer's entry.
    @inline(__always)
    mutating func update(_ number: Int, by rules: EpisodeRules, _ body: (inout Entry) -> Void) {
        body(&entries[number])
        schedule(number, rules)
    }

    /// Whether somebody's silence has to be judged.
    func isSilenceDue(at now: Int64) -> Bool { dueAt.contains { $0 <= now } }

    /// Whose silence has to be judged, when it does not count before a moment; of very many, as after a producer's end,
    /// only as many as fit a batch.
    func silent(at now: Int64, since: Int64) -> ArraySlice<Int> {
        dueAt.indices.filter { dueAt[$0] <= now && dueAt[$0] + max(since - entries[$0].seenAt, 0) <= now }.prefix(5000)
    }

    /// Drops the half that was seen least recently when there are more than are kept.
    mutating func trim() {
        guard count > most else { return }
        let order = entries.indices.sorted { entries[$0].seenAt > entries[$1].seenAt }
        var kept = CustomerStates(most: most)
        for number in order.prefix(most / 2) {
            let place = kept.insert(id(number).span).number
            kept.entries[place] = entries[number]
            kept.dueAt[place] = dueAt[number]
        }
        self = kept
    }

    /// A second more than the detector wants: a reading may be on its way.
    private mutating func schedule(_ number: Int, _ rules: EpisodeRules) {
        let limit = entries[number].detector.silenceLimit(rules)
        dueAt[number] = limit.map { entries[number].seenAt + $0.milliseconds + 1000 } ?? .max
    }
}
