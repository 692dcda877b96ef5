public import Daemon
import Logging
public import PostgreSQL
import Schema
import SharedSettings

/// `heartbeat database maintain`: partitions for the days to come, and no more rows than retention allows.
///
/// It runs beside the consumers and holds none of them up: it waits 50 ms at most for a lock that they need, and everything
/// that takes long happens where nobody writes any more. It can be ended at any moment; the next run continues. Nothing
/// depends on it: a consumer makes a day's partition itself when it is missing.
public struct Maintenance {
    /// What a run has done.
    public struct Summary: Sendable, Equatable {
        /// New partitions.
        public internal(set) var made = 0
        /// The days that were dropped, as `2026-08-25`.
        public internal(set) var dropped: [String] = []
        /// Readings that were dropped, with their days or out of the default partition.
        public internal(set) var readings: Int64 = 0
        /// Rejected messages that were deleted.
        public internal(set) var rejected: Int64 = 0
        /// Steps that failed; the next run tries them again.
        public internal(set) var failures = 0
    }

    let connection: PostgreSQLConnection
    /// Holds the lock that only one maintenance has, in a transaction that lasts as long as the run.
    private let lock: PostgreSQLConnection
    let logger = Logger(label: "maintenance")
    let stop: StopSignal
    private let settings: Settings
    private var summary = Summary()
    /// Causes that were told: a right that is missing fails many steps.
    private var told: Set<String> = []

    /// Becomes the owner of the database.
    ///
    /// - Parameters:
    ///   - connection: a session with `SessionParameters.maintenance`.
    ///   - lock: another one with `SessionParameters.maintenanceLock`.
    /// - Throws: `PostgreSQLError`; `SchemaError` when the schema is not the one that this program knows.
    public init(
        _ settings: Settings, _ connection: PostgreSQLConnection, lock: PostgreSQLConnection, stop: StopSignal
    ) throws {
        self.settings = settings
        self.lock = lock
        self.stop = stop
        self.connection = connection
        try connection.act(as: DatabaseSetup.owner)
        if let error = try connection.schemaError() { throw error }
    }

    /// Does what is due. A step that fails is logged, and the others are done all the same.
    ///
    /// - Returns: nil when another maintenance is running.
    /// - Throws: `PostgreSQLError` when the session is lost.
    public mutating func run() throws(PostgreSQLError) -> Summary? {
        try lock.execute("BEGIN", unableTo: "start a transaction")
        let isAlone: Bool = try lock.query(
            AdvisoryLock.maintenance.attempt, unableTo: "look for another maintenance"
        ).value()
        guard isAlone else { return nil }
        // What an earlier run has left comes first.
        try finishRetired()
        try attempt("look at the partitions' bounds") { run throws(PostgreSQLError) in
            // Each setup names those that it leaves.
            try run.connection.query("SELECT drop_misplaced_partitions()", unableTo: "look at the partitions' bounds")
        }
        for day in 0...settings[.partitionDaysAhead] where !stop.isRequested {
            try attempt("make a partition") { run throws(PostgreSQLError) in
                if try run.makePartition(daysAhead: day) { run.summary.made += 1 }
            }
        }
        for partition in try oldPartitions() where !stop.isRequested {
            try attempt("retire \(partition)") { run throws(PostgreSQLError) in try run.retire(partition) }
            try finishRetired()
        }
        try attempt("empty the default partition") { run throws(PostgreSQLError) in
            run.summary.readings += try run.dropOldDefaultRows(retentionDays: run.settings[.retentionDays])
        }
        try attempt("delete rejected messages") { run throws(PostgreSQLError) in
            run.summary.rejected += try run.dropRejected(retentionDays: run.settings[.rejectedRetentionDays])
        }
        try dropTally()
        return summary
    }

    private mutating func finishRetired() throws(PostgreSQLError) {
        for table in try retiredTables() where !stop.isRequested {
            try attempt("drop \(table)") { run throws(PostgreSQLError) in
                guard try run.completeRollUp(of: table), let readings = try run.account(andDrop: table) else { return }
                run.summary.readings += readings
                run.summary.dropped.append(day(of: table))
            }
        }
    }

