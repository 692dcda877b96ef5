/// What the intake knows of its partitions: a value that takes events and returns what to do, without any I/O.
///
///     given -> unlocated -> confirming -> reading -+
///                 ^             |  ^          |    |  message, end
///                 |             v  +----------+ <--+
///                 +--------- examining   (a new connection or look-up, a full batch)
///
/// The offset alone does not say that it is the same log. So reading starts at the last message that is known, whose
/// fingerprint is compared: the same, and reading goes on. Another one, none, or an end before it, and the partition alone
/// is examined, by another thread; then the database is asked again where to go on, and reading starts once more at the last
/// message that was found in both. Where there is none, the first message that comes has to be the first one that was seen in
/// the examination; and where that saw none, the first one that comes has the partition examined again. So no message is
/// taken of a log that took the place of the examined one. A log that was restored from a copy, its messages at their offsets
/// and with their times, is the same log: nothing in it is new.
struct Assignment {
    /// Who handed something out: a broker, and how often the client had connected to it or asked where the topic is.
    struct Origin: Equatable {
        var broker: Int32
        /// How often by now.
        var count: Int
        /// How often when it was asked for. It may have come at any moment since, and waited.
        var asked: Int

        init(broker: Int32, count: Int, asked: Int? = nil) {
            self.broker = broker
            self.count = count
            self.asked = asked ?? count
        }

        /// What is sure of it.
        var sure: Origin { Origin(broker: broker, count: asked) }

        /// Whether it may be of another log than what came from elsewhere.
        func differs(from old: Origin) -> Bool { broker != old.broker || count != old.count }
    }

    /// What happens to partitions, besides messages.
    enum Occurrence: Equatable {
        /// The group gave these.
        case given([Int32])
        /// The group took all back.
        case taken
        /// The database says where to go on with some of those that `locate` asked for; the others are not known yet.
        case located([Position])
        /// A partition was read to its end.
        case end(Int32, offset: Int64, Origin)
        /// The log has nothing at the offset that was asked for.
        case outOfRange(Int32)
        /// A partition cannot be read now.
        case failed(Int32)
        /// A partition's broker is another one, or was connected to again.
        case doubted(Int32)
        /// These were examined: the database is right now. Their logs may have changed since.
        case examined([Int32: Continuation])
        /// The database refused a batch; these partitions are another consumer's.
        case refused(lost: [Int32])
        /// Partitions that were lost are taken up again.
        case reclaimed([Int32])
        /// Nothing can be taken for a while: the batch is full.
        case paused
        /// The batch has room again.
        case resumed
    }

    /// What is to be done, in this order.
    enum Action: Equatable {
        /// Drop what was gathered and not written, and fetch nothing.
        case forget
        /// Ask the database where to go on.
        case locate([Int32])
        /// Gather for these positions; a partition's slot is its place here.
        case start([Position])
        /// Fetch these partitions from these offsets and no others.
        case fetch([Int32: Int64])
        /// Have these examined.
        case examine([Int32])
        /// Note offsets without a message.
        case skip(slot: Int, Range<Int64>)
    }

    /// What becomes of a message.
    enum Verdict: Equatable {
        /// It was read before, or cannot be used now.
        case drop
        /// It is the next one; the offsets before it have none.
        case gather(slot: Int, hole: Range<Int64>?)
        /// It says that the log is not as it was.
        case act([Action])
    }

    /// Where a partition is.
    enum Phase: Equatable {
        /// It is not known where to go on.
        case unlocated
        /// It is read from a message that is known, to see whether that is still the same.
        case confirming(attempts: Int)
        /// Its messages are taken.
        case reading
        /// Another thread finds out what became of its log.
        case examining
    }

    private struct Part {
        var phase: Phase
        var slot = -1
        var position: Position
        /// The message that has to come first; nil when that is known of the last one.
        var next: Landmark?
        /// Where its last message came from when it was looked at.
        var origin: Origin?
        /// Whether anything was heard of it since it was located.
        var isSeen = false

        /// The message by which the log is recognized.
        var landmark: Landmark? { next ?? position.last }

        var start: Int64 {
            guard phase != .reading, let landmark else { return position.offset }
            return min(landmark.offset, position.offset)
        }
    }

    private var parts: [Part] = []
    /// For each partition's number its place in `parts`; -1 when it is not assigned.
    private var places: [Int] = []
    /// Where examined partitions go on.
    private var trusted: [Int32: Continuation] = [:]
    private(set) var isPaused = false

