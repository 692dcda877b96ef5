import Daemon
import Database
import HeartRate
import PostgreSQL
import Schema
import SharedSettings

/// How fast maintenance seals a day that is over, and what a reading takes before and after.
struct SealMeasure {
    /// More would take minutes.
    private static let mostReadings = 360_000
    private static let secondsOfAnHour = 3600
    /// Sensors are not on time to the microsecond.
    private static let jitter: Int64 = 40_000
    private static let daysAgo: Int64 = 3

    static func run(
        readings: Int, on ground: BenchmarkGround, _ stop: StopSignal, _ course: Course
    ) throws -> BenchmarkResults.Sealing {
        let connection = try PostgreSQLConnection(ground.parameters, .benchmark)
        try connection.act(as: DatabaseSetup.owner)
        let total = min(readings, Self.mostReadings)
        let day = Instant(microsecondsSince1970: wallClockMicroseconds()).daysSince1970 - Self.daysAgo
        // From noon on, whole hours.
        let noon = Instant(microsecondsSince1970: (day * 24 + 12) * 3_600_000_000)
        let customers = max(1, total / Self.secondsOfAnHour)
        _ = try CopyMeasure.copy(
            BenchmarkReadings(customers: customers, from: noon, jitter: Self.jitter), rows: total, batch: 20_000,
            through: connection, (nil, course))
        let before: Int64 = try connection.query(
            """
            SELECT pg_total_relation_size(
                ('heart_rate_readings_' || to_char(date '1970-01-01' + $1::integer, 'YYYYMMDD'))::regclass)
            """, [Int(day)], unableTo: "measure the rows"
        ).value()
        let watch = try SessionWatch(on: "heartbeat-maintenance", ground.parameters)
        watch.begin()
        let start = ContinuousClock.now
        let sealed = try seal(ground, stop)
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        let limit = watch.end(waitingFor: "its pauses, in which batches have the server")
        try course.expectGoing()
        guard sealed == total else {
            throw CommandFailure(.software, "\(sealed) of \(total) readings were sealed")
        }
        let after: Int64 = try connection.query(
            "SELECT pg_total_relation_size('sealed_readings')", unableTo: "measure the sealed readings"
        ).value()
        return BenchmarkResults.Sealing(
            perSecond: Double(total) / seconds, limit: limit, bytesInRows: Double(before) / Double(total),
            bytesSealed: Double(after) / Double(total))
    }

    /// Runs maintenance as its unit does.
    private static func seal(_ ground: BenchmarkGround, _ stop: StopSignal) throws -> Int {
        let settings = try Settings(
            .database, file: "/dev/null",
            environment: ground.databaseEnvironment.merging(["SEAL_AFTER_DAYS": "\(daysAgo - 1)"]) { $1 })
        var maintenance = try Maintenance(
            settings, PostgreSQLConnection(ground.parameters, .maintenance),
            lock: PostgreSQLConnection(ground.parameters, .maintenanceLock), stop: stop)
        guard let summary = try maintenance.run() else { return 0 }
        return Int(summary.sealedReadings)
    }
}
