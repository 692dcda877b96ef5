import Daemon
import HeartRate
import Kafka

/// Publishes at a steady rate from a thread of its own: readings, and now and then one that no heart has.
package final class Load: Sendable {
    /// What was published.
    package struct Total: Sendable, Equatable {
        package var readings = 0
        package var rejected = 0
        /// The sum over the readings, in bpm.
        package var heartRates = 0
        package var messages: Int { readings + rejected }
    }

    private struct Progress {
        var isStopping = false
        var total = Total()
        var failure: String?
    }
    private let state = Monitor(Progress())
    private let thread: WorkThread
    private let most: Int

    /// Starts to publish.
    ///
    /// - Parameter age: how old the readings are, at least. The default is long enough for any rate.
    package init(_ broker: TestBroker, perSecond rate: Int, age: Duration = .seconds(7200)) throws {
        let configuration = try Publisher.configuration(for: broker)
        let topic = broker.topic
        // The embedded broker keeps 5 MiB of a partition. A message takes some 170 bytes of it, and keys do not spread
        // evenly: this is half of what fits.
        let most = broker.partitions * 15_000
        self.most = most
        thread = try WorkThread(name: "load") { [state] in
            do {
                try Self.publish(by: Publisher(configuration, topic: topic), rate: rate, most: most, age: age, state)
            } catch {
                state.withLock { $0.failure = "\(error)" }
            }
        }
    }

    deinit { try? end() }

    /// How many messages were handed to the producer so far.
    package var messages: Int { state.withLock { $0.total.messages } }

    /// Stops when all is acknowledged.
    ///
    /// - Throws: when something was not published, or when the load ran out before.
    package func stop() throws -> Total {
        try end()
        let (total, failure) = state.withLock { ($0.total, $0.failure) }
        if let failure { throw HarnessError("the load has failed: \(failure)") }
        guard total.messages < most else {
            throw HarnessError("the load ran out: \(most) messages are all that the broker keeps. Use more partitions")
        }
        return total
    }

    private func end() throws {
        state.withLock { $0.isStopping = true }
        state.wakeAll()
        thread.join()
    }

    private static func publish(
        by publisher: Publisher, rate: Int, most: Int, age: Duration, _ state: Monitor<Progress>
    ) throws {
        let clock = ContinuousClock()
        let start = clock.now
        let base = Instant(microsecondsSince1970: wallClockMicroseconds() - Int64(age / .microseconds(1)))
        var number = 0
        while state.wait(milliseconds: 10, { $0.isStopping ? true : nil }) == nil {
            let due = min(most, Int((clock.now - start) / .seconds(1) * Double(rate)))
            let first = number
            var added = Total()
            while number < due {
                let heartRate = number % 50 == 49 ? 300 : 60 + number * 7 % 60
                try publisher.queue(
                    Message(
                        customer: "load-\(number % 47)",
                        timestamp: base.advanced(byMicroseconds: Int64(number) * 10_000).iso8601, heartRate: heartRate))
                number += 1
                if heartRate == 300 {
                    added.rejected += 1
                } else {
                    added.readings += 1
                    added.heartRates += heartRate
                }
            }
            guard number > first else { continue }
            let sum = added
            state.withLock { state in
                state.total.readings += sum.readings
                state.total.rejected += sum.rejected
                state.total.heartRates += sum.heartRates
            }
        }
        try publisher.flush()
    }
}
