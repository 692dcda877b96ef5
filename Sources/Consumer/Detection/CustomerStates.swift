import HeartRate

/// The detectors of the customers who were seen last: a cache of `customer_state.detector`, for one assignment.
///
/// 0.9 kB a customer, measured with 100,000. Where a customer is not in it, the database is asked; so it may be emptied at
/// any time between two batches, and has to be when a batch was not written.
struct CustomerStates {
    /// One customer's. In this order nothing is lost to alignment.
    struct Entry {
        var detector = Detector()
        var limits = CustomerLimits()
        /// When a batch with this customer came last, in milliseconds of the monotonic clock.
        var seenAt: Int64 = 0
        /// By how much its sensor's clock is behind.
        var delay = SensorDelay()
        /// Whether the database may have open episodes of which the detector knows nothing.
        var isForgetful = false
        /// The customer's number among those who are watched for silence.
        var watch: Int32 = -1

        /// Says so, once.
        mutating func noteForgotten(_ id: ArraySlice<UInt8>, _ findings: inout Findings) {
            guard isForgetful else { return }
            findings.forgotten.append(String(decoding: id, as: UTF8.self))
            isForgetful = false
        }
    }

    private var customers = CustomerSet()
    /// In pieces, since one array that grows keeps up to twice its size.
    private var pieces: [[Entry]] = []
    private static let piece = 256
    private let most: Int

    /// - Parameter most: how many customers are kept when a batch has been written.
    init(most: Int) { self.most = most }

    /// How many customers there are.
    var count: Int { customers.count }

    /// Whether more may be kept.
    var hasRoom: Bool { count < most }

    /// Whether there are more than are kept.
    var isOverfull: Bool { count > most }

    mutating func removeAll() {
        customers.removeAll()
        pieces.removeAll()
    }

    /// The customer's number, and whether nobody knew it: then its checkpoint has to be restored.
    mutating func insert(_ id: Span<UInt8>) -> (number: Int, isNew: Bool) {
        let known = count
        let number = customers.insert(id)
        guard number == known else { return (number, false) }
        if number % Self.piece == 0 {
            pieces.append([])
            pieces[pieces.count - 1].reserveCapacity(Self.piece)
        }
        pieces[pieces.count - 1].append(Entry())
        return (number, true)
    }

    /// The UTF-8 of a customer's id.
    func id(_ number: Int) -> ArraySlice<UInt8> { customers.id(number) }

    /// Puts a customer at what the database has.
    mutating func restore(_ number: Int, _ stored: StoredDetector, at now: Int64) {
        update(number) {
            $0 = Entry(detector: stored.detector, limits: stored.limits, seenAt: now, isForgetful: stored.isUnreadable)
        }
    }

    /// The numbers of those who are watched for silence are other ones now.
    mutating func forgetWatches() {
        for number in 0..<count { update(number) { $0.watch = -1 } }
    }

    /// Lends a customer's entry.
    @inline(__always)
    mutating func update<Result>(_ number: Int, _ body: (inout Entry) -> Result) -> Result {
        body(&pieces[number / Self.piece][number % Self.piece])
    }

    /// Where detection goes on with a customer; empty when nobody knows it.
    func checkpoint(of id: Span<UInt8>) -> [UInt8] {
        guard let number = customers.number(of: id) else { return [] }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(400)
        pieces[number / Self.piece][number % Self.piece].detector.writeCheckpoint(to: &bytes)
        return bytes
    }

    private subscript(number: Int) -> Entry { pieces[number / Self.piece][number % Self.piece] }

    /// Drops the half that was seen least recently when there are more than are kept.
    mutating func trim() {
        guard isOverfull else { return }
        let seen = (0..<count).map { self[$0].seenAt }
        let order = seen.indices.sorted { seen[$0] > seen[$1] }
        var kept = CustomerStates(most: most)
        for number in order.prefix(most / 2) {
            let place = kept.insert(id(number).span).number
            kept.update(place) { $0 = self[number] }
        }
        self = kept
    }
}
