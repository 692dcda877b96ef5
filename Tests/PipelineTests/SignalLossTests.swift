import Daemon
import Foundation
import Harness
import HeartRate
import Simulation
import Testing

extension EndToEnd {
    /// A customer's silence is told from our own.
    @Suite("Signal loss") struct SignalLoss {
        private static let isLong = ProcessInfo.processInfo.environment["HEARTBEAT_TEST_LONG"] == "1"

        @Test("who falls silent is found, also while nobody looks; our own absence is never taken for silence")
        func silence() async throws {
            let pipeline = try await Pipeline(partitions: 4)
            let database = pipeline.database
            let first = try await pipeline.startReadyConsumer()
            let sensors = try Sensors(pipeline.broker, ["a", "b", "c", "d", "steady"])
            try await eventually("everybody's period is known") {
                try database.number("SELECT count(*) FROM customer_state WHERE readings > 100") == 5
            }
            sensors.silence("a")
            try await Self.untilLost("a", database)

            // The consumer is away for longer than the limit, and somebody falls silent meanwhile.
            try await pipeline.stop(first)
            sensors.silence("b")
            try await Task.sleep(for: .seconds(7))
            let second = try await pipeline.startReadyConsumer()
            try await Self.untilLost("b", database)

            // The database is away.
            try await database.cluster.stop(.immediate)
            try await Task.sleep(for: .seconds(7))
            try await database.cluster.start()
            sensors.silence("c")
            try await Self.untilLost("c", database)

            // Kafka is away; what the sensors say meanwhile comes later.
            if let broker = pipeline.broker.process {
                broker.write("down")
                try await eventually("the consumer sees that the broker is down") {
                    second.log.contains("unable to work with Kafka")
                }
                try await Task.sleep(for: .seconds(7))
                broker.write("up")
            }
            sensors.silence("d")
            try await Self.untilLost("d", database)

            sensors.resume("a")
            try await eventually("the signal is back") {
                try database.number("SELECT count(*) FROM episodes WHERE customer_id = 'a' AND closed_at IS NOT NULL")
                    == 1
            }
            try sensors.stop()
            try await pipeline.stop(second)
            try Self.expectTrue(database)
        }

        @Test("who is silent at a reload, or while more customers than fit the memory are well, is found")
        func reloadAndFullCache() async throws {
            let pipeline = try await Pipeline(partitions: 4)
            let database = pipeline.database
            let consumer = try await pipeline.startReadyConsumer("full", ["CUSTOMERS_IN_MEMORY": "1000"])
            let crowd = (0..<1100).map { "crowd \($0)" }
            let sensors = try Sensors(pipeline.broker, ["a", "b", "c", "steady"], slow: crowd)
            try await eventually("everybody's period is known") {
                try database.number("SELECT count(*) FROM customer_state WHERE readings > 100") >= 4
            }
            try database.rows(
                "INSERT INTO customer_limits (customer_id, is_continuous) VALUES ('a', true), ('c', true)")
            consumer.kill(SIGHUP)
            try await eventually("the limits are read") { consumer.log.contains("reloaded:") }
            sensors.silence("a")
            sensors.silence("b")
            try await Self.untilLost("b", database)
            // Medium is open, nothing is open yet, and neither.
            consumer.kill(SIGHUP)
            sensors.silence("c")
            consumer.kill(SIGHUP)
            for customer in ["a", "b", "c"] { try await Self.untilLost(customer, database) }
            consumer.kill(SIGHUP)
            try await eventually("who is watched continuously is urgently missed") {
                try database.number(
                    """
                    SELECT count(*) FROM episodes
                     WHERE kind = 'signal loss' AND severity = 'high' AND customer_id IN ('a', 'b', 'c')
                    """) == 2
            }
            try sensors.stop()
            try await pipeline.stop(consumer)
        }