    /// The numbers of all partitions.
    var partitions: [Int32] { parts.map(\.position.partition) }
    /// Whether it has none.
    var isEmpty: Bool { parts.isEmpty }
    /// The next offsets of those that are located.
    var positions: [Position] { parts.filter { $0.slot >= 0 }.map(\.position) }
    /// Those that are being examined.
    var examined: [Int32] { parts.filter { $0.phase == .examining }.map(\.position.partition) }
    /// Whether every partition is being read or was read to its end.
    var isComplete: Bool { !parts.isEmpty && parts.allSatisfy { $0.phase == .reading && $0.isSeen } }

    /// Whether anything was heard of any partition.
    var isHeardOf: Bool { parts.contains { $0.isSeen } }

    /// Where a partition is; nil when it is not assigned.
    func phase(of partition: Int32) -> Phase? { place(of: partition).map { parts[$0].phase } }

    /// The partitions of which more was read than is stored.
    ///
    /// - Parameter committed: one past the last stored offset, by partition.
    func unstored(_ committed: [Int32: Int64]) -> [Int32] {
        positions.filter { $0.offset > committed[$0.partition] ?? .max }.map(\.partition)
    }

    /// A partition whose last message came from elsewhere than it would come from now.
    func doubtful(_ origin: (Int32) -> Origin?) -> Int32? {
        parts.first { part in
            guard part.phase == .reading, let old = part.origin,
                let new = origin(part.position.partition)
            else { return false }
            return new.differs(from: old)
        }?.position.partition
    }

    // MARK: - Messages

    /// Judges a message; allocates nothing as long as all is well.
    mutating func judge(
        _ partition: Int32, offset: Int64, fingerprint: Int64, _ origin: Origin
    ) -> Verdict {
        guard !isPaused, let place = place(of: partition) else { return .drop }
        switch parts[place].phase {
        case .unlocated, .examining: return .drop
        case .confirming(let attempts):
            guard let landmark = parts[place].landmark, offset >= parts[place].start else { return .drop }
            parts[place].isSeen = true
            let found = Landmark(offset: offset, fingerprint: fingerprint)
            if landmark == found {
                parts[place].phase = .reading
                parts[place].origin = origin.sure
                parts[place].next = nil
                return offset < parts[place].position.offset ? .drop : gather(found, in: place)
            }
            // Once more, in case that it was fetched before.
            if offset > landmark.offset, attempts == 0 { return .act(refetch(place)) }
            return .act(examine(place))
        case .reading:
            let position = parts[place].position
            guard offset >= position.offset else { return .drop }
            if isDoubtful(place, origin) { return .act(confirm()) }
            // Nothing says that it is of the log that was examined.
            if position.last == nil, position.offset > 0 { return .act(examine(place)) }
            if parts[place].origin == nil { parts[place].origin = origin.sure }
            parts[place].isSeen = true
            return gather(Landmark(offset: offset, fingerprint: fingerprint), in: place)
        }
    }

    private mutating func gather(_ message: Landmark, in place: Int) -> Verdict {
        let next = parts[place].position.offset
        parts[place].position.offset = message.offset + 1
        parts[place].position.last = message
        return .gather(slot: parts[place].slot, hole: message.offset > next ? next..<message.offset : nil)
    }

    /// Whether the last message has to be looked at first: what is new came over another connection, or the topic
    /// may be another one.
    private func isDoubtful(_ place: Int, _ origin: Origin) -> Bool {
        guard let old = parts[place].origin, parts[place].position.last != nil else { return false }
        return origin.differs(from: old)
    }

    // MARK: - Events

    /// Takes an event in.
    mutating func handle(_ event: Occurrence) -> [Action] {
        switch event {
        case .given(let partitions):
            parts = []
            trusted = [:]
            return relocate(partitions)
        case .taken:
            self = Assignment()
            return [.forget]
        case .located(let positions): return locate(positions)
        case .end(let partition, let offset, let origin): return end(partition, offset: offset, origin)
        case .outOfRange(let partition): return place(of: partition).map { examine($0) } ?? []
        case .failed(let partition):
            // Whatever comes next is looked at first.
            if let place = place(of: partition) { parts[place].origin = Origin(broker: -1, count: -1) }
            return []
        case .doubted(let partition):
            guard let place = place(of: partition), parts[place].phase == .reading else { return [] }
            return confirm()
        case .examined(let found):
            var isKnown = false
            for (partition, continuation) in found {
                guard let place = place(of: partition), parts[place].phase == .examining else { continue }
                parts[place].phase = .unlocated
                trusted[partition] = continuation
                isKnown = true
            }
            return isKnown ? relocate(partitions) : []
        case .refused(let lost): return relocate(partitions.filter { !lost.contains($0) })
        case .reclaimed(let lost): return relocate(partitions + lost.filter { place(of: $0) == nil })
        case .paused:
            isPaused = true
            return [.fetch([:])]
        case .resumed:
            isPaused = false
            return parts.isEmpty ? [] : confirm()
        }
    }

