import Foundation
import Testing

/// A database, a broker, and heartbeat's commands between them: all that one test needs.
package struct Pipeline {
    package let database: TestDatabase
    package let broker: TestBroker

    package init(partitions: Int = 4) async throws {
        try await self.init(on: TestBroker(partitions: partitions))
    }

    /// A database of its own for a topic that others read, too.
    package init(on broker: TestBroker) async throws {
        database = try await TestDatabase.make()
        self.broker = broker
    }

    private init(_ database: TestDatabase, _ broker: TestBroker) {
        (self.database, self.broker) = (database, broker)
    }

    /// The same with a copy of the database that another cluster has.
    package func moved(to cluster: PrivatePostgreSQL) -> Pipeline {
        Pipeline(database.copy(in: cluster), broker)
    }

    /// A consumer's settings; it logs in as the role that it has when it is installed.
    package var consumerSettings: [String: String] {
        broker.settings.merging(database.settings(as: "heartbeat-consumer")) { $1 }
    }

    /// Starts a consumer.
    package func startConsumer(
        _ name: String = "consumer", _ settings: [String: String] = [:]
    ) throws -> ChildProcess {
        try Heartbeat.start(
            name, ["consumer"],
            settings: consumerSettings.merging(["CONSUMER_NAME": name]) { $1 }.merging(settings) { $1 })
    }

    /// Starts a consumer and waits until it reads.
    package func startReadyConsumer(
        _ name: String = "consumer", _ settings: [String: String] = [:]
    ) async throws -> ChildProcess {
        let consumer = try startConsumer(name, settings)
        try await eventually("\(name) is ready") { consumer.log.contains("ready:") }
        return consumer
    }

    /// Asks a consumer to end and waits until it has.
    package func stop(_ consumer: ChildProcess, sourceLocation: SourceLocation = #_sourceLocation) async throws {
        consumer.kill(SIGTERM)
        let end = try await consumer.waitForEnd(within: .seconds(30))
        #expect(end == .exited(0), "the end of \(consumer.name)", sourceLocation: sourceLocation)
    }

    /// Stores what is waiting with a consumer that ends by itself.
    package func drain(
        _ settings: [String: String] = [:], within limit: Duration = .seconds(120),
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let drained = try await Heartbeat.run(
            ["consumer", "--drain"], consumerSettings.merging(settings) { $1 }, within: limit)
        #expect(drained.end == .exited(0), "the end of the draining consumer", sourceLocation: sourceLocation)
    }

    /// How many messages the database has accounted for.
    package func consumedCount() throws -> Int {
        try database.number("SELECT coalesce(sum(next_offset - first_offset), 0) FROM kafka_offsets")
    }

    /// Waits until every message that was published is accounted for.
    package func untilStored(_ messages: Int, within limit: Duration = .seconds(120)) async throws {
        try await eventually("\(messages) messages are stored", within: limit) { try consumedCount() >= messages }
    }

    /// Runs `heartbeat verify`.
    ///
    /// - Parameter deep: whether it looks into the sealed days, too.
    package func verify(deep: Bool = false) async throws -> Heartbeat.Finished {
        try await Heartbeat.run(
            ["verify"] + (deep ? ["--deep"] : []),
            broker.serverSettings.merging(database.settings(as: "postgres")) { $1 })
    }

    /// Expects that `heartbeat verify` finds so many messages, each exactly once.
    package func expectSound(_ messages: Int, sourceLocation: SourceLocation = #_sourceLocation) async throws {
        let verification = try await verify()
        let lastLine = verification.output.split(separator: "\n").last ?? ""
        #expect(verification.end == .exited(0), "\(verification.output)", sourceLocation: sourceLocation)
        #expect(lastLine.hasPrefix("sound: \(messages) messages = "), sourceLocation: sourceLocation)
    }

    /// Expects that exactly the readings of a load are stored, and exactly its bad ones rejected, and nothing else.
    package func expectStored(_ total: Load.Total, sourceLocation: SourceLocation = #_sourceLocation) throws {
        let readings = try database.rows(
            """
            SELECT count(*), count(DISTINCT (customer_id, recorded_at)), count(DISTINCT (source_id, kafka_offset)),
                   coalesce(sum(heart_rate), 0)
              FROM heart_rate_readings
            """)
        #expect(
            readings == [["\(total.readings)", "\(total.readings)", "\(total.readings)", "\(total.heartRates)"]],
            "readings, different ones, from different messages, sum of heart rates", sourceLocation: sourceLocation)
        let rejected = try database.rows(
            "SELECT count(*), count(DISTINCT payload) FROM rejected_messages WHERE reason_code = 'out_of_range'")
        #expect(
            rejected == [["\(total.rejected)", "\(total.rejected)"]], "rejected messages, different ones",
            sourceLocation: sourceLocation)
        let log = try database.rows(
            """
            SELECT sum(messages_read), sum(messages_valid + messages_anomaly), sum(messages_invalid) FROM pipeline_log
            """)
        #expect(
            log == [["\(total.messages)", "\(total.readings)", "\(total.rejected)"]], "pipeline_log",
            sourceLocation: sourceLocation)
        try expectRolledUp(total, sourceLocation)
    }

    /// Expects that what is kept beside the readings agrees with them.
    private func expectRolledUp(_ total: Load.Total, _ sourceLocation: SourceLocation) throws {
        let sums = try database.rows(
            """
            SELECT (SELECT sum(readings) FROM kafka_offsets), (SELECT sum(rejected) FROM kafka_offsets),
                   (SELECT sum(readings) FROM customer_state), (SELECT sum(readings) FROM readings_per_minute),
                   (SELECT sum(heart_rate_sum) FROM readings_per_minute)
            """)
        #expect(
            sums == [
                [
                    "\(total.readings)", "\(total.rejected)", "\(total.readings)", "\(total.readings)",
                    "\(total.heartRates)",
                ]
            ], "sums of kafka_offsets, customer_state and readings_per_minute", sourceLocation: sourceLocation)
        let stale = try database.rows(
            """
            SELECT customer_id FROM customer_state s WHERE (recorded_at, heart_rate) IS DISTINCT FROM (
                SELECT (recorded_at, heart_rate) FROM heart_rate_readings r WHERE r.customer_id = s.customer_id
                 ORDER BY r.recorded_at DESC LIMIT 1)
            """)
        #expect(stale.isEmpty, "customers whose latest reading is another", sourceLocation: sourceLocation)
    }
}
