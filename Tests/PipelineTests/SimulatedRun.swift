import Foundation
import Harness
import HeartRate
import Testing

/// A topic with some hours of simulated customers, published once and read by many. Runs of one `begin` have the same
/// hearts, sensors and time stamps.
struct SimulatedRun: Sendable {
    static let customers = 200
    static let hours = 6

    /// Seconds between a customer's readings. One each second are 4.3 million, which is too much for each change of the
    /// program: for that set `HEARTBEAT_TEST_INTERVAL_SECONDS=1`.
    static let interval =
        ProcessInfo.processInfo.environment["HEARTBEAT_TEST_INTERVAL_SECONDS"].flatMap { Int($0) } ?? 10

    let broker: TestBroker
    /// How many messages there are.
    let messages: Int
    /// When everything that was simulated is over.
    let end: Instant

    /// So long ago that nothing of a run is in the future.
    static var begin: Instant {
        Instant(microsecondsSince1970: Int64(Date.now.timeIntervalSince1970 - 9 * 3600) * 1_000_000)
    }

    /// Publishes it.
    init(begin: Instant, _ settings: [String: String] = [:]) async throws {
        // The embedded broker keeps 5 MiB of a partition: some five customers' of six hours at a reading each second.
        broker = try await TestBroker(partitions: Self.interval < 5 ? 400 : 64)
        let count = Self.customers * Self.hours * 3600 / Self.interval
        let own = [
            "NUM_CUSTOMERS": "\(Self.customers)", "INTERVAL_SECONDS": "\(Self.interval)", "SEED": "5",
            // Three silences in four hours, some of them long enough to be found, whatever the interval is.
            "DROPOUT_RATE": "\(0.0002 * Double(Self.interval))",
            // Large batches, which are compressed and read better.
            "RDKAFKA_LINGER_MS": "500",
        ]
        let producer = try await Heartbeat.run(
            ["producer", "--flat-out", "--begin", begin.iso8601, "--count", "\(count)"],
            broker.producerSettings.merging(own) { $1 }.merging(settings) { $1 }, within: .seconds(600))
        guard producer.end == .exited(0) else { throw HarnessError("the producer failed: \(producer.log)") }
        // Two hours of simulated time are more than silences add.
        end = begin.advanced(byMicroseconds: Int64(Self.hours + 1) * 3_600_000_000)
        // A reading long after, and another that shows that the first is not late: so nothing is left open that a consumer
        // would judge by its clock, and nothing waits for late readings.
        for hours: Int64 in [0, 1] {
            let moment = end.advanced(byMicroseconds: hours * 3_600_000_000).iso8601
            try broker.publish(
                (1...Self.customers).map {
                    Message(customer: "\(CustomerID(simulated: $0))", timestamp: moment, heartRate: 70)
                }, ["partitioner": "murmur2_random"])
        }
        let watermarks = try broker.watermarks()
        guard watermarks.allSatisfy({ $0.low == 0 }) else { throw HarnessError("the broker has not kept everything") }
        messages = Int(watermarks.reduce(0) { $0 + $1.high })
    }
}

extension TestDatabase {
    /// All episodes but silences after a moment: those are found by the consumer's clock, or not yet.
    func episodes(until end: Instant) throws -> [String] {
        try rows(
            """
            SELECT concat_ws(' | ', customer_id, kind, severity, worst_severity, opened_at, raised_at, last_seen_at,
                             coalesce(closed_at::text, 'open'), coalesce(extreme_heart_rate::text, '-'), readings, reason)
              FROM episodes WHERE NOT (kind = 'signal loss' AND last_seen_at >= '\(end)')
             ORDER BY customer_id, kind, opened_at
            """
        ).map { $0[0] ?? "" }
    }

    /// Makes each batch take so much longer; the trigger's name is `pause`.
    func slowDown(seconds: Double) throws {
        try rows(
            """
            CREATE FUNCTION pause() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN PERFORM pg_sleep(\(seconds)); RETURN NULL; END $$;
            CREATE TRIGGER pause AFTER UPDATE ON kafka_offsets FOR EACH STATEMENT EXECUTE FUNCTION pause()
            """)
    }
}
