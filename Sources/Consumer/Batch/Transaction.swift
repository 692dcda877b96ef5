import Daemon
import HeartRate
import PostgreSQL

/// What one transaction changes beside its rows: of one batch, or of several.
///
/// The row of a customer's state costs the server more than a reading's. So when a backlog is read that has few readings of
/// very many customers, batch after batch is copied into the same transaction, which ends with each customer's state once.
/// Nothing of it is kept in memory but these sums: when it fails, it is read again from Kafka.
struct Transaction {
    /// As many readings of each customer make its state cheap enough: a tenth of what they cost themselves.
    private static let fewReadings = 32
    /// The states of fewer customers cost little.
    private static let manyCustomers = 1000

    private let began = ContinuousClock.now
    /// How long it may take, by the batch that allows the least.
    private var longest: Duration = .seconds(30)
    /// How many batches were copied before the last one: their rows are not in memory any more.
    private(set) var copied = 0
    /// How far it moves each source.
    private(set) var progress: [Batch.Progress] = []
    private(set) var holes: [Batch.Hole] = []
    private(set) var customers = CustomerChanges()
    private(set) var minutes = MinuteChanges()
    /// What the detectors found; nil when they did not look.
    private(set) var findings: Findings?

    /// How many readings it has.
    var readings: Int { sum(\.readings) }

    /// How many of them are anomalies.
    var anomalies: Int { sum(\.anomalies) }

    /// How many messages it has that are no readings.
    var rejected: Int { sum(\.rejected) }

    private func sum(_ figure: KeyPath<Batch.Progress, Int32>) -> Int {
        progress.reduce(0) { $0 + Int($1[keyPath: figure]) }
    }

    /// How many messages it has.
    var count: Int { readings + rejected }

    /// How far it moves its sources.
    var moved: [Batch.Progress] { progress.filter { $0.expected >= 0 } }

    /// Adds what a batch changes.
    mutating func add(_ batch: borrowing Batch) {
        if progress.isEmpty { progress = batch.progress } else { advance(batch.progress) }
        longest = min(longest, Self.longest(for: batch.moved, at: wallClockMicroseconds() / 1000))
        holes += batch.holes
        customers.add(batch.customers)
        minutes.add(batch.minutes)
        guard let more = batch.findings else { return }
        if findings == nil { findings = more } else { findings?.add(more) }
    }

    /// Notes that the rows so far are copied.
    mutating func noteCopy() { copied += 1 }

    /// Whether another batch in the same transaction is worth waiting for.
    ///
    /// - Parameter batch: the one that was added last. One that is not full is the end of what there is.
    func isWorthMore(after batch: borrowing Batch) -> Bool {
        batch.isFull && batch.silence == nil && !batch.isLast && customers.changes.count >= Self.manyCustomers
            && readings < customers.changes.count * Self.fewReadings && ContinuousClock.now - began < longest
    }

    /// How long a transaction with a batch may take: what it has is seen that late, and has to be read again after a fault.
    ///
    /// What came just now is seen within 5 s, however much there is of it. Behind an outage all of it is old; then the
    /// transaction may take as long as that, so that nothing is seen twice as late as it would be, and 30 s at most.
    ///
    /// - Parameters:
    ///   - moved: how far the batch moves its sources; the one with the youngest message counts.
    ///   - now: in milliseconds since 1970.
    static func longest(for moved: [Batch.Progress], at now: Int64) -> Duration {
        let sent = moved.map(\.timestamp)
        // One without a time may have come just now.
        guard let oldest = sent.min(), oldest >= 0, let youngest = sent.max() else { return .seconds(5) }
        return min(max(.milliseconds(now - min(youngest, now)), .seconds(5)), .seconds(30))
    }

    /// Whether a batch may be added to a transaction: nothing has to be done before it that a transaction cannot contain, and
    /// it goes on where the transaction ends.
    ///
    /// - Parameters:
    ///   - progress: the transaction's.
    ///   - days: those that have a partition.
    static func takes(_ batch: borrowing Batch, after progress: [Batch.Progress], days: Set<Int32>) -> Bool {
        guard batch.onces.isEmpty, batch.silence == nil, !batch.isLast, batch.days.isSubset(of: days) else {
            return false
        }
        for slot in progress.indices where progress[slot].expected >= 0 && batch.progress[slot].expected >= 0 {
            guard progress[slot].next == batch.progress[slot].expected else { return false }
        }
        return true
    }

    private mutating func advance(_ more: [Batch.Progress]) {
        for slot in progress.indices where more[slot].expected >= 0 {
            guard progress[slot].expected >= 0 else {
                progress[slot] = more[slot]
                continue
            }
            progress[slot].next = more[slot].next
            progress[slot].timestamp = more[slot].timestamp
            progress[slot].last = more[slot].last ?? progress[slot].last
            progress[slot].readings += more[slot].readings
            progress[slot].anomalies += more[slot].anomalies
            progress[slot].rejected += more[slot].rejected
        }
    }
}
