import Foundation
import Harness
import Testing

/// A daemon under a service manager that wants signs of life: twice within 30 s.
struct WatchedDaemon {
    let process: ChildProcess
    let manager: ServiceManager

    private init(_ command: [String], _ settings: [String: String]) throws {
        manager = try ServiceManager("\(command[0])-\(UUID().uuidString.prefix(4))", watchdog: .seconds(30))
        process = try Heartbeat.start(
            command[0], command,
            settings: settings.merging(manager.environment) { own, _ in own })
    }

    static func consumer(_ pipeline: Pipeline, settings: [String: String] = [:]) throws -> WatchedDaemon {
        try WatchedDaemon(["consumer"], pipeline.consumerSettings.merging(settings) { $1 })
    }

    /// A producer of customers who are never silent and never wrong, once a second each.
    static func producer(
        _ broker: TestBroker, arguments: [String] = [], settings: [String: String] = [:]
    ) throws -> WatchedDaemon {
        let own = [
            "NUM_CUSTOMERS": "60", "MALFORMED_RATE": "0", "DROPOUT_RATE": "0", "LATE_RATE": "0", "SEED": "1",
        ]
        return try WatchedDaemon(
            ["producer"] + arguments,
            broker.producerSettings.merging(own) { $1 }.merging(settings) { $1 })
    }

    var status: String { manager.status }
    var log: String { process.log }

    func untilReady() async throws {
        try await eventually("\(process.name) is ready") { manager.isReady }
    }

    /// Waits until the status has some words, and prints when that was.
    func untilStatus(
        _ expectation: String, within limit: Duration = .seconds(120), _ condition: (String) -> Bool
    ) async throws {
        let start = ContinuousClock.now
        do {
            try await eventually(expectation, within: limit) { condition(status) }
        } catch {
            throw HarnessError("\(error); the status of the \(process.name): \(status)")
        }
        print("\(process.name): \(expectation) after \(seconds(since: start)): \(status)")
    }

    /// Asks it to end, waits until it has, and prints how long that took.
    @discardableResult
    func stop(within limit: Duration = .seconds(60)) async throws -> ChildProcess.End {
        let start = ContinuousClock.now
        process.kill(SIGTERM)
        let end = try await process.waitForEnd(within: limit)
        print("\(process.name): ended \(seconds(since: start)) after SIGTERM: \(end)")
        return end
    }

    /// Expects that it has shown signs of life all the time.
    func expectAlive(sourceLocation: SourceLocation = #_sourceLocation) {
        print("\(process.name): the longest time without WATCHDOG=1 was \(manager.longestPause(of: "WATCHDOG=1"))")
        #expect(!log.contains("no progress for"), sourceLocation: sourceLocation)
    }
}

func seconds(since start: ContinuousClock.Instant) -> String {
    "\(Double(Int(start.duration(to: .now) / .milliseconds(100))) / 10) s"
}

extension Pipeline {
    /// How many readings of some partitions are stored that were taken after a moment.
    func readings(of partitions: [Int], since moment: String) throws -> Int {
        let list = partitions.map { "\($0)" }.joined(separator: ", ")
        return try database.number(
            """
            SELECT count(*) FROM heart_rate_readings JOIN kafka_offsets USING (source_id)
             WHERE partition IN (\(list)) AND recorded_at > '\(moment)'
            """)
    }

    /// The time of the database's machine, which is also that of everybody else.
    func now() throws -> String { try #require(try database.rows("SELECT clock_timestamp()").first?.first ?? nil) }

    /// Waits until readings of each of these partitions are stored that were taken from now on, and prints how long that took.
    func untilStoredFromNow(
        _ partitions: [Int], _ expectation: String, within limit: Duration = .seconds(120)
    ) async throws {
        let (start, moment) = (ContinuousClock.now, try now())
        for partition in partitions {
            try await eventually("\(expectation): partition \(partition)", within: limit) {
                try readings(of: [partition], since: moment) > 0
            }
        }
        print("\(expectation) after \(seconds(since: start))")
    }

    /// Expects that all that Kafka has is stored, each message once, and that no signal was lost before a moment.
    func expectAllStored(sourceLocation: SourceLocation = #_sourceLocation) async throws {
        let faulty = try #require(broker.faulty)
        let count = try await faulty.dump().messageCount
        try await untilStored(count)
        let dump = try await faulty.dump()
        #expect(dump.messageCount == count, "nobody publishes any more", sourceLocation: sourceLocation)
        #expect(dump.complaints.isEmpty, sourceLocation: sourceLocation)
        print("\(count) messages are stored")
        try await expectSound(count, sourceLocation: sourceLocation)
    }
}
