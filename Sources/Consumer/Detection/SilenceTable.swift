import HeartRate

/// Who is watched for silence: everybody of the partitions that are read here who may still be missed, whatever is kept of
/// them besides.
///
/// Some 60 bytes a customer, bounded by what is known of each and not by how many are kept: who has been silent longest is
/// who matters. It outlives a reload of the rules, and is made again from `customer_state` for each assignment.
struct SilenceTable {
    /// How somebody stands who may fall silent.
    struct Presence {
        /// How long after the last message silence has to be judged, in milliseconds; nil for never.
        let limit: Int64?
        /// Whether the signal is lost, or anything else that silence has opened.
        let isSilent: Bool
        /// Whether readings wait for late ones.
        let isWaiting: Bool

        init(_ detector: borrowing Detector, _ limits: CustomerLimits, by rules: EpisodeRules) {
            limit = detector.silenceLimit(rules, limits)?.milliseconds
            isSilent = detector.isSilent
            isWaiting = detector.isWaiting
        }
    }

    private struct Watch {
        /// When a batch with this customer came last, in milliseconds of the monotonic clock.
        var seenAt: Int64
        var isSilent = false
        var isWaiting = false
    }

    private var customers = CustomerSet()
    private var watches: [Watch] = []
    /// For each when its silence has to be judged. Beside the others, since all of them are looked through every second.
    private var dueAt: [Int64] = []
    /// Of very many, as after a producer's end, only as many are judged at once as fit a batch.
    private static let mostAtOnce = 5000

    /// How many customers there are.
    var count: Int { watches.count }

    mutating func removeAll() {
        customers.removeAll()
        watches.removeAll(keepingCapacity: true)
        dueAt.removeAll(keepingCapacity: true)
    }

    /// The customer's number.
    mutating func insert(_ id: Span<UInt8>, at now: Int64) -> Int {
        let number = customers.insert(id)
        if number == watches.count {
            watches.append(Watch(seenAt: now))
            dueAt.append(.max)
        }
        return number
    }

    /// The UTF-8 of a customer's id.
    func id(_ number: Int) -> ArraySlice<UInt8> { customers.id(number) }

    /// When a batch with the customer came last.
    func seenAt(_ number: Int) -> Int64 { watches[number].seenAt }

    /// Takes over how a customer stands; `now` is when something came from it, nil when nothing did.
    mutating func note(_ number: Int, _ presence: Presence, at now: Int64?) {
        if let now { watches[number].seenAt = now }
        watches[number].isSilent = presence.isSilent
        watches[number].isWaiting = presence.isWaiting
        // A second more than the detector wants: a reading may be on its way.
        dueAt[number] = presence.limit.map { watches[number].seenAt + $0 + 1000 } ?? .max
    }

    /// Has everybody judged again whose silence has opened something: rules or limits are other ones now.
    mutating func review() {
        for number in watches.indices where watches[number].isSilent { dueAt[number] = 0 }
    }

    /// Whether somebody's silence has to be judged.
    func isDue(at now: Int64) -> Bool { dueAt.contains { $0 <= now } }

    /// Whose silence has to be judged, when it does not count before a moment.
    func due(at moment: SilenceMoment) -> [Int] {
        Array(
            dueAt.indices.lazy.filter {
                dueAt[$0] <= moment.at && dueAt[$0] + max(moment.since - watches[$0].seenAt, 0) <= moment.at
            }.prefix(Self.mostAtOnce))
    }

    /// Whose readings wait for late ones.
    var waiting: [Int] { watches.indices.filter { watches[$0].isWaiting } }
}
