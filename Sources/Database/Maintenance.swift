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
        /// The days that were sealed, or got late readings into their seals, as `2026-08-25`.
        public internal(set) var sealed: [String] = []
        /// Readings that were sealed.
        public internal(set) var sealedReadings: Int64 = 0
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
    let parameters: [String: String]
    private let settings: Settings
    var summary = Summary()
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
        parameters = settings.postgresParameters
        self.connection = connection
        try connection.act(as: DatabaseSetup.owner)
        if let error = try connection.schemaError() { throw error }
    }

    /// Does what is due. A step that fails is logged, and the others are done all the same.
    ///
    /// - Returns: nil when another maintenance is running.
    /// - Throws: `PostgreSQLError` when the session is lost.
    public mutating func run() throws(PostgreSQLError) -> Summary? {
        guard try isAlone() else { return nil }
        // What an earlier run has left comes first.
        try finishRetired()
        try attempt("look at the partitions' bounds") { run throws(PostgreSQLError) in
            // Each setup names those that it leaves.
            try run.connection.query("SELECT drop_misplaced_partitions()", unableTo: "look at the partitions' bounds")
        }
        for day in 0...settings[.partitionDaysAhead] where !stop.isRequested {
            try attempt("make a partition") { run throws(PostgreSQLError) in
                if try run.makePartition(of: "(now() AT TIME ZONE 'UTC')::date + \(day)") { run.summary.made += 1 }
            }
        }
        try retireOldDays(settings[.retentionDays])
        try attempt("empty the default partition") { run throws(PostgreSQLError) in
            run.summary.readings += try run.dropOldDefaultRows(retentionDays: run.settings[.retentionDays])
        }
        try attempt("delete rejected messages") { run throws(PostgreSQLError) in
            run.summary.rejected += try run.dropRejected(retentionDays: run.settings[.rejectedRetentionDays])
        }
        try attempt("delete notifications") { run throws(PostgreSQLError) in try run.dropNotifications() }
        try attempt("delete roll-ups") { run throws(PostgreSQLError) in
            try run.dropOldRollups(
                after: run.settings[.rollupRetentionDays], retentionDays: run.settings[.retentionDays])
        }
        try dropTally()
        try sealOldDays(sealAfterDays: settings[.sealAfterDays], retentionDays: settings[.retentionDays])
        try attempt("roll sealed days up") { run throws(PostgreSQLError) in try run.rollUpSealedDays() }
        return summary
    }

    /// Whether this is the only maintenance that runs; from then on it is.
    ///
    /// As one simple query: one by the extended protocol keeps its snapshot until the transaction ends, so that the server
    /// could clean none of the rows that batches update, which are millions within an hour.
    func isAlone() throws(PostgreSQLError) -> Bool {
        try lock.execute("BEGIN; \(AdvisoryLock.maintenance.attempt)", unableTo: "look for another maintenance").value()
    }

    private mutating func retireOldDays(_ retentionDays: Int) throws(PostgreSQLError) {
        let closed = try closedTables(olderThan: retentionDays)
        for table in try partitions(olderThan: retentionDays) + closed where !stop.isRequested {
            try attempt("retire \(table)") { run throws(PostgreSQLError) in
                try run.retire(table, isClosed: closed.contains(table))
            }
            try finishRetired()
        }
        for day in try sealedDays(olderThan: retentionDays) where !stop.isRequested {
            try attempt("drop the sealed readings of \(day)") { run throws(PostgreSQLError) in
                run.summary.readings += try run.connection.query(
                    "SELECT drop_sealed_day($1::date)", [day], unableTo: "drop the sealed readings of \(day)"
                ).value()
                if !run.summary.dropped.contains(day) { run.summary.dropped.append(day) }
            }
        }
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

    mutating func attempt(
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

    /// - Parameter day: the expression for a day.
    /// - Returns: false when it is there already.
    func makePartition(of day: String) throws(PostgreSQLError) -> Bool {
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

    /// Partitions of days that are older than some days, oldest first.
    func partitions(olderThan days: Int) throws(PostgreSQLError) -> [String] {
        try names(
            """
            SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
             WHERE i.inhparent = 'heart_rate_readings'::regclass AND c.relname ~ '^heart_rate_readings_[0-9]{8}$'
               AND right(c.relname, 8) < to_char((now() AT TIME ZONE 'UTC')::date - $1::integer, 'YYYYMMDD')
             ORDER BY c.relname
            """, [days])
    }

    /// Days that wait to be sealed, oldest first.
    func closedTables(olderThan days: Int = 0) throws(PostgreSQLError) -> [String] {
        try names(
            """
            SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
             WHERE i.inhparent = 'heart_rate_readings_closed'::regclass
               AND right(c.relname, 8) < to_char((now() AT TIME ZONE 'UTC')::date - $1::integer, 'YYYYMMDD')
             ORDER BY c.relname
            """, [days])
    }

    private func sealedDays(olderThan days: Int) throws(PostgreSQLError) -> [String] {
        try names(
            """
            SELECT DISTINCT day::text FROM seals WHERE day < (now() AT TIME ZONE 'UTC')::date - $1::integer ORDER BY 1
            """, [days])
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

    /// Changes tables that nobody else uses. An autovacuum may be at work on them, which PostgreSQL ends only when somebody has
    /// waited for it for a second.
    func changeOwnTables(_ sql: String, unableTo action: String) throws(PostgreSQLError) {
        try patiently { run throws(PostgreSQLError) in
            try run.connection.execute("SET LOCAL lock_timeout = '3s'; \(sql)", unableTo: action)
        }
    }
}

/// `2026-08-25` of `heart_rate_readings_20260825`.
func day(of partition: String) -> String {
    let digits = partition.suffix(8)
    return "\(digits.prefix(4))-\(digits.dropFirst(4).prefix(2))-\(digits.suffix(2))"
}
