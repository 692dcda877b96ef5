import Daemon
import Harness
import HeartRate
import Testing

extension EndToEnd {
    @Suite("A clock that is slow") struct SlowClock {
        @Test("the consumer says that it may be its own, and what it rejected can be stored later")
        func doubted() async throws {
            let pipeline = try await Pipeline(partitions: 1)
            // To the consumer it is the same whether its clock is two hours slow or all others are two hours fast.
            let consumer = try await pipeline.startReadyConsumer()
            let now = Instant(microsecondsSince1970: wallClockMicroseconds())
            let messages = (0..<50).map { number in
                let moment = now.advanced(byMicroseconds: Int64(7200 + number - 60) * 1_000_000)
                return Message(customer: "c\(number % 5)", timestamp: moment.iso8601, heartRate: 70)
            }
            try pipeline.broker.publish(messages)
            try await eventually("the consumer doubts its clock") {
                consumer.log.contains("this machine's clock may be wrong: all senders are ahead of it by about 7")
            }
            #expect(consumer.log.contains("heartbeat rejected replay --code future_timestamp"))
            try await pipeline.stop(consumer)
            let rejected = try pipeline.database.number(
                "SELECT count(*) FROM rejected_messages WHERE reason_code = 'future_timestamp'")
            #expect(rejected == messages.count)
            let replay = try await Heartbeat.run(
                ["rejected", "replay", "--code", "future_timestamp"],
                pipeline.broker.serverSettings.merging(pipeline.database.settings(as: "heartbeat-consumer")) { $1 })
            #expect(replay.end == .exited(0) && replay.output.hasPrefix("50 messages published again"), "\(replay.log)")
            // With a clock that is right now.
            try await pipeline.drain(["MAX_CLOCK_SKEW_SECONDS": "10000"])
            #expect(try pipeline.database.number("SELECT count(*) FROM heart_rate_readings") == messages.count)
            try await pipeline.expectSound(2 * messages.count)
        }
    }
}
