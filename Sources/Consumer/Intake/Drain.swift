import Kafka

/// With `--drain`: finds out when everything that the topic had at the start is stored, also by the others of the group.
struct Drain {
    private let examinations: Examinations
    /// The next offset of every partition of the topic when the writer was asked last.
    private var stored: [Int32: Int64]?
    private var isAsked = false

    init(_ examinations: Examinations) {
        self.examinations = examinations
        examinations.lookUpEnds()
    }

    /// The writer has answered.
    mutating func take(_ stored: [Int32: Int64]) {
        self.stored = stored
        isAsked = false
    }

    /// The writer's answer may be lost.
    mutating func forget() {
        stored = nil
        isAsked = false
    }

    /// Whether it is over.
    ///
    /// - Parameter committed: one past the last stored offset of the partitions that this consumer has.
    mutating func isOver(
        committed: [Int32: Int64], _ request: StoredRequest?, _ exchange: BatchExchange
    ) -> Bool {
        guard let request, let ends = examinations.ends else { return false }
        let targets = DrainTargets(ends)
        guard targets.areReached(by: committed) else { return false }
        if let stored, targets.isTopicReached(by: stored) { return true }
        if !isAsked { exchange.send(.readStored(request)) }
        isAsked = true
        return false
    }
}

/// How far each partition of the topic reached at the start.
struct DrainTargets {
    private let watermarks: [Int32: Watermarks]

    init(_ watermarks: [Int32: Watermarks]) { self.watermarks = watermarks }

    /// Whether these partitions, those that this consumer has now, are all stored up to their ends.
    func areReached(by committed: [Int32: Int64]) -> Bool {
        committed.allSatisfy { partition, next in next >= watermarks[partition]?.high ?? 0 }
    }

    /// Whether the whole topic is stored up to its end, by whichever consumer of the group.
    ///
    /// - Parameter stored: the next offset of every partition that the database knows.
    func isTopicReached(by stored: [Int32: Int64]) -> Bool {
        watermarks.allSatisfy { partition, found in stored[partition] ?? found.low >= found.high }
    }
}
