import HeartRate
import Testing

@testable import Consumer

/// What intake and writer hand to each other, without a thread: nothing waits longer than it is given.
@Suite("Batches between intake and writer") struct BatchExchangeTests {
    private let exchange = BatchExchange(mostRows: 10)

    init() {
        let positions = [
            Position(sourceID: 7, partition: 0, offset: 100), Position(sourceID: 8, partition: 3, offset: 0),
        ]
        exchange.gather { $0.start(at: positions) }
    }

    @discardableResult
    private func gather(_ slot: Int, _ offset: Int64, id: String = "a", bpm: Int16 = 72) -> BatchExchange.Room {
        exchange.gather { batch in
            guard let customer = try? CustomerID(id),
                let reading = Reading(
                    customerID: customer, recordedAt: Instant(microsecondsSince1970: 0), heartRate: bpm)
            else { return }
            batch.append(reading, anomaly: AnomalyRule().judge(bpm), day: nil, slot: slot, offset: offset)
        }
    }

    /// The writer's side, with its own batch.
    private final class Writer {
        let exchange: BatchExchange
        var batch = Batch()
        var epoch = 0

        init(_ exchange: BatchExchange) { self.exchange = exchange }

        func next() -> Job? {
            let next = exchange.next(into: &batch, milliseconds: 0)
            epoch = next?.epoch ?? epoch
            return next?.job
        }

        /// Whether there was something to write; it is in `batch` then.
        func take() -> Bool { if case .write? = next() { true } else { false } }

        func finishWritten() {
            exchange.finish(.written(batch.moved), epoch: epoch)
            batch.removeAll()
        }
    }

    /// The replies, in short.
    private func replies() -> [String] {
        exchange.replies().map { reply in
            switch reply {
            case .positions(let positions): "positions \(positions.map(\.partition))"
            case .stored(let stored): "stored \(stored)"
            case .written(let moved): "written \(moved.map { "\($0.partition): \($0.expected)..<\($0.next)" })"
            case .refused(.fenced(let partitions)): "fenced \(partitions)"
            case .refused(.data(let messages, let last, let cause)): "data \(messages) \(last) \(cause)"
            case .refused(.behind(let partitions)): "behind \(partitions)"
            case .refused(.unfinished): "unfinished"
            case .refused(.repeated(let places)): "repeated \(places.map(\.offset))"
            case .silenceDue: "silence"
            }
        }
    }

    @Test("the writer takes what has gathered, however little, and the batch says how far it goes")
    func taking() {
        let writer = Writer(exchange)
        #expect(!writer.take(), "nothing has gathered")
        gather(0, 100)
        gather(0, 101, bpm: 200)
        gather(1, 0)
        #expect(writer.take())
        #expect(writer.batch.count == 3)
        #expect(writer.batch.progress.map(\.sourceID) == [7, 8])
        #expect(writer.batch.progress.map(\.expected) == [100, 0])
        #expect(writer.batch.progress.map(\.next) == [102, 1])
        #expect(writer.batch.progress.map(\.readings) == [2, 1] && writer.batch.progress.map(\.anomalies) == [1, 0])
        #expect(!writer.take(), "it was taken")
    }

    @Test("the next batch gathers while one is written, for the same positions")
    func bothAtOnce() {
        let writer = Writer(exchange)
        gather(0, 100)
        #expect(writer.take())
        gather(0, 101)
        #expect(!exchange.waitUntilWritten(milliseconds: 0))
        writer.finishWritten()
        #expect(replies() == [#"written ["0: 100..<101"]"#])
        #expect(!exchange.waitUntilWritten(milliseconds: 0), "one has gathered")
        #expect(writer.take())
        #expect(writer.batch.progress.map(\.expected) == [101, -1] && writer.batch.progress.map(\.next) == [102, -1])
        writer.finishWritten()
        #expect(replies() == [#"written ["0: 101..<102"]"#] && replies() == [], "said once")
        #expect(exchange.waitUntilWritten(milliseconds: 0))
    }

