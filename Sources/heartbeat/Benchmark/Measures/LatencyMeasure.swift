import Daemon
import HeartRate
import Kafka
import PostgreSQL
import Producer
import Schema
import Synchronization

/// How long it takes from the publication of a message until others see its row, at a steady rate.
///
/// A message's time stamp is the time at which it was handed to the client. Another session asks every millisecond how far
/// each partition is stored, which is a part of each batch's transaction.
struct LatencyMeasure {
    static func run(
        rate: Int, seconds: Int, customers: Int, on ground: BenchmarkGround, _ course: Course
    ) throws -> BenchmarkResults.Latency {
        let connection = try PostgreSQLConnection(ground.parameters, .benchmark)
        let count = rate * seconds
        let goal = try IngestMeasure.stored(connection) + count
        let watch = try OffsetWatch(ground.parameters)
        let (begin, end) = try publish(count, rate: rate, customers: customers, on: ground, course)
        var course = course
        while try IngestMeasure.stored(connection) < goal {
            try course.reach(try IngestMeasure.stored(connection), of: goal, "messages")
            course.pause(milliseconds: 5)
        }
        let visible = watch.end()
        let rows = try stored(between: begin, and: end, connection)
        let delays = rows.compactMap { row in
            visible[row.source]?.time(of: row.offset).map { Double($0 - row.recordedAt) / 1000 }
        }.sorted()
        guard !delays.isEmpty, let last = rows.compactMap({ visible[$0.source]?.time(of: $0.offset) }).max() else {
            throw CommandFailure(.software, "no row became visible at \(rate) messages/s")
        }
        let reached = Double(count) / (Double(last - begin) / 1_000_000)
        let commits = Set(rows.map(\.insertedAt)).count
        let perCommit = (10 * Double(rows.count) / Double(max(1, commits))).rounded() / 10
        return BenchmarkResults.Latency(
            rate: Double(rate), p50: percentile(delays, 50), p99: percentile(delays, 99),
            p999: percentile(delays, 99.9),
            limit: reached < 0.9 * Double(rate)
                ? "not kept up with: \(BenchmarkResults.number(Int(reached)))/s, \(perCommit) rows a commit"
                : "kept up with: \(perCommit) rows a commit")
    }

    /// - Returns: when the first was handed over, and the last; in microseconds since 1970.
    private static func publish(
        _ count: Int, rate: Int, customers: Int, on ground: BenchmarkGround, _ course: Course
    ) throws -> (begin: Int64, end: Int64) {
        var course = course
        var writer = MessageWriter()
        var configuration = try Producer.kafkaConfiguration(ground.settings)
        // Nothing waits for company.
        try configuration.set("linger.ms", "0")
        let producer = try KafkaProducer(configuration, topic: ground.topic)
        _ = try producer.cluster.topic(ground.topic, withinMilliseconds: 10_000)
        var readings = BenchmarkReadings(customers: customers, from: Instant(microsecondsSince1970: 0))
        let begin = wallClockMicroseconds()
        let start = ContinuousClock.now
        for number in 0..<count {
            let due = start + Duration.seconds(1) * number / rate
            while due > .now { producer.poll(milliseconds: 1) }
            let now = Instant(microsecondsSince1970: wallClockMicroseconds())
            _ = try PublishMeasure.send(readings.next(at: now), &writer, by: producer)
            if number % 100 == 0 { try course.reach(number, of: count, "messages") }
        }
        let end = wallClockMicroseconds()
        try PublishMeasure.finish(producer, of: count, &course)
        return (begin, end)
    }

    private typealias StoredRow = (source: Int, offset: Int64, recordedAt: Int64, insertedAt: Int64)

    /// The rows of readings that were taken in a time, in microseconds since 1970.
    private static func stored(
        between begin: Int64, and end: Int64, _ connection: PostgreSQLConnection
    ) throws(PostgreSQLError) -> [StoredRow] {
        try connection.query(
            """
            SELECT source_id, kafka_offset, (extract(epoch FROM recorded_at) * 1000000)::bigint AS recorded_us,
                   (extract(epoch FROM inserted_at) * 1000000)::bigint AS inserted_us
              FROM heart_rate_readings
             WHERE recorded_at >= timestamptz 'epoch' + $1::bigint * interval '1 microsecond'
               AND recorded_at <= timestamptz 'epoch' + $2::bigint * interval '1 microsecond'
            """, [begin, end], unableTo: "read the stored rows"
        ).map { row throws(PostgreSQLError) -> StoredRow in
            (try row["source_id"], try row["kafka_offset"], try row["recorded_us"], try row["inserted_us"])
        }
    }

    /// Of sorted values, by the nearest rank.
    static func percentile(_ values: [Double], _ percent: Double) -> Double {
        values[min(values.count - 1, Int(Double(values.count) * percent / 100))]
    }
}

/// When each partition was seen to be stored how far.
private final class OffsetWatch: Sendable {
    /// What was seen of one source.
    struct Steps {
        private var seen: [(next: Int64, time: Int64)] = []

        /// When an offset was stored first, in microseconds since 1970; nil when it was not.
        func time(of offset: Int64) -> Int64? {
            var range = seen.startIndex..<seen.endIndex
            while !range.isEmpty {
                let middle = (range.lowerBound + range.upperBound) / 2
                range = seen[middle].next > offset ? range.lowerBound..<middle : middle + 1..<range.upperBound
            }
            return range.lowerBound < seen.endIndex ? seen[range.lowerBound].time : nil
        }

        mutating func add(_ next: Int64, at time: Int64) {
            if seen.last?.next != next { seen.append((next, time)) }
        }
    }

    private let steps = Mutex<[Int: Steps]>([:])
    private let ended = Latch()
    private let thread = Mutex<WorkThread?>(nil)

    init(_ parameters: [String: String]) throws {
        let connection = try PostgreSQLConnection(parameters, .benchmark)
        let started = try WorkThread(name: "offsets") { [weak self] in
            while let self {
                let isLast = ended.wait(for: .milliseconds(1))
                look(connection)
                if isLast { return }
            }
        }
        thread.withLock { $0 = started }
    }

    /// Looks once more, and ends it.
    func end() -> [Int: Steps] {
        ended.open()
        thread.withLock { $0 }?.join()
        return steps.withLock { $0 }
    }

    private func look(_ connection: PostgreSQLConnection) {
        let found = try? connection.query(
            "SELECT source_id, next_offset FROM kafka_offsets", unableTo: "read \"kafka_offsets\""
        ).map { row throws(PostgreSQLError) -> (source: Int, next: Int64) in
            (try row["source_id"], try row["next_offset"])
        }
        let now = wallClockMicroseconds()
        steps.withLock { steps in
            for place in found ?? [] { steps[place.source, default: Steps()].add(place.next, at: now) }
        }
    }
}