    /// Has the database asked for these, except for those that are being examined.
    private mutating func relocate(_ partitions: [Int32]) -> [Action] {
        let old = parts
        parts = partitions.sorted().map { number in
            let isExamined = old.contains { $0.position.partition == number && $0.phase == .examining }
            return Part(
                phase: isExamined ? .examining : .unlocated,
                position: Position(sourceID: -1, partition: number, offset: -1))
        }
        places = [Int](repeating: -1, count: Int(partitions.max() ?? -1) + 1)
        for place in parts.indices { places[Int(parts[place].position.partition)] = place }
        let unlocated = parts.filter { $0.phase == .unlocated }.map(\.position.partition)
        return unlocated.isEmpty ? [.forget] : [.forget, .locate(unlocated)]
    }

    private mutating func locate(_ positions: [Position]) -> [Action] {
        for (slot, position) in positions.enumerated() {
            guard let place = place(of: position.partition), parts[place].phase == .unlocated else { continue }
            parts[place].slot = slot
            parts[place].position = position
            let examined = trusted[position.partition].flatMap { $0.offset == position.offset ? $0 : nil }
            // The last stored message may no longer be in the log, as after compaction.
            if let examined {
                parts[place].position.last = examined.last
                parts[place].next = examined.next
            }
            if parts[place].landmark != nil {
                parts[place].phase = .confirming(attempts: 0)
            } else if examined != nil || position.offset == 0 {
                // Before the first offset no log can have had anything.
                parts[place].phase = .reading
            }
        }
        trusted = [:]
        // What the database does not know, or not well enough.
        var unknown: [Int32] = []
        for place in parts.indices where parts[place].phase == .unlocated {
            parts[place].phase = .examining
            unknown.append(parts[place].position.partition)
        }
        return [.start(positions), fetch()] + (unknown.isEmpty ? [] : [.examine(unknown)])
    }

    private mutating func end(_ partition: Int32, offset: Int64, _ origin: Origin) -> [Action] {
        guard !isPaused, let place = place(of: partition) else { return [] }
        switch parts[place].phase {
        case .unlocated, .examining: return []
        case .confirming(let attempts): return attempts == 0 ? refetch(place) : examine(place)
        case .reading:
            if isDoubtful(place, origin) { return confirm() }
            let next = parts[place].position.offset
            guard offset >= next else { return examine(place) }
            parts[place].isSeen = true
            if parts[place].origin == nil { parts[place].origin = origin.sure }
            guard offset > next else { return [] }
            parts[place].position.offset = offset
            return [.skip(slot: parts[place].slot, next..<offset)]
        }
    }

    /// Reads every partition from its last known message again.
    private mutating func confirm() -> [Action] {
        for place in parts.indices where parts[place].slot >= 0 {
            guard parts[place].phase == .reading else { continue }
            if parts[place].position.last != nil { parts[place].phase = .confirming(attempts: 0) }
            parts[place].origin = nil
        }
        return [fetch()]
    }

    private mutating func refetch(_ place: Int) -> [Action] {
        parts[place].phase = .confirming(attempts: 1)
        return confirm()
    }

    private mutating func examine(_ place: Int) -> [Action] {
        guard parts[place].phase != .examining, parts[place].phase != .unlocated else { return [] }
        parts[place].phase = .examining
        // The others are fetched again: what of them was fetched is dropped.
        return confirm() + [.examine([parts[place].position.partition])]
    }

    private func fetch() -> Action {
        var offsets: [Int32: Int64] = [:]
        for part in parts {
            switch part.phase {
            case .reading, .confirming: offsets[part.position.partition] = part.start
            case .unlocated, .examining: break
            }
        }
        return .fetch(offsets)
    }

    private func place(of partition: Int32) -> Int? {
        guard partition >= 0, Int(partition) < places.count else { return nil }
        let place = places[Int(partition)]
        return place >= 0 ? place : nil
    }
}
