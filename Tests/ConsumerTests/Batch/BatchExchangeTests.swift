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
        exchange.answer(positions, epoch: 0)
        _ = exchange.takePositions(waitingMilliseconds: 0)
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

        init(_ exchange: BatchExchange) { self.exchange = exchange }

        func next() -> BatchExchange.Job { exchange.next(into: &batch, milliseconds: 0) }

        /// Whether there was something to write; it is in `batch` then.
        func take() -> Bool { if case .write = next() { true } else { false } }

        func finish(_ refusal: BatchExchange.Refusal? = nil, isWritten: Bool) {
            exchange.finish(batch, refusal, isWritten: isWritten)
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
        #expect(writer.batch.count == 3 && writer.batch.anomalies == 1)
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
        writer.finish(isWritten: true)
        writer.batch.removeAll()
        #expect(exchange.committed == [0: 101, 3: 0])
        #expect(!exchange.waitUntilWritten(milliseconds: 0), "one has gathered")
        #expect(writer.take())
        #expect(writer.batch.progress.map(\.expected) == [101, -1] && writer.batch.progress.map(\.next) == [102, -1])
        writer.finish(isWritten: true)
        #expect(exchange.committed == [0: 102, 3: 0])
        #expect(exchange.waitUntilWritten(milliseconds: 0))
    }

    @Test("a batch is full when it has its rows, and until the writer has taken it")
    func full() {
        for offset in 100..<109 { #expect(gather(0, Int64(offset)) == .free) }
        #expect(gather(0, 109) == .full)
        #expect(exchange.waitForRoom(milliseconds: 0) == .full)
        let writer = Writer(exchange)
        #expect(writer.take())
        #expect(exchange.waitForRoom(milliseconds: 0) == .free)
    }

    @Test("a batch is full when its bytes are many, although its rows are few")
    func fullOfBytes() {
        let exchange = BatchExchange(mostRows: 1_000_000)
        exchange.answer([Position(sourceID: 1, partition: 0, offset: 0)], epoch: 0)
        _ = exchange.takePositions(waitingMilliseconds: 0)
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

    @Test("after a refusal nothing gathers and nothing is written until it was dealt with")
    func refusal() {
        let writer = Writer(exchange)
        gather(0, 100)
        #expect(writer.take())
        gather(0, 101)
        writer.finish(.fenced(partitions: [0]), isWritten: false)
        #expect(gather(0, 102) == .refused)
        #expect(exchange.waitForRoom(milliseconds: 0) == .refused)
        #expect(!exchange.waitUntilWritten(milliseconds: 0))
        #expect(!writer.take())
        guard case .fenced([0])? = exchange.refusal else {
            Issue.record("the refusal is to be seen")
            return
        }
        exchange.abandon()
        #expect(exchange.refusal == nil && exchange.committed.isEmpty)
        #expect(exchange.waitUntilWritten(milliseconds: 0))
    }

    @Test("what was taken before an assignment was given up counts for nothing afterwards")
    func epochs() {
        let writer = Writer(exchange)
        gather(0, 100)
        #expect(writer.take())
        let epoch = writer.batch.epoch
        #expect(exchange.isCurrent(epoch))
        exchange.abandon()
        #expect(!exchange.isCurrent(epoch))
        #expect(!exchange.sleep(milliseconds: 1000, while: epoch), "nobody sleeps for a job that is not wanted")
        // The late news of the old assignment.
        exchange.answer([Position(sourceID: 1, partition: 1, offset: 5)], epoch: epoch)
        #expect(exchange.takePositions(waitingMilliseconds: 0) == nil)
        writer.finish(.fenced(partitions: [0]), isWritten: false)
        #expect(exchange.refusal == nil)
        writer.finish(isWritten: true)
        #expect(exchange.committed.isEmpty)
    }

    @Test("the search for a refused row narrows the batches, and success widens them again")
    func narrowing() {
        let writer = Writer(exchange)
        var offset: Int64 = 100
        func fill() -> Int {
            var rows = 0
            var room = BatchExchange.Room.free
            while room == .free, rows < 100 {
                room = gather(0, offset)
                offset += 1
                rows += 1
            }
            return rows
        }
        exchange.narrow(to: 1)
        for expected in [1, 2, 4, 8, 10, 10] {
            #expect(fill() == expected)
            #expect(writer.take())
            writer.finish(isWritten: true)
            writer.batch.removeAll()
        }
    }

    @Test("a question comes before a batch, and stopping before everything")
    func order() {
        let writer = Writer(exchange)
        gather(0, 100)
        #expect(exchange.readStored(.init(clusterID: "c", topic: "t")) == nil)
        exchange.locate(.init(clusterID: "c", topic: "t", partitions: [0]))
        guard case .locate(let request) = writer.next(), case .readStored(let other) = writer.next() else {
            Issue.record("the questions were not asked")
            return
        }
        #expect(request.clusterID == "c" && other.topic == "t")
        exchange.answer(stored: [0: 7])
        #expect(exchange.readStored(other) == [0: 7])
        #expect(exchange.readStored(other) == nil, "an answer is given once")
        guard case .readStored = writer.next() else {
            Issue.record("the question was not asked again")
            return
        }
        #expect(writer.take(), "it is asked once")
        exchange.stop()
        gather(0, 101)
        guard case .stop = writer.next() else {
            Issue.record("it was not stopped")
            return
        }
        #expect(!exchange.isCurrent(0))
    }

    @Test("silence is judged in a batch that has everything until then, or in one without messages")
    func silence() {
        let writer = Writer(exchange)
        #expect(!exchange.isSilenceDue)
        exchange.tellSilenceDue()
        #expect(exchange.isSilenceDue)
        gather(0, 100)
        exchange.judgeSilence(SilenceMoment(at: 1234))
        #expect(!exchange.isSilenceDue && writer.take())
        #expect(writer.batch.silence?.at == 1234 && writer.batch.count == 1)
        // The other partition has to stand where it was; it is not moved.
        #expect(writer.batch.progress.map(\.expected) == [100, 0] && writer.batch.progress.map(\.next) == [101, 0])
        #expect(writer.batch.last.partition == 0 && writer.batch.last.offset == 100)
        writer.finish(isWritten: true)
        writer.batch.removeAll()
        #expect(writer.batch.silence == nil && !writer.take(), "it is judged once")
        exchange.judgeSilence(SilenceMoment(at: 1300))
        #expect(writer.take() && writer.batch.isEmpty)
        #expect(writer.batch.progress.map(\.expected) == [101, 0] && writer.batch.progress.map(\.next) == [101, 0])
        writer.finish(isWritten: true)
        exchange.tellSilenceDue()
        exchange.judgeSilence(SilenceMoment(at: 1400))
        exchange.abandon()
        #expect(!writer.take() && !exchange.isSilenceDue, "an older assignment's")
    }

    @Test("a hole alone is something to write")
    func hole() {
        _ = exchange.gather { $0.skip(0, from: 100, to: 150) }
        let writer = Writer(exchange)
        #expect(writer.take())
        #expect(writer.batch.count == 0 && !writer.batch.isEmpty)
        #expect(writer.batch.holes.map(\.offsets) == [100..<150])
        #expect(writer.batch.progress[0].expected == 100 && writer.batch.progress[0].next == 150)
    }

    @Test("readings go to the server customer by customer, each customer's in their order")
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
        #expect(batch.order == [0, 2, 1, 4, 3])
    }
}
