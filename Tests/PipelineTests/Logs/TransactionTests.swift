import Daemon
import Foundation
import Harness
import HeartRate
import Testing

extension EndToEnd {
    /// Offsets that no reader gets: control records, aborted transactions, compaction.
    @Suite("Holes in logs") struct Holes {
        @Test("committed transactions are stored, aborted ones are not, and nothing is called a loss")
        func transactions() async throws {
            let faulty = try await FaultyBroker(partitions: 2)
            let pipeline = try await Pipeline(on: TestBroker(faulty))
            let consumer = try await pipeline.startReadyConsumer()
            for partition in 0..<2 {
                try await faulty.write(
                    transactions: (0..<20).map { number in
                        let first = (partition * 20 + number) * 10
                        return ((first..<first + 10).map(numbered), number % 2 == 0 ? .commit : .abort)
                    }, to: partition)
            }
            try await untilAtEnd(pipeline, faulty)
            try await pipeline.stop(consumer)
            try await expectHoles(pipeline, faulty, of: consumer, readings: 200, holes: 2 * (10 * 10 + 20))
        }

        @Test("2,000 small transactions, a fifth of them aborted: few lines, --drain ends, and the lag is 0")
        func manyTransactions() async throws {
            let faulty = try await FaultyBroker(partitions: 1)
            let pipeline = try await Pipeline(on: TestBroker(faulty))
            try await faulty.write(
                transactions: (0..<2000).map { number in
                    ((number * 10..<number * 10 + 10).map(numbered), number % 5 == 4 ? .abort : .commit)
                })
            let start = ContinuousClock.now
            let drained = try await Heartbeat.run(["consumer", "--drain"], pipeline.consumerSettings)
            print("2,000 transactions were drained in \(ContinuousClock.now - start)")
            #expect(drained.end == .exited(0))
            #expect(drained.log.split(separator: "\n").count < 10, "lines in the journal")
            #expect(try pipeline.readingCount() == 16_000)
            let consumer = try await pipeline.startReadyConsumer()
            try await untilAtEnd(pipeline, faulty)
            try await pipeline.stop(consumer)
            try await expectHoles(pipeline, faulty, of: consumer, readings: 16_000, holes: 400 * 10 + 2000)
        }

        @Test("an open transaction holds readers back, and nothing is lost when it ends", arguments: [true, false])
        func openTransaction(isCommitted: Bool) async throws {
            let faulty = try await FaultyBroker(partitions: 1)
            let pipeline = try await Pipeline(on: TestBroker(faulty))
            let consumer = try await pipeline.startReadyConsumer()
            let open = try await faulty.write((0..<10).map(numbered), end: .open)
            try await faulty.write(batches: batches(10..<110))
            #expect(try pipeline.readingCount() == 0)
            let producer = try #require(open.producer)
            try await faulty.finish(producer, isCommitted ? .commit : .abort)
            try await untilAtEnd(pipeline, faulty)
            try await pipeline.stop(consumer)
            try await expectHoles(
                pipeline, faulty, of: consumer, readings: isCommitted ? 110 : 100, holes: isCommitted ? 1 : 11)
        }

        @Test("compaction leaves holes, in the midst and at the end")
        func compaction() async throws {
            let faulty = try await FaultyBroker(partitions: 1)
            let pipeline = try await Pipeline(on: TestBroker(faulty))
            try await faulty.write(batches: batches(0..<300))
            let removed = Array(50..<150) + [201, 203] + Array(270..<300)
            try await faulty.compact(removing: removed.map(Int64.init))
            try await pipeline.drain()
            let consumer = try await pipeline.startReadyConsumer()
            try await untilAtEnd(pipeline, faulty)
            try await pipeline.stop(consumer)
            try await expectHoles(pipeline, faulty, of: consumer, readings: 300 - removed.count, holes: removed.count)
        }

        @Test("who falls silent behind a control record is found")
        func silence() async throws {
            let faulty = try await FaultyBroker(partitions: 1)
            let pipeline = try await Pipeline(on: TestBroker(faulty))
            let consumer = try await pipeline.startReadyConsumer()
            // Every half second for 20 s; all of it in committed transactions, the last record is one's end.
            for _ in 0..<40 {
                let now = Instant(microsecondsSince1970: wallClockMicroseconds()).iso8601
                try await faulty.write([Message(customer: "a", timestamp: now, heartRate: 70)], end: .commit)
                try await Task.sleep(for: .milliseconds(450))
            }
            try await eventually("the signal is lost") {
                try pipeline.database.number(
                    "SELECT count(*) FROM episodes WHERE kind = 'signal loss' AND customer_id = 'a'") == 1
            }
            try await pipeline.stop(consumer)
        }

        /// Waits until every offset of the logs is read, also those that no reader gets.
        private func untilAtEnd(_ pipeline: Pipeline, _ faulty: FaultyBroker) async throws {
            let ends = try await faulty.dump().partitions.map(\.high)
            try await eventually("every offset is accounted for") {
                try pipeline.database.rows("SELECT next_offset FROM kafka_offsets ORDER BY partition")
                    == ends.map { ["\($0)"] }
            }
        }

        private func expectHoles(
            _ pipeline: Pipeline, _ faulty: FaultyBroker, of consumer: ChildProcess, readings: Int, holes: Int
        ) async throws {
            let dump = try await faulty.dump()
            #expect(dump.messageCount == readings)
            #expect(try pipeline.readingCount() == readings)
            try pipeline.expectAll(of: dump)
            try await pipeline.expectSound(readings)
            #expect(try pipeline.database.number("SELECT count(*) FROM offset_gaps") == 0)
            #expect(
                try pipeline.database.number(
                    "SELECT sum(upper(r) - lower(r)) FROM offset_holes, unnest(offsets) AS r") == holes)
            #expect(consumer.log.split(separator: "\n").count < 10, "lines in the journal")
            #expect(!consumer.log.contains(" error "))
            #expect(
                dump.groups.allSatisfy { offset in
                    dump.partitions.contains { $0.partition == offset.partition && $0.high == offset.offset }
                }, "the group's offsets are the ends")
        }
    }
}
