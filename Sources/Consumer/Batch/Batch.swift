import HeartRate
import Kafka
import PostgreSQL

/// What one transaction will write: rows in the form of COPY, and how far they move each source on.
struct Batch: ~Copyable {
    /// How far the batch moves one source.
    struct Progress {
        let sourceID: Int32
        let partition: Int32
        /// Where the source has to stand before; -1 as long as the batch has nothing of it.
        var expected: Int64 = -1
        /// One past the last message.
        var next: Int64 = -1
        /// Kafka's time stamp of the last message in milliseconds since 1970; -1 when it has none.
        var timestamp: Int64 = -1
        /// The last message.
        var last: Landmark?
        var readings: Int32 = 0
        var anomalies: Int32 = 0
        var rejected: Int32 = 0
    }

    /// Offsets of one source that have no message for readers.
    struct Hole: Equatable {
        let sourceID: Int32
        let offsets: Range<Int64>
    }

    /// A message of the batch.
    struct Place: Equatable {
        let partition: Int32
        let offset: Int64
    }

    private(set) var readings = CopyBuffer(capacity: 1 << 20)
    private(set) var rejected = CopyBuffer()
    private(set) var progress: [Progress] = []
    private(set) var holes: [Hole] = []
    private(set) var customers = CustomerChanges()
    private(set) var minutes = MinuteChanges()
    /// UTC days since 1970 that its readings fall on, as far as they have a partition of their own.
    private(set) var days: Set<Int32> = []
    /// The last one of them: most readings of a batch share a day.
    private var lastDay: Int32?
    /// Each reading as the detectors take it.
    private(set) var observations: [Observation] = []
    /// What came with a heart rate that is not stored, and by whom.
    private(set) var unstorable = UnstorableReadings()
    /// The customers' numbers in the order of their ids, and the readings' numbers customer by customer in that order, once
    /// they were arranged.
    private(set) var sequence: [Int] = []
    private(set) var order: [Int] = []
    /// The readings that are to be stored only once: their numbers, and where they came from.
    private(set) var onces: [(row: Int, place: Place)] = []
    /// What the detectors found in it; nil as long as they have not looked.
    var findings: Findings?
    /// When to judge the silence of customers after its readings; nil when it cannot be judged.
    private(set) var silence: SilenceMoment?
    /// Whether no more is to come, so that nothing waits for late readings any longer.
    private(set) var isLast = false
    /// Whether it was taken as soon as it had no more room: then more is waiting.
    var isFull = false

    /// How many messages it has.
    var count: Int { readings.rowCount + rejected.rowCount }

    /// One of its messages: the one, when it has one.
    var last: (partition: Int32, offset: Int64) {
        guard let moved = progress.last(where: { $0.expected < $0.next }) else { return (-1, -1) }
        return (moved.partition, moved.next - 1)
    }

    /// How many bytes its rows take.
    var byteCount: Int { readings.byteCount + rejected.byteCount }

    /// Whether it has nothing to write.
    var isEmpty: Bool { count == 0 && holes.isEmpty }

    /// Whether it has something for the writer: also when only silence has to be judged.
    var isWanted: Bool { !isEmpty || silence != nil || isLast }

    /// Whether somebody is to be judged of whom it may have no reading.
    var isMoreThanReadings: Bool { silence != nil || isLast || !unstorable.isEmpty }

    /// How far it moves its sources.
    var moved: [Progress] { progress.filter { $0.expected >= 0 } }

    /// Empties it for these positions.
    mutating func start(at positions: [Position]) {
        progress = positions.map { Progress(sourceID: $0.sourceID, partition: $0.partition) }
        removeAll()
    }

    /// Empties it for the positions of another batch.
    mutating func start(like other: borrowing Batch) {
        progress = other.progress
        removeAll()
    }

    /// Empties it after it was written.
    mutating func removeAll() {
        // One message of many megabytes must not hold its memory without end.
        readings.removeAll(keepingAtMost: 8 << 20)
        rejected.removeAll(keepingAtMost: 1 << 20)
        for slot in progress.indices {
            progress[slot] = Progress(sourceID: progress[slot].sourceID, partition: progress[slot].partition)
        }
        holes.removeAll(keepingCapacity: true)
        customers.removeAll()
        minutes.removeAll()
        days.removeAll(keepingCapacity: true)
        lastDay = nil
        observations.removeAll(keepingCapacity: true)
        unstorable.removeAll()
        onces.removeAll(keepingCapacity: true)
        sequence.removeAll(keepingCapacity: true)
        order.removeAll(keepingCapacity: true)
        findings = nil
        silence = nil
        isLast = false
        isFull = false
    }

    /// Puts the readings' numbers in order, those of one customer one after another. The index on customer and time then
    /// takes them with a fifth less work of the server than in the order in which they came, and of very many customers with
    /// a third less when they are in the order of the ids, too.
    mutating func arrange() {
        guard order.count != observations.count else { return }
        sequence = customers.customers.sorted()
        var places = [Int](repeating: 0, count: sequence.count)
        var next = 0
        for customer in sequence {
            places[customer] = next
            next += Int(customers.changes[customer].readings)
        }
        order = [Int](repeating: 0, count: next)
        for (row, observation) in observations.enumerated() {
            order[places[Int(observation.customer)]] = row
            places[Int(observation.customer)] += 1
        }
    }

