import Testing

@testable import Consumer

/// What the intake does at each event, as tables: no Kafka and no database.
@Suite("Assignment") struct AssignmentTests {
    private typealias Origin = Assignment.Origin
    private let first = Assignment.Origin(broker: 1, count: 1)

    /// A partition whose last stored message is at offset 9.
    private static func stored(_ partition: Int32) -> Position {
        Position(
            sourceID: 7 + partition, partition: partition, offset: 10, first: 0,
            last: Landmark(offset: 9, fingerprint: 99))
    }

    private static func empty(_ partition: Int32) -> Position {
        Position(sourceID: 7 + partition, partition: partition, offset: 0)
    }

    /// Partitions 0 and 1, both read from their tenth message on.
    private func reading() -> Assignment {
        var assignment = Assignment()
        _ = assignment.handle(.given([0, 1]))
        _ = assignment.handle(.located([Self.stored(0), Self.stored(1)]))
        for partition in [Int32(0), 1] {
            #expect(assignment.judge(partition, offset: 9, fingerprint: 99, first) == .drop)
        }
        #expect(assignment.isComplete)
        return assignment
    }

    @Test("nothing is fetched before the database has said where, and then from the last stored message")
    func start() {
        var assignment = Assignment()
        #expect(assignment.isEmpty && !assignment.isComplete)
        #expect(assignment.handle(.given([1, 0])) == [.forget, .locate([0, 1])])
        #expect(assignment.judge(0, offset: 10, fingerprint: 0, first) == .drop)
        #expect(assignment.handle(.end(0, offset: 10, first)) == [])
        let positions = [Self.stored(0), Self.empty(1)]
        #expect(assignment.handle(.located(positions)) == [.start(positions), .fetch([0: 9, 1: 0])])
        #expect(assignment.phase(of: 0) == .confirming(attempts: 0) && assignment.phase(of: 1) == .reading)
        #expect(!assignment.isComplete && !assignment.isHeardOf)
        #expect(assignment.judge(0, offset: 8, fingerprint: 0, first) == .drop, "before it")
        #expect(assignment.judge(0, offset: 9, fingerprint: 99, first) == .drop, "stored")
        #expect(assignment.judge(0, offset: 10, fingerprint: 1, first) == .gather(slot: 0, hole: nil))
        #expect(assignment.judge(0, offset: 10, fingerprint: 1, first) == .drop, "gathered")
        #expect(!assignment.isComplete && assignment.isHeardOf, "nothing was heard of the other one")
        #expect(assignment.handle(.end(1, offset: 0, first)) == [])
        #expect(assignment.isComplete)
        #expect(assignment.positions.map(\.offset) == [11, 0])
        #expect(assignment.judge(2, offset: 0, fingerprint: 0, first) == .drop, "not assigned")
        #expect(assignment.judge(-1, offset: 0, fingerprint: 0, first) == .drop)
    }

    @Test("offsets without a message are passed over, before a message and at the end")
    func holes() {
        var assignment = reading()
        #expect(assignment.judge(1, offset: 15, fingerprint: 1, first) == .gather(slot: 1, hole: 10..<15))
        #expect(assignment.handle(.end(1, offset: 18, first)) == [.skip(slot: 1, 16..<18)])
        #expect(assignment.handle(.end(1, offset: 18, first)) == [])
        #expect(assignment.judge(1, offset: 18, fingerprint: 2, first) == .gather(slot: 1, hole: nil))
        #expect(assignment.unstored([0: 10, 1: 18]) == [1] && assignment.unstored([0: 10, 1: 19]) == [])
        #expect(assignment.unstored([:]) == [], "nobody knows")
    }

