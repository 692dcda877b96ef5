import Foundation
import HeartRate
import Testing

/// The whole program: simulated customers into Kafka.
@Suite struct SimulationTests {
    @Test func publishesAsManyReadingsAsItIsAskedFor() throws {
        let topic = try Topic()
        let producer = try topic.producer(["--count", "500", "--flat-out"], ["NUM_CUSTOMERS": "3"])
        #expect(producer.status() == 0)
        #expect(producer.log.contains("finished: 500 delivered, 0 not delivered"))
        let messages = try topic.messages(500)
        #expect(messages.count == 500)
        #expect(Set(messages.map(\.key)) == ["cust_0001", "cust_0002", "cust_0003"])
        for key in ["cust_0001", "cust_0002", "cust_0003"] {
            let readings = try messages.filter { $0.key == key }.map { try reading($0.payload) }
            #expect(readings.allSatisfy { $0.customerID.description == key })
            // One a second, to the microsecond, and none of them in the future.
            let times = readings.map(\.recordedAt.microsecondsSince1970)
            #expect(zip(times, times.dropFirst()).allSatisfy { $1 - $0 == 1_000_000 })
            #expect(try #require(times.last) <= Int64(Date.now.timeIntervalSince1970 * 1e6))
        }
    }

    @Test func theSameSeedHasTheSameHearts() throws {
        let runs = try (0..<2).map { _ in
            let topic = try Topic()
            #expect(try topic.producer(["--count", "200", "--flat-out"], ["NUM_CUSTOMERS": "1"]).status() == 0)
            return try topic.messages(200).map { try reading($0.payload).heartRate }
        }
        #expect(runs[0] == runs[1])
        #expect(Set(runs[0]).count > 1)
    }

    @Test func sendsMalformedMessages() throws {
        let topic = try Topic()
        #expect(try topic.producer(["--count", "100", "--flat-out"], ["MALFORMED_RATE": "1"]).status() == 0)
        let messages = try topic.messages(100)
        #expect(messages.allSatisfy { (try? reading($0.payload)) == nil })
        #expect(Set(messages.map(\.key)).count == 20)
    }

    @Test func sendsSomeReadingsLate() throws {
        let topic = try Topic()
        let producer = try topic.producer(
            ["--count", "1000", "--flat-out"], ["NUM_CUSTOMERS": "1", "LATE_RATE": "0.1", "LATE_SECONDS": "20"])
        #expect(producer.status() == 0)
        let times = try topic.messages(1000).map { try reading($0.payload).recordedAt.microsecondsSince1970 }
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

    @Test func sayWhatIsDeliveredWhenTheyAreStopped() throws {
        let topic = try Topic()
        let producer = try topic.producer([], ["NUM_CUSTOMERS": "50", "INTERVAL_SECONDS": "0.1"])
        try topic.waitForMessages(100)
        producer.terminate()
        #expect(producer.status() == 0)
        #expect(producer.log.contains("notice producer: stopped: "))
        #expect(producer.log.contains(" 0 not delivered"))
        let delivered = try #require(deliveredCount(in: producer.log))
        #expect(try topic.messages(delivered).count == delivered)
    }

    @Test(.enabled(if: Topic.cluster == nil)) func sayWhatIsNotDelivered() throws {
        let topic = try Topic()
        let producer = try topic.producer([], ["NUM_CUSTOMERS": "50", "INTERVAL_SECONDS": "0.1"])
        try topic.waitForMessages(1)
        try topic.broker?.tell("down")
        usleep(300_000)
        producer.terminate()
        #expect(producer.status() == 69)
        let match = try #require(producer.log.firstMatch(of: /stopped: (\d+) delivered, (\d+) not delivered/))
        #expect(Int(match.1) ?? 0 > 0)
        #expect(Int(match.2) ?? 0 > 0)
    }

    @Test(arguments: [
        ["RDKAFKA_ACKS": "1"], ["RDKAFKA_ENABLE_IDEMPOTENCE": "false"], ["NUM_CUSTOMERS": "0"],
        ["INTERVAL_SECONDS": "0"], ["MALFORMED_RATE": "0.6", "LATE_RATE": "0.6"],
    ])
    func refusesSettings(settings: [String: String]) throws {
        let producer = try Program(["producer"], environment: settings)
        #expect(producer.status() == 78)
        #expect(settings.keys.allSatisfy { producer.log.contains($0) })
    }

    private func reading(_ payload: String) throws -> Reading {
        var decoder = ReadingDecoder()
        let now = Instant(microsecondsSince1970: Int64(Date.now.timeIntervalSince1970 * 1e6))
        return try decoder.decode(Array(payload.utf8).span.bytes, receivedAt: now)
    }
}