    /// Appends a reading as a row of `heart_rate_readings`.
    ///
    /// - Parameter day: the UTC day whose partition it needs; nil when it goes to the default partition.
    mutating func append(_ reading: Reading, anomaly: Anomaly?, day: Int32?, slot: Int, offset: Int64) {
        let customer = customers.add(reading, anomaly, sourceID: progress[slot].sourceID)
        observations.append(Observation(reading, customer: customer))
        minutes.add(reading, isAnomaly: anomaly != nil)
        readings.beginRow(fields: 9)
        readings.append(reading.customerID.utf8)
        readings.append(reading.recordedAt.microsecondsSince2000)
        readings.append(reading.heartRate)
        readings.append(anomaly != nil)
        if let anomaly {
            progress[slot].anomalies += 1
            anomaly.withReason { readings.append($0) }
        } else {
            readings.appendNull()
        }
        readings.append(progress[slot].sourceID)
        readings.append(offset)
        if let activity = reading.activity { readings.append(activity.code) } else { readings.appendNull() }
        // Last: see `markSuspect`.
        readings.append(false)
        if let day, day != lastDay {
            days.insert(day)
            lastDay = day
        }
        progress[slot].readings += 1
        advance(slot, past: offset)
    }

    /// Notes that the reading that was appended last is to be stored only once.
    mutating func storeOnce(slot: Int, offset: Int64) {
        let place = Place(partition: progress[slot].partition, offset: offset)
        onces.append((observations.count - 1, place))
    }

    /// Notes when the reading that was appended last was sent, in milliseconds since 1970.
    mutating func noteArrival(at milliseconds: Int64) {
        guard let last = observations.last else { return }
        customers.noteArrival(of: Int(last.customer), last.recordedAt, at: milliseconds)
    }

    /// Notes a message that is no reading for its heart rate only: the detectors have to know.
    mutating func observe(_ reading: UnstorableReading) { unstorable.append(reading, after: observations.count) }

    /// Marks the readings with these numbers as suspect.
    mutating func markSuspect(_ rows: [Int]) {
        for row in rows { readings.setLastField(of: row, to: true) }
    }

    /// Appends a message as a row of `rejected_messages`.
    mutating func reject(_ message: borrowing KafkaMessage, _ reason: RejectionReason, slot: Int) {
        rejected.beginRow(fields: 10)
        rejected.append(progress[slot].sourceID)
        rejected.append(message.topic)
        rejected.append(message.partition)
        rejected.append(message.offset)
        if let milliseconds = message.timestamp {
            rejected.append(Instant(millisecondsSince1970: milliseconds).microsecondsSince2000)
        } else {
            rejected.appendNull()
        }
        rejected.append(message.key)
        rejected.append(message.payload)
        let headers = message.headers
        if headers.isEmpty {
            rejected.appendNull()
        } else {
            rejected.append(jsonb: json(headers))
        }
        rejected.append(reason.code.rawValue)
        rejected.append(reason.sentence)
        progress[slot].rejected += 1
        advance(slot, past: message.offset)
    }

    /// Notes that the log goes on at `offset` although an earlier one was expected.
    mutating func skip(_ slot: Int, from expected: Int64, to offset: Int64) {
        holes.append(Hole(sourceID: progress[slot].sourceID, offsets: expected..<offset))
        if progress[slot].expected < 0 { progress[slot].expected = expected }
        progress[slot].next = offset
    }

    /// Has the silence of customers judged after its readings. The transaction then also requires that sources without
    /// messages still stand where they were.
    ///
    /// - Parameter next: the next offset of each partition that has not gathered.
    mutating func judgeSilence(at moment: SilenceMoment, next: [Int32: Int64]) {
        silence = moment
        require(next)
    }

    /// The same when no more is to come: has everything judged that waits for late readings.
    mutating func judgeLast(next: [Int32: Int64]) {
        isLast = true
        require(next)
    }

    private mutating func require(_ next: [Int32: Int64]) {
        for slot in progress.indices where progress[slot].expected < 0 {
            guard let next = next[progress[slot].partition] else { continue }
            progress[slot].expected = next
            progress[slot].next = next
        }
    }

    /// Takes back that silence is to be judged, and what was found.
    mutating func forgoSilence() {
        silence = nil
        findings = nil
    }

    /// Notes of the message that was appended last what Kafka keeps with it, and its fingerprint.
    mutating func note(timestamp: Int64?, fingerprint: Int64, slot: Int) {
        progress[slot].timestamp = timestamp ?? -1
        progress[slot].last = Landmark(offset: progress[slot].next - 1, fingerprint: fingerprint)
    }

    private mutating func advance(_ slot: Int, past offset: Int64) {
        if progress[slot].expected < 0 { progress[slot].expected = offset }
        progress[slot].next = offset + 1
    }
}