    private mutating func attempt(
        _ step: String, _ body: (inout Maintenance) throws(PostgreSQLError) -> Void
    ) throws(PostgreSQLError) {
        do throws(PostgreSQLError) {
            try body(&self)
        } catch {
            guard !connection.isBroken else { throw error }
            if connection.isInTransaction { try connection.execute("ROLLBACK", unableTo: "roll back") }
            summary.failures += 1
            guard told.insert(error.cause).inserted else { return logger.debug("\(step): \(error)") }
            var fields: Logger.Metadata = ["HEARTBEAT_STEP": "\(step)"]
            if let state = error.sqlState { fields["POSTGRES_SQLSTATE"] = "\(state.rawValue)" }
            logger.report(.maintenanceFailed, "\(step): \(error). The next run tries it again", fields: fields)
        }
    }

    // MARK: - Partitions

    /// Today's partition or that of a day to come.
    private func makePartition(daysAhead: Int) throws(PostgreSQLError) -> Bool {
        let day = "((now() AT TIME ZONE 'UTC')::date + \(daysAhead))"
        let exists: Bool = try connection.query(
            "SELECT to_regclass('heart_rate_readings_' || to_char(\(day), 'YYYYMMDD')) IS NOT NULL",
            unableTo: "look for a partition"
        ).value()
        guard !exists else { return false }
        return try patiently { run throws(PostgreSQLError) in
            // The one lock that others may want. create_readings_partition would wait for it longer than we may.
            try run.connection.execute(
                "BEGIN; LOCK TABLE heart_rate_readings_default IN ACCESS EXCLUSIVE MODE",
                unableTo: "lock the default partition")
            let isMade: Bool = try run.connection.query(
                "SELECT create_readings_partition(\(day))", unableTo: "make a partition"
            ).value()
            try run.connection.execute("COMMIT", unableTo: "make a partition")
            return isMade
        }
    }

    /// The days that retention no longer keeps, oldest first, by the names of their partitions.
    private func oldPartitions() throws(PostgreSQLError) -> [String] {
        try names(
            """
            SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
             WHERE i.inhparent = 'heart_rate_readings'::regclass AND c.relname ~ '^heart_rate_readings_[0-9]{8}$'
               AND right(c.relname, 8) < to_char((now() AT TIME ZONE 'UTC')::date - $1::integer, 'YYYYMMDD')
             ORDER BY c.relname
            """, [settings[.retentionDays]])
    }

    private func retiredTables() throws(PostgreSQLError) -> [String] {
        try names(
            """
            SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
             WHERE i.inhparent = 'heart_rate_readings_retired'::regclass ORDER BY c.relname
            """, [])
    }

    private func names(
        _ sql: String, _ parameters: [any PostgreSQLParameter]
    ) throws(PostgreSQLError) -> [String] {
        try connection.query(sql, parameters, unableTo: "list the partitions").column()
    }

    /// Does something that needs locks which the consumers hold for a moment: it tries repeatedly, each time for 50 ms at
    /// most, so that nobody waits longer than that behind it.
    func patiently<Answer>(
        _ body: (Maintenance) throws(PostgreSQLError) -> Answer
    ) throws(PostgreSQLError) -> Answer {
        var backoff = Backoff(from: .milliseconds(200), to: .seconds(2))
        while true {
            do throws(PostgreSQLError) {
                return try body(self)
            } catch {
                // Some minutes of trying; longer is for the next run.
                guard error.sqlState == .lockNotAvailable, backoff.attempts < 300 else { throw error }
                if connection.isInTransaction { try connection.execute("ROLLBACK", unableTo: "roll back") }
                guard !stop.wait(for: backoff.next()) else { throw error }
            }
        }
    }
}

/// `2026-08-25` of `heart_rate_readings_20260825`.
func day(of partition: String) -> String {
    let digits = partition.suffix(8)
    return "\(digits.prefix(4))-\(digits.dropFirst(4).prefix(2))-\(digits.suffix(2))"
}
