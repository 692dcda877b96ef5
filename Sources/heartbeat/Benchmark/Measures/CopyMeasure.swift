import Daemon
import Database
import HeartRate
import PostgreSQL
import Schema

/// How fast one session takes the same rows into the same tables, by COPY and with nothing else: what a consumer could reach.
struct CopyMeasure {
    /// More say nothing new.
    private static let mostRows = 1_000_000

    /// What a source of messages is not, for rows that came from none.
    static let sourceID: Int32 = 1_000_000

    static func run(
        _ readings: BenchmarkReadings, rows: Int, batch: Int, on ground: BenchmarkGround, _ course: Course
    ) throws -> BenchmarkResults.Rate {
        let connection = try PostgreSQLConnection(ground.parameters, .benchmark)
        try connection.act(as: DatabaseSetup.owner)
        let total = min(rows, Self.mostRows)
        let watch = try SessionWatch(on: "heartbeat-benchmark", ground.parameters)
        let seconds = try copy(readings, rows: total, batch: batch, through: connection, (watch, course))
        let limit = watch.end(waitingFor: "this program, which sends the rows")
        // The table has to be as empty for the consumer.
        try connection.execute("TRUNCATE heart_rate_readings", unableTo: "empty \"heart_rate_readings\"")
        return BenchmarkResults.Rate(perSecond: Double(total) / seconds, limit: limit)
    }

    /// Copies readings, a transaction for each batch.
    ///
    /// - Returns: how long that took, in seconds, without the time in which the rows were made.
    static func copy(
        _ readings: BenchmarkReadings, rows: Int, batch: Int, through connection: PostgreSQLConnection,
        _ tools: (watch: SessionWatch?, course: Course)
    ) throws -> Double {
        var (readings, course) = (readings, tools.course)
        try connection.query(
            "SELECT create_readings_partition(date '1970-01-01' + $1::integer)", [Int(readings.firstDay)],
            unableTo: "make a partition")
        var buffer = CopyBuffer(capacity: 1 << 20)
        var elapsed = Duration.zero
        while readings.count < rows {
            try course.reach(readings.count, of: rows, "rows")
            buffer.removeAll()
            for _ in 0..<min(batch, rows - readings.count) { append(readings.next(), readings.count, to: &buffer) }
            let start = ContinuousClock.now
            tools.watch?.begin()
            try connection.start(
                """
                BEGIN; COPY heart_rate_readings (customer_id, recorded_at, heart_rate, is_anomaly, anomaly_reason, source_id, \
                kafka_offset, activity, is_suspect) FROM STDIN (FORMAT binary); COMMIT
                """, unableTo: "send rows")
            try connection.copy(buffer, unableTo: "copy rows")
            try connection.finish(unableTo: "commit rows")
            tools.watch?.pause()
            elapsed += ContinuousClock.now - start
        }
        return elapsed / .seconds(1)
    }

    private static func append(_ reading: Reading, _ number: Int, to buffer: inout CopyBuffer) {
        let anomaly = AnomalyRule().judge(reading.heartRate)
        buffer.beginRow(fields: 9)
        buffer.append(reading.customerID.utf8)
        buffer.append(reading.recordedAt.microsecondsSince2000)
        buffer.append(reading.heartRate)
        buffer.append(anomaly != nil)
        if let anomaly { anomaly.withReason { buffer.append($0) } } else { buffer.appendNull() }
        buffer.append(sourceID)
        buffer.append(Int64(number))
        if let activity = reading.activity { buffer.append(activity.code) } else { buffer.appendNull() }
        buffer.append(false)
    }
}