    @Test("a batch is full when it has its rows, and until the writer has taken it")
    func full() {
        for offset in 100..<109 { #expect(gather(0, Int64(offset)) == .free) }
        #expect(gather(0, 109) == .full)
        #expect(exchange.waitForRoom(milliseconds: 0) == .full)
        let writer = Writer(exchange)
        #expect(writer.take())
        #expect(writer.batch.order.count == 10, "it is arranged before it is taken")
        #expect(exchange.waitForRoom(milliseconds: 0) == .free)
    }

    @Test("the batch behind is taken into the same transaction when it is full and wanted, and not otherwise")
    func nextFull() {
        let writer = Writer(exchange)
        func next(_ isWanted: Bool = true, epoch: Int? = nil) -> Bool {
            exchange.nextFull(into: &writer.batch, epoch: epoch ?? writer.epoch, milliseconds: 0) { _ in isWanted }
        }
        for offset in 100..<110 { gather(0, Int64(offset)) }
        #expect(writer.take() && writer.batch.isFull)
        for offset in 110..<119 { gather(0, Int64(offset)) }
        #expect(!next(), "it is not full")
        gather(0, 119)
        #expect(!next(false))
        #expect(!next(epoch: 7), "of another epoch")
        exchange.send(.detect(nil))
        #expect(!next(), "somebody waits for another job")
        if case .detect? = writer.next() {} else { Issue.record("the job is there") }
        #expect(next() && writer.batch.isFull)
        #expect(writer.batch.progress.map(\.expected) == [110, -1] && writer.batch.progress.map(\.next) == [120, -1])
        gather(0, 120)
        #expect(!exchange.waitUntilWritten(milliseconds: 0))
        writer.finishWritten()
        #expect(writer.take() && !writer.batch.isFull && writer.batch.count == 1)
        exchange.abandon()
        #expect(!next())
    }

    @Test("a batch is full when its bytes are many, although its rows are few")
    func fullOfBytes() {
        let exchange = BatchExchange(mostRows: 1_000_000)
        exchange.gather { $0.start(at: [Position(sourceID: 1, partition: 0, offset: 0)]) }
        let id = String(repeating: "🫀", count: 50)
        var rows = 0
        var room = BatchExchange.Room.free
        while room == .free, rows < 100_000 {
            room = exchange.gather { batch in
                guard let customer = try? CustomerID(id),
                    let reading = Reading(
                        customerID: customer, recordedAt: Instant(microsecondsSince1970: 0), heartRate: 72)
                else { return }
                batch.append(reading, anomaly: nil, day: nil, slot: 0, offset: Int64(rows))
            }
            rows += 1
        }
        #expect(room == .full)
        // 8 MiB of rows of some 270 bytes.
        #expect((25_000..<40_000).contains(rows))
    }

    @Test("after a refusal nothing gathers and nothing is written until what gathered was abandoned")
    func refusal() {
        let writer = Writer(exchange)
        gather(0, 100)
        #expect(writer.take())
        gather(0, 101)
        exchange.finish(.refused(.fenced(partitions: [0])), epoch: writer.epoch)
        #expect(gather(0, 102) == .refused)
        #expect(exchange.waitForRoom(milliseconds: 0) == .refused)
        #expect(!exchange.waitUntilWritten(milliseconds: 0))
        #expect(!writer.take())
        #expect(replies() == ["fenced [0]"])
        #expect(gather(0, 102) == .refused, "the intake knows, but has not given up yet")
        exchange.abandon()
        #expect(exchange.waitUntilWritten(milliseconds: 0))
        exchange.gather { $0.start(at: [Position(sourceID: 7, partition: 0, offset: 100)]) }
        #expect(gather(0, 100) == .free && writer.take() && writer.batch.count == 1)
    }

    @Test("what was taken before an assignment was abandoned counts for nothing afterwards")
    func epochs() {
        let writer = Writer(exchange)
        exchange.send(.locate(.init(clusterID: "c", topic: "t", partitions: [0])))
        exchange.send(.detect(nil))
        gather(0, 100)
        exchange.answer(.silenceDue, epoch: 0)
        #expect(exchange.isCurrent(0))
        exchange.abandon()
        #expect(!exchange.isCurrent(0) && exchange.isCurrent(1))
        #expect(!exchange.sleep(milliseconds: 1000, while: 0), "nobody sleeps for a job that is not wanted")
        #expect(replies() == [], "an older assignment's")
        guard case .detect(nil)? = writer.next() else {
            Issue.record("rules are for every assignment")
            return
        }
        #expect(writer.epoch == 1 && writer.next() == nil, "nobody wants to know the positions, and nothing gathered")
        // The late news of the old assignment.
        exchange.answer(.positions([Position(sourceID: 1, partition: 1, offset: 5)]), epoch: 0)
        exchange.answer(.silenceDue, epoch: 0)
        exchange.finish(.refused(.fenced(partitions: [0])), epoch: 0)
        exchange.finish(.written([]), epoch: 0)
        #expect(replies() == [] && exchange.gather { _ in } == .free)
    }

    @Test("a batch that nobody wants any more ends without a word")
    func dropped() {
        let writer = Writer(exchange)
        gather(0, 100)
        #expect(writer.take())
        exchange.abandon()
        #expect(!exchange.waitUntilWritten(milliseconds: 0), "it may still be written")
        exchange.finish(nil, epoch: writer.epoch)
        #expect(exchange.waitUntilWritten(milliseconds: 0) && replies() == [])
    }

    @Test("batches can be made smaller and larger")
    func limits() {
        for rows in [1, 2, 10] {
            exchange.limit(to: rows)
            for row in 1...rows { #expect((gather(0, Int64(row)) == .full) == (row == rows)) }
            let writer = Writer(exchange)
            #expect(writer.take() && writer.batch.count == rows)
            writer.finishWritten()
        }
    }

    @Test("jobs are done in their order and before a batch, and stopping comes before everything")
    func order() {
        let writer = Writer(exchange)
        gather(0, 100)
        exchange.send(.readStored(.init(clusterID: "c", topic: "t")))
        exchange.send(.locate(.init(clusterID: "c", topic: "t", partitions: [0])))
        guard case .readStored(let stored)? = writer.next(), case .locate(let request)? = writer.next() else {
            Issue.record("the questions were not asked")
            return
        }
        #expect(request.partitions == [0] && stored.topic == "t")
        exchange.answer(.stored([0: 7]), epoch: writer.epoch)
        exchange.answer(.positions([Position(sourceID: 7, partition: 0, offset: 7)]), epoch: writer.epoch)
        #expect(replies() == ["stored [0: 7]", "positions [0]"])
        #expect(writer.take() && writer.next() == nil, "each is asked once")
        exchange.send(.detect(nil))
        exchange.stop()
        gather(0, 101)
        guard case .stop? = writer.next() else {
            Issue.record("it was not stopped")
            return
        }
        #expect(!exchange.isCurrent(0))
    }

    @Test("silence is judged in a batch that has everything until then, or in one without messages")
    func silence() {
        let writer = Writer(exchange)
        gather(0, 100)
        exchange.gather { $0.judgeSilence(at: SilenceMoment(at: 1234), next: [0: 101, 3: 0]) }
        #expect(writer.take())
        #expect(writer.batch.silence?.at == 1234 && writer.batch.count == 1)
        // The other partition has to stand where it was; it is not moved.
        #expect(writer.batch.progress.map(\.expected) == [100, 0] && writer.batch.progress.map(\.next) == [101, 0])
        #expect(writer.batch.last.partition == 0 && writer.batch.last.offset == 100)
        writer.finishWritten()
        #expect(writer.batch.silence == nil && !writer.take(), "it is judged once")
        exchange.gather { $0.judgeSilence(at: SilenceMoment(at: 1300), next: [0: 101, 3: 0]) }
        gather(1, 0)
        #expect(writer.take() && writer.batch.count == 1)
        #expect(writer.batch.progress.map(\.expected) == [101, 0] && writer.batch.progress.map(\.next) == [101, 1])
        writer.finishWritten()
        exchange.gather { $0.judgeSilence(at: SilenceMoment(at: 1400), next: [0: 101, 3: 1]) }
        #expect(exchange.waitUntilWritten(milliseconds: 0), "there is nothing to write")
        #expect(writer.take() && writer.batch.isEmpty)
        writer.finishWritten()
        exchange.gather { $0.judgeSilence(at: SilenceMoment(at: 1500), next: [:]) }
        exchange.abandon()
        #expect(!writer.take(), "an older assignment's")
    }

    @Test("a hole alone is something to write")
    func hole() {
        exchange.gather { $0.skip(0, from: 100, to: 150) }
        let writer = Writer(exchange)
        #expect(writer.take())
        #expect(writer.batch.count == 0 && !writer.batch.isEmpty)
        #expect(writer.batch.holes.map(\.offsets) == [100..<150])
        #expect(writer.batch.progress[0].expected == 100 && writer.batch.progress[0].next == 150)
    }

    @Test("readings go to the server in the order of the ids, each customer's in their order")
    func byCustomer() {
        var batch = Batch()
        batch.start(at: [Position(sourceID: 1, partition: 0, offset: 0)])
        for (row, customer) in [5, 2, 5, 9, 2].enumerated() {
            guard let id = try? CustomerID("\(customer)"),
                let reading = Reading(customerID: id, recordedAt: Instant(microsecondsSince1970: 0), heartRate: 72)
            else { continue }
            batch.append(reading, anomaly: nil, day: nil, slot: 0, offset: Int64(row))
        }
        batch.arrange()
        #expect(batch.order == [1, 4, 0, 2, 3])
    }
}
