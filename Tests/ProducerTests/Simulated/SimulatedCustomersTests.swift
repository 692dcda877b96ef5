import Foundation
import Harness
import HeartRate
import Testing

/// The whole program: simulated customers into Kafka.
@Suite(.ownFolder, .logsOnFailure) struct SimulatedCustomersTests {
    @Test("publishes as many readings as it is asked for")
    func asked() async throws {
        let broker = try await TestBroker()
        let producer = try await broker.runProducer(["--count", "500", "--flat-out"], ["NUM_CUSTOMERS": "3"])
        #expect(producer.end == .exited(0))
        #expect(producer.log.contains("finished: 500 delivered, 0 not delivered\n"))
        let messages = try await broker.messagesByKey()
        #expect(messages.mapValues(\.count) == ["cust_0001": 167, "cust_0002": 167, "cust_0003": 166])
        for (key, payloads) in messages {
            let readings = try payloads.map { try reading($0) }
            #expect(readings.allSatisfy { $0.customerID.description == key })
            // One a second, to the microsecond, and none of them in the future.
            let times = readings.map(\.recordedAt.microsecondsSince1970)
            #expect(zip(times, times.dropFirst()).allSatisfy { $1 - $0 == 1_000_000 })
            #expect(try #require(times.last) <= Int64(Date.now.timeIntervalSince1970 * 1e6))
        }
    }

    @Test("the same seed has the same hearts")
    func hearts() async throws {
        var runs: [[Int16]] = []
        for seed in ["7", "7", "8"] {
            let broker = try await TestBroker()
            let settings = ["NUM_CUSTOMERS": "1", "SEED": seed]
            #expect(try await broker.runProducer(["--count", "200", "--flat-out"], settings).end == .exited(0))
            runs.append(try await broker.messagesByKey()["cust_0001", default: []].map { try reading($0).heartRate })
        }
        #expect(runs[0] == runs[1])
        #expect(runs[0] != runs[2])
        #expect(runs[0].count == 200)
    }

