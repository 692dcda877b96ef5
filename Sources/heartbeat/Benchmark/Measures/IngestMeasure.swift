import Daemon
import PostgreSQL
import Schema

/// How fast the consumer, which runs as it always does, stores what waits in Kafka.
struct IngestMeasure {
    static func run(messages: Int, on ground: BenchmarkGround, _ course: Course) throws -> BenchmarkResults.Rate {
        var course = course
        let connection = try PostgreSQLConnection(ground.parameters, .benchmark)
        let watch = try SessionWatch(on: "heartbeat-consumer", ground.parameters)
        let start = ContinuousClock.now
        var first = 0
        while first == 0 {
            course.pause(milliseconds: 2)
            first = try stored(connection)
            try course.reach(first, of: messages, "messages")
        }
        let firstAt = ContinuousClock.now
        watch.begin()
        var last = first
        while last < messages {
            course.pause(milliseconds: 5)
            last = try stored(connection)
            try course.reach(last, of: messages, "messages")
        }
        let now = ContinuousClock.now
        let limit = watch.end(waitingFor: "the consumer, or Kafka")
        // Of few messages the first commit has all; then the consumer's start counts as well.
        let rate =
            first < messages
            ? Double(messages - first) / ((now - firstAt) / .seconds(1))
            : Double(messages) / ((firstAt - start) / .seconds(1))
        return BenchmarkResults.Rate(perSecond: rate, limit: limit)
    }

    /// How many messages are stored.
    static func stored(_ connection: PostgreSQLConnection) throws(PostgreSQLError) -> Int {
        try connection.query(
            "SELECT coalesce(sum(next_offset - first_offset), 0)::bigint FROM kafka_offsets",
            unableTo: "read \"kafka_offsets\""
        ).value()
    }
}