        @Test(
            "random moments of reloads, rebalances, restarts and kills, with a full cache: everybody who falls silent is found",
            .enabled(if: isLong))
        func schedules() async throws {
            var random = SplitMix64.announced()
            let pipeline = try await Pipeline(partitions: 4)
            let settings = ["CUSTOMERS_IN_MEMORY": "1000"]
            var consumer = try await pipeline.startReadyConsumer("first", settings)
            let customers = (0..<20).map { "customer \($0)" }
            let sensors = try Sensors(
                pipeline.broker, customers + ["steady"], slow: (0..<1100).map { "crowd \($0)" })
            try await eventually("everybody's period is known") {
                try pipeline.database.number("SELECT count(*) FROM customer_state WHERE readings > 100") >= 21
            }
            for (round, customer) in customers.enumerated() {
                sensors.silence(customer)
                try await Task.sleep(for: .milliseconds(Int.random(in: 0...9000, using: &random)))
                switch round % 4 {
                case 0: consumer.kill(SIGHUP)
                case 1:
                    let other = try await pipeline.startReadyConsumer("beside \(round)", settings)
                    try await pipeline.stop(other)
                case 2:
                    try await pipeline.stop(consumer)
                    consumer = try await pipeline.startReadyConsumer("after \(round)", settings)
                default:
                    consumer.kill(SIGKILL)
                    try await consumer.waitForEnd(within: .seconds(30))
                    consumer = try await pipeline.startReadyConsumer("after \(round)", settings)
                }
            }
            for customer in customers { try await Self.untilLost(customer, pipeline.database) }
            try sensors.stop()
            try await pipeline.stop(consumer)
            try Self.expectTrue(pipeline.database)
        }

        private static func untilLost(_ customer: String, _ database: TestDatabase) async throws {
            try await eventually("the signal of \(customer) is lost") {
                try database.number(
                    """
                    SELECT count(*) FROM episodes
                     WHERE kind = 'signal loss' AND customer_id = '\(customer)' AND closed_at IS NULL
                    """) == 1
            }
        }

        /// Expects that every loss is in the readings, too: none between two that are closer than the limit, which is 5 s
        /// for sensors that tell five times a second.
        private static func expectTrue(_ database: TestDatabase) throws {
            let wrong = try database.rows(
                """
                SELECT e.* FROM episodes e WHERE kind = 'signal loss'
                   AND (opened_at <> last_seen_at + interval '5 s'
                    OR NOT EXISTS (SELECT FROM heart_rate_readings r
                                    WHERE r.customer_id = e.customer_id AND r.recorded_at = e.last_seen_at)
                    OR EXISTS (SELECT FROM heart_rate_readings r WHERE r.customer_id = e.customer_id
                                  AND r.recorded_at > e.last_seen_at AND r.recorded_at < e.opened_at))
                """)
            #expect(wrong.isEmpty, "losses that the readings do not show")
        }
    }
}

/// Sensors that tell a heart rate five times a second, stamped with this machine's time, until they fall silent.
private final class Sensors: Sendable {
    private struct Silence {
        var silent: Set<String> = []
        var isStopping = false
        var failure: String?
    }
    private let state = Monitor(Silence())
    private let thread: WorkThread

    /// - Parameter slow: customers who tell every second only.
    init(_ broker: TestBroker, _ customers: [String], slow: [String] = []) throws {
        let configuration = try Publisher.configuration(for: broker)
        let topic = broker.topic
        thread = try WorkThread(name: "sensors") { [state] in
            do {
                try Self.publish(by: Publisher(configuration, topic: topic), (customers, slow), state)
            } catch {
                state.withLock { $0.failure = "\(error)" }
            }
        }
    }

    private static func publish(
        by publisher: Publisher, _ customers: (quick: [String], slow: [String]), _ state: Monitor<Silence>
    ) throws {
        var round = 0
        while state.wait(milliseconds: 200, { $0.isStopping ? true : nil }) == nil {
            let silent = state.withLock { $0.silent }
            let now = Instant(microsecondsSince1970: wallClockMicroseconds()).iso8601
            round += 1
            let telling = customers.quick + (round.isMultiple(of: 5) ? customers.slow : [])
            for customer in telling where !silent.contains(customer) {
                try publisher.queue(Message(customer: customer, timestamp: now, heartRate: 70))
            }
        }
        try publisher.flush()
    }

    func silence(_ customer: String) { state.withLock { _ = $0.silent.insert(customer) } }

    func resume(_ customer: String) { state.withLock { _ = $0.silent.remove(customer) } }

    func stop() throws {
        state.withLock { $0.isStopping = true }
        state.wakeAll()
        thread.join()
        if let failure = state.withLock({ $0.failure }) { throw HarnessError("the sensors have failed: \(failure)") }
    }
}