    @Test("sends malformed messages")
    func sends() async throws {
        let broker = try await TestBroker()
        #expect(
            try await broker.runProducer(["--count", "100", "--flat-out"], ["MALFORMED_RATE": "1"]).end == .exited(0))
        var messages: [KeptMessage] = []
        for partition in 0..<broker.partitions { messages += try await broker.read(partition: Int32(partition)) }
        #expect(messages.count == 100)
        #expect(Set(messages.map { text($0.key) }).count == 20)
        #expect(messages.allSatisfy { (try? reading($0.value ?? [])) == nil })
    }

    @Test("sends some readings late")
    func late() async throws {
        let broker = try await TestBroker()
        let producer = try await broker.runProducer(
            ["--count", "1000", "--flat-out"], ["NUM_CUSTOMERS": "1", "LATE_RATE": "0.1", "LATE_SECONDS": "20"])
        #expect(producer.end == .exited(0))
        let times = try await broker.messagesByKey()["cust_0001", default: []].map {
            try reading($0).recordedAt.microsecondsSince1970
        }
        #expect(Set(times).count == 1000)
        // How late each is behind the latest that came before it.
        var latest = Int64.min
        var lateness: [Int64] = []
        for time in times {
            if time < latest { lateness.append(latest - time) }
            latest = max(latest, time)
        }
        #expect((50...150).contains(lateness.count))
        #expect(lateness.allSatisfy { (1_000_000...20_000_000).contains($0) })
    }

    @Test("sends late readings at the end too")
    func too() async throws {
        var runs: [[String]] = []
        for rate in ["0", "0.3"] {
            let broker = try await TestBroker()
            let settings = ["NUM_CUSTOMERS": "2", "LATE_RATE": rate, "DROPOUT_RATE": "0.01", "MALFORMED_RATE": "0.01"]
            let producer = try await broker.runProducer(
                ["--count", "500", "--flat-out", "--begin", "2026-02-19T15:00:00Z"], settings)
            #expect(producer.end == .exited(0))
            #expect(producer.log.contains("finished: 500 delivered, 0 not delivered\n"))
            runs.append(try await broker.messagesByKey().values.flatMap(\.self))
        }
        // The same messages, in another order.
        #expect(runs[0].sorted() == runs[1].sorted())
        #expect(runs[0] != runs[1])
        #expect(runs[0].min()?.contains("T15:0") == true)
    }

    @Test("tells the activity only when it is asked to")
    func tells() async throws {
        for setting in ["true", "false"] {
            let broker = try await TestBroker()
            let settings = ["NUM_CUSTOMERS": "30", "SEND_ACTIVITY": setting, "LATE_RATE": "0.1"]
            #expect(try await broker.runProducer(["--count", "300", "--flat-out"], settings).end == .exited(0))
            let activities = try await broker.messagesByKey().values.flatMap(\.self).map { try reading($0).activity }
            #expect(activities.count == 300)
            if setting == "true" {
                #expect(Set(activities) == Set(Activity.allCases))
            } else {
                #expect(Set(activities) == [nil])
            }
        }
    }

    @Test("says what is delivered when it is stopped")
    func says() async throws {
        let broker = try await TestBroker()
        let producer = try broker.startProducer([], ["NUM_CUSTOMERS": "50", "INTERVAL_SECONDS": "0.1"])
        try await eventually("messages arrive") { try broker.messageCount() > 100 }
        producer.kill(SIGTERM)
        #expect(try await producer.waitForEnd(within: .seconds(30)) == .exited(0))
        let delivered = try broker.messageCount()
        #expect(producer.log.contains("notice producer: stopped: \(delivered) delivered, 0 not delivered\n"))
    }

    @Test("says what is not delivered", .enabled(if: isEmbedded))
    func saysDelivered() async throws {
        let broker = try await TestBroker()
        let producer = try broker.startProducer([], ["NUM_CUSTOMERS": "50", "INTERVAL_SECONDS": "0.1"])
        try await eventually("messages arrive") { try broker.messageCount() > 0 }
        broker.process?.write("down")
        try await eventually("the producer notices") { producer.log.contains("warning") }
        producer.kill(SIGINT)
        #expect(try await producer.waitForEnd(within: .seconds(30)) == .exited(69))
        let (delivered, undelivered) = try lastCounts(in: producer.log)
        #expect(delivered > 0 && undelivered > 0)
    }

    /// The queue is full after half a second without a broker; from then on the producer falls behind.
    @Test("skips nothing while the broker is down", .enabled(if: isEmbedded))
    func away() async throws {
        let broker = try await TestBroker()
        let settings = ["INTERVAL_SECONDS": "0.02", "RDKAFKA_QUEUE_BUFFERING_MAX_MESSAGES": "500"]
        let producer = try broker.startProducer([], settings)
        try await eventually("messages arrive") { try broker.messageCount() > 0 }
        broker.process?.write("down")
        try await eventually("it says that it is behind") { producer.log.contains("warning producer: behind by ") }
        broker.process?.write("up")
        try await eventually("it has caught up") { producer.log.contains("notice producer: caught up") }
        producer.kill(SIGTERM)
        #expect(try await producer.waitForEnd(within: .seconds(30)) == .exited(0))
        #expect(try lastCounts(in: producer.log).undelivered == 0)
        let messages = try await broker.messagesByKey()
        #expect(messages.count == 20)
        for payloads in messages.values {
            // The embedded broker does not know an idempotent producer's retry: there, a message may come twice.
            let times = Set(try payloads.map { try reading($0).recordedAt.microsecondsSince1970 }).sorted()
            #expect(times.count > 75)
            #expect(zip(times, times.dropFirst()).allSatisfy { $1 - $0 == 20_000 })
        }
    }

    @Test("ends at once when there is no Kafka to stop for")
    func stop() async throws {
        let producer = try Heartbeat.start(
            "producer", ["producer"], settings: ["KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1"])
        try await eventually("it says so") { producer.log.contains("waiting for Kafka at 127.0.0.1:1") }
        producer.kill(SIGTERM)
        #expect(try await producer.waitForEnd(within: .seconds(30)) == .exited(0))
        #expect(producer.log.contains("stopped: 0 delivered, 0 not delivered\n"))
    }

    @Test(
        "refuses settings",
        arguments: [
            ["RDKAFKA_ACKS": "1"], ["RDKAFKA_ENABLE_IDEMPOTENCE": "false"], ["NUM_CUSTOMERS": "0"],
            ["INTERVAL_SECONDS": "0"], ["SEND_ACTIVITY": "maybe"], ["MALFORMED_RATE": "0.6", "LATE_RATE": "0.6"],
        ])
    func settings(settings: [String: String]) async throws {
        let producer = try await Heartbeat.run(["producer"], settings)
        #expect(producer.end == .exited(78))
        #expect(settings.keys.allSatisfy { producer.log.contains($0) })
    }

    private func reading(_ payload: String) throws -> Reading { try reading(Array(payload.utf8)) }

    private func reading(_ payload: [UInt8]) throws -> Reading {
        var decoder = ReadingDecoder()
        let now = Instant(microsecondsSince1970: Int64(Date.now.timeIntervalSince1970 * 1e6))
        return try decoder.decode(payload.span.bytes, receivedAt: now)
    }
}
