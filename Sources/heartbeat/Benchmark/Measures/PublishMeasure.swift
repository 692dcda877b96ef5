import Bytes
import Daemon
import HeartRate
import Kafka
import Producer

/// How fast simulated messages come into Kafka, as the producer sends them, while nobody reads.
struct PublishMeasure {
    static func run(
        _ readings: BenchmarkReadings, messages: Int, on ground: BenchmarkGround, _ course: Course
    ) throws -> BenchmarkResults.Rate {
        var (readings, course) = (readings, course)
        var writer = MessageWriter()
        let producer = try KafkaProducer(Producer.kafkaConfiguration(ground.settings), topic: ground.topic)
        // The first one finds the brokers.
        _ = try send(readings.next(), &writer, by: producer)
        try finish(producer, of: 1, &course)
        let start = ContinuousClock.now
        var full = Duration.zero
        while readings.count < messages {
            full += try send(readings.next(), &writer, by: producer)
            guard readings.count % 1000 == 0 else { continue }
            producer.poll(milliseconds: 0)
            try course.reach(producer.counts.delivered, of: messages, "messages")
        }
        try finish(producer, of: messages, &course)
        let elapsed = ContinuousClock.now - start
        let share = Int(100 * (full / elapsed))
        let limit = share >= 30 ? "Kafka, which acknowledges them" : "one core, which makes and packs them"
        return BenchmarkResults.Rate(
            perSecond: Double(max(1, messages - 1)) / (elapsed / .seconds(1)),
            limit: "\(limit) (the queue was full for \(share) % of the time)")
    }

    /// Queues a message; its key is the customer.
    ///
    /// - Returns: how long it had to wait for room.
    static func send(
        _ reading: Reading, _ writer: inout MessageWriter, by producer: KafkaProducer
    ) throws -> Duration {
        let value = writer.write(reading)
        if try producer.produce(key: reading.customerID.utf8.raw, value: value) { return .zero }
        let start = ContinuousClock.now
        var isQueued = false
        while !isQueued {
            producer.poll(milliseconds: 100)
            isQueued = try producer.produce(key: reading.customerID.utf8.raw, value: value)
        }
        return ContinuousClock.now - start
    }

    /// Waits until all is acknowledged.
    static func finish(_ producer: KafkaProducer, of messages: Int, _ course: inout Course) throws {
        while producer.flush(milliseconds: 100) > 0 {
            try course.reach(producer.counts.delivered, of: messages, "messages")
        }
        if let error = producer.fatalError { throw CommandFailure(.unavailable, error.description) }
        guard producer.counts.failed == 0 else {
            throw CommandFailure(.unavailable, "Kafka did not take \(producer.counts.failed) messages")
        }
    }
}