    @Test("another message in the place of the last one: the partition alone is examined")
    func another() {
        var assignment = Assignment()
        _ = assignment.handle(.given([0, 1]))
        _ = assignment.handle(.located([Self.stored(0), Self.stored(1)]))
        #expect(assignment.judge(0, offset: 9, fingerprint: 99, first) == .drop)
        #expect(assignment.judge(1, offset: 9, fingerprint: 98, first) == .act([.fetch([0: 9]), .examine([1])]))
        #expect(assignment.examined == [1] && assignment.judge(1, offset: 9, fingerprint: 99, first) == .drop)
        #expect(assignment.handle(.outOfRange(1)) == [], "it is examined already")
        let found = Continuation(offset: 4, last: nil, next: nil)
        #expect(assignment.handle(.examined([0: found, 5: found])) == [], "nobody asked for these")
        #expect(assignment.handle(.examined([1: found])) == [.forget, .locate([0, 1])])
        var next = Self.stored(1)
        next.offset = 4
        #expect(
            assignment.handle(.located([Self.stored(0), next])) == [
                .start([Self.stored(0), next]), .fetch([0: 9, 1: 4]),
            ])
        #expect(assignment.phase(of: 1) == .reading, "there is nothing to be looked at")
    }

    @Test("after an examination the last message that was found is looked at: the log may have changed since")
    func examined() {
        func examined(_ found: Continuation, at position: Position) -> Assignment {
            var assignment = Assignment()
            _ = assignment.handle(.given([0]))
            _ = assignment.handle(.located([]))
            #expect(assignment.handle(.examined([0: found])) == [.forget, .locate([0])])
            _ = assignment.handle(.located([position]))
            return assignment
        }
        // Compaction has removed the last one.
        let found = Continuation(offset: 10, last: Landmark(offset: 6, fingerprint: 66), next: nil)
        var assignment = examined(found, at: Self.stored(0))
        #expect(assignment.phase(of: 0) == .confirming(attempts: 0))
        #expect(assignment.judge(0, offset: 6, fingerprint: 66, first) == .drop)
        #expect(assignment.judge(0, offset: 10, fingerprint: 1, first) == .gather(slot: 0, hole: nil))
        assignment = examined(found, at: Self.stored(0))
        #expect(assignment.judge(0, offset: 6, fingerprint: 67, first) == .act([.fetch([:]), .examine([0])]))
        // Another consumer has moved it on meanwhile.
        assignment = examined(Continuation(offset: 4, last: nil, next: nil), at: Self.stored(0))
        #expect(assignment.handle(.located([Self.stored(0)])) == [.start([Self.stored(0)]), .fetch([0: 9])])
        #expect(assignment.phase(of: 0) == .confirming(attempts: 0))
    }

    @Test("where no stored message is left in the log, the first one has to be the one that was seen in it")
    func next() {
        func examined(seeing next: Landmark?) -> Assignment {
            var assignment = Assignment()
            _ = assignment.handle(.given([0]))
            _ = assignment.handle(.located([]))
            _ = assignment.handle(.examined([0: Continuation(offset: 10, last: nil, next: next)]))
            #expect(assignment.handle(.located([Self.stored(0)])) == [.start([Self.stored(0)]), .fetch([0: 10])])
            return assignment
        }
        let seen = Landmark(offset: 12, fingerprint: 66)
        var assignment = examined(seeing: seen)
        #expect(assignment.phase(of: 0) == .confirming(attempts: 0) && !assignment.isComplete)
        #expect(assignment.handle(.doubted(0)) == [], "it is being looked at")
        #expect(assignment.judge(0, offset: 9, fingerprint: 99, first) == .drop, "before it")
        #expect(assignment.judge(0, offset: 12, fingerprint: 66, first) == .gather(slot: 0, hole: 10..<12))
        #expect(assignment.isComplete && assignment.positions.map(\.last) == [seen])
        #expect(assignment.judge(0, offset: 13, fingerprint: 1, first) == .gather(slot: 0, hole: nil))
        // Another log, which has another message there or one before.
        for offset in [Int64(12), 11, 10] {
            assignment = examined(seeing: seen)
            #expect(assignment.judge(0, offset: offset, fingerprint: 67, first) == .act([.fetch([:]), .examine([0])]))
        }
        // Kafka has deleted it meanwhile, or the log is shorter.
        assignment = examined(seeing: seen)
        #expect(assignment.judge(0, offset: 13, fingerprint: 1, first) == .act([.fetch([0: 10])]))
        #expect(assignment.judge(0, offset: 13, fingerprint: 1, first) == .act([.fetch([:]), .examine([0])]))
        assignment = examined(seeing: seen)
        #expect(assignment.handle(.end(0, offset: 10, first)) == [.fetch([0: 10])])
        #expect(assignment.handle(.end(0, offset: 10, first)) == [.fetch([:]), .examine([0])])
        // Nothing was seen: whatever comes first may be of another log.
        assignment = examined(seeing: nil)
        #expect(assignment.handle(.end(0, offset: 10, first)) == [] && assignment.isComplete)
        #expect(assignment.judge(0, offset: 10, fingerprint: 1, first) == .act([.fetch([:]), .examine([0])]))
    }

    @Test("no last message, or an end before it, is asked for once more and then examined")
    func missing() {
        for isEnd in [true, false] {
            var assignment = Assignment()
            _ = assignment.handle(.given([0]))
            _ = assignment.handle(.located([Self.stored(0)]))
            func find(_ assignment: inout Assignment) -> [Assignment.Action] {
                if isEnd { return assignment.handle(.end(0, offset: 5, first)) }
                guard case .act(let actions) = assignment.judge(0, offset: 12, fingerprint: 5, first) else { return [] }
                return actions
            }
            #expect(find(&assignment) == [.fetch([0: 9])])
            #expect(find(&assignment) == [.fetch([:]), .examine([0])])
        }
        var assignment = reading()
        #expect(assignment.handle(.end(0, offset: 9, first)) == [.fetch([1: 9]), .examine([0])])
        #expect(assignment.handle(.outOfRange(1)) == [.fetch([:]), .examine([1])])
        #expect(assignment.handle(.outOfRange(4)) == [])
    }

    @Test("what the database does not know, or not well enough, is examined")
    func unknown() {
        var assignment = Assignment()
        _ = assignment.handle(.given([0, 1, 2]))
        var old = Self.stored(1)
        old.last = nil
        let actions = assignment.handle(.located([Self.stored(0), old]))
        #expect(actions == [.start([Self.stored(0), old]), .fetch([0: 9]), .examine([1, 2])])
        let found = Continuation(offset: 10, last: nil, next: nil)
        #expect(assignment.handle(.examined([1: found])) == [.forget, .locate([0, 1])])
        let again = assignment.handle(.located([Self.stored(0), old]))
        #expect(again == [.start([Self.stored(0), old]), .fetch([0: 9, 1: 10])], "a look was enough")
        #expect(assignment.examined == [2])
    }

    @Test("after a new connection, another leader or an error the last message is looked at before anything is taken")
    func connections() {
        for origin in [Origin(broker: 1, count: 2), Origin(broker: 2, count: 1)] {
            var assignment = reading()
            #expect(assignment.judge(0, offset: 10, fingerprint: 5, first) == .gather(slot: 0, hole: nil))
            #expect(assignment.judge(0, offset: 11, fingerprint: 6, origin) == .act([.fetch([0: 10, 1: 9])]))
            #expect(assignment.judge(0, offset: 10, fingerprint: 5, origin) == .drop)
            #expect(assignment.judge(0, offset: 11, fingerprint: 6, origin) == .gather(slot: 0, hole: nil))
            #expect(assignment.handle(.end(1, offset: 10, origin)) == [.fetch([0: 11, 1: 9])], "not read again yet")
        }
        var assignment = reading()
        #expect(assignment.handle(.failed(0)) == [] && assignment.handle(.failed(7)) == [])
        #expect(assignment.judge(0, offset: 10, fingerprint: 5, first) == .act([.fetch([0: 9, 1: 9])]))
        #expect(assignment.handle(.doubted(0)) == [], "it is looked at already")
        assignment = reading()
        #expect(assignment.handle(.doubted(1)) == [.fetch([0: 9, 1: 9])])
        assignment = reading()
        #expect(assignment.doubtful { _ in first } == nil && assignment.doubtful { _ in nil } == nil)
        #expect(assignment.doubtful { partition in Origin(broker: partition + 1, count: 1) } == 1)
    }

    @Test("a last message that may have waited since before a new connection proves nothing of what comes after it")
    func waiting() {
        var assignment = reading()
        let late = Origin(broker: 1, count: 2, asked: 1)
        #expect(assignment.judge(0, offset: 10, fingerprint: 5, late) == .act([.fetch([0: 9, 1: 9])]))
        #expect(assignment.judge(0, offset: 9, fingerprint: 99, late) == .drop)
        #expect(assignment.judge(0, offset: 10, fingerprint: 5, late) == .act([.fetch([0: 9, 1: 9])]))
        let sure = Origin(broker: 1, count: 2)
        #expect(assignment.judge(0, offset: 9, fingerprint: 99, sure) == .drop)
        #expect(assignment.judge(0, offset: 10, fingerprint: 5, sure) == .gather(slot: 0, hole: nil))
        var new = Assignment()
        _ = new.handle(.given([0]))
        _ = new.handle(.located([Self.empty(0)]))
        #expect(new.judge(0, offset: 0, fingerprint: 5, late) == .gather(slot: 0, hole: nil))
        #expect(new.judge(0, offset: 1, fingerprint: 6, late) == .act([.fetch([0: 0])]))
    }

    @Test("nothing is taken while the batch is full, and what was fetched is fetched again")
    func pauses() {
        var assignment = reading()
        #expect(assignment.judge(0, offset: 10, fingerprint: 5, first) == .gather(slot: 0, hole: nil))
        #expect(assignment.handle(.paused) == [.fetch([:])] && assignment.isPaused)
        #expect(assignment.judge(0, offset: 11, fingerprint: 5, first) == .drop)
        #expect(assignment.handle(.end(0, offset: 12, first)) == [])
        #expect(assignment.handle(.resumed) == [.fetch([0: 10, 1: 9])])
        _ = assignment.handle(.paused)
        #expect(assignment.handle(.taken) == [.forget])
        #expect(assignment.isEmpty && !assignment.isPaused && assignment.handle(.resumed) == [])
    }

    @Test("a refused batch is read again, without what another consumer owns, until that is taken up again")
    func refusals() {
        var assignment = reading()
        #expect(assignment.handle(.refused(lost: [1])) == [.forget, .locate([0])])
        #expect(assignment.partitions == [0])
        #expect(assignment.handle(.reclaimed([1])) == [.forget, .locate([0, 1])])
        assignment = reading()
        _ = assignment.handle(.outOfRange(1))
        #expect(assignment.handle(.refused(lost: [])) == [.forget, .locate([0])], "the other one is examined")
        #expect(assignment.handle(.refused(lost: [0])) == [.forget])
        #expect(assignment.examined == [1])
    }
}
