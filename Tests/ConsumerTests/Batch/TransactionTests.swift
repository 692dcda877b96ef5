import HeartRate
import Testing

@testable import Consumer

/// Which batches are written in one transaction, and what it changes.
@Suite("Several batches in one transaction") struct TransactionTests {
    /// A batch of so many customers with a reading each, from an offset on.
    private static func fill(
        _ batch: inout Batch, customers: Int = 1500, offset: Int64 = 0, slot: Int = 0, day: Int32? = nil
    ) throws {
        for number in 0..<customers {
            let reading = Reading(
                customerID: try CustomerID("customer \(number)"),
                recordedAt: Instant(microsecondsSince1970: offset * 1_000_000), heartRate: 70)
            batch.append(
                try #require(reading), anomaly: nil, day: day, slot: slot, offset: offset + Int64(number))
        }
        batch.isFull = true
    }

    private static func started() -> Batch {
        var batch = Batch()
        batch.start(at: [
            Position(sourceID: 1, partition: 0, offset: 0), Position(sourceID: 2, partition: 1, offset: 0),
        ])
        return batch
    }

    @Test("more is worth waiting for until each of very many customers has some readings")
    func worth() throws {
        var transaction = Transaction()
        var batch = Self.started()
        for round in 0..<32 {
            try Self.fill(&batch, offset: Int64(round) * 1500)
            transaction.add(batch)
            let isWorthMore = transaction.isWorthMore(after: batch)
            #expect(isWorthMore == (round < 31), "round \(round)")
            batch.removeAll()
        }
        #expect(transaction.readings == 48_000 && transaction.customers.changes.count == 1500)
        #expect(transaction.moved.map(\.expected) == [0] && transaction.moved.map(\.next) == [48_000])
        #expect(transaction.moved.map(\.readings) == [48_000])
    }

    @Test("nobody waits behind a batch that was not full, or of few customers, or whose silence is to be judged")
    func notWorth() throws {
        for (customers, isFull, isSilent) in [(1500, false, false), (900, true, false), (1500, true, true)] {
            var transaction = Transaction()
            var batch = Self.started()
            try Self.fill(&batch, customers: customers)
            batch.isFull = isFull
            if isSilent { batch.judgeSilence(at: SilenceMoment(at: 1), next: [:]) }
            transaction.add(batch)
            let isWorthMore = transaction.isWorthMore(after: batch)
            #expect(!isWorthMore, "\(customers) \(isFull) \(isSilent)")
        }
    }

    @Test("what is old when it is read may wait as long again; what has just come, or has no time, may not")
    func longest() {
        func longest(_ ages: Int64?...) -> Duration {
            let moved = ages.map { age in
                let timestamp = age.map { 100_000 - $0 } ?? -1
                return Batch.Progress(sourceID: 1, partition: 0, expected: 0, next: 1, timestamp: timestamp)
            }
            return Transaction.longest(for: moved, at: 100_000)
        }
        #expect(longest(0) == .seconds(5))
        #expect(longest(12_000) == .seconds(12))
        #expect(longest(99_000) == .seconds(30))
        #expect(longest(99_000, 12_000) == .seconds(12), "the youngest one counts")
        #expect(longest(99_000, nil) == .seconds(5), "of one partition nothing is known")
        #expect(longest(-60_000) == .seconds(5), "from the future")
        #expect(longest(100_000 - .max) == .seconds(5) && longest(101_000) == .seconds(5), "no times at all")
        #expect(longest() == .seconds(5))
    }

    @Test("a batch behind is taken when it goes on where the transaction ends, and needs nothing before it")
    func takes() throws {
        var transaction = Transaction()
        var batch = Self.started()
        try Self.fill(&batch, customers: 10, day: 5)
        transaction.add(batch)
        func expect(_ expected: Bool, because comment: Comment, _ change: (inout Batch) throws -> Void) throws {
            var next = Self.started()
            try change(&next)
            let takes = Transaction.takes(next, after: transaction.progress, days: [5])
            #expect(takes == expected, comment)
        }
        try expect(true, because: "it goes on") { try Self.fill(&$0, offset: 10, day: 5) }
        try expect(true, because: "of another partition") { try Self.fill(&$0, offset: 77, slot: 1, day: 5) }
        try expect(false, because: "not where it ends") { try Self.fill(&$0, offset: 11, day: 5) }
        try expect(false, because: "a day without a partition") { try Self.fill(&$0, offset: 10, day: 6) }
        try expect(false, because: "something that may be stored already") {
            try Self.fill(&$0, offset: 10, day: 5)
            $0.storeOnce(slot: 0, offset: 10)
        }
    }
}
