import FoundationEssentials
public import PostgreSQL

/// `heartbeat database status`: how large the database is, how fast it grows, and how long the disk lasts.
public struct DatabaseStatus: Encodable, Sendable {
    /// The file system that the server's data are on.
    public struct Disk: Encodable, Sendable {
        /// Bytes that are free for the server.
        public let freeBytes: Int64
        /// The folder whose file system that is.
        public let path: String
        /// Where the folder is known from.
        public let source: String
    }

    /// The database's name.
    public let database: String
    /// Everything in it.
    public let bytes: Int64
    /// The partitions of days, without the default one.
    public let partitions: Int
    /// The first and the last day that has one, as `2026-08-25`.
    public let firstPartition, lastPartition: String?
    /// When the oldest and the newest reading were taken, in UTC; customers that a person added are not looked at.
    public let oldestReading, newestReading: String?
    /// The bytes of the default partition, which has readings that were too old for a partition when they came.
    public let defaultPartitionBytes: Int64
    /// Days that are taken out and not dropped yet.
    public let retiredDays: Int
    /// Days that are sealed, and what they have.
    public let sealed: SealedDays
    /// The mean size of the whole days of the last week that are not sealed; nil before the first whole day.
    public let bytesPerDay: Int64?
    /// Nil when it cannot be known from here: `diskUnknown` says why.
    public let disk: Disk?
    /// Why the disk is not known.
    public let diskUnknown: String?
    /// How long the disk lasts at the last week's growth, which is that of sealed days and their roll-ups when there are any;
    /// nil when that is not known or retention stops the growth before.
    public let daysUntilFull: Int?
    /// Whether so little is free that PostgreSQL is about to stop, or has stopped, taking rows.
    public let isFull: Bool
    /// Whether retention stops the growth before the disk is full.
    public let isKeptByRetention: Bool

    /// Looks at the database.
    ///
    /// - Parameters:
    ///   - retentionDays: after how many days readings are dropped.
    ///   - rollupRetentionDays: after how many days roll-ups are, but not before readings; 0 for never.
    /// - Throws: `PostgreSQLError`.
    public init(
        retentionDays: Int, rollupRetentionDays: Int, _ connection: PostgreSQLConnection
    ) throws(PostgreSQLError) {
        let isAllowed: Bool = try connection.query(
            "SELECT has_schema_privilege('public', 'USAGE')", unableTo: "ask for the role's rights"
        ).value()
        if !isAllowed { try connection.act(as: DatabaseSetup.owner) }
        let sizes = try Sizes(connection)
        sealed = try SealedDays(connection)
        let days = try Day.all(connection)
        database = sizes.database
        bytes = sizes.bytes
        defaultPartitionBytes = sizes.defaultPartition
        retiredDays = sizes.retiredDays
        partitions = days.count
        firstPartition = days.first.map { day(of: $0.partition) }
        lastPartition = days.last.map { day(of: $0.partition) }
        let oldestRow = try Self.end("ASC", of: days.map(\.partition), connection)
        oldestReading = [oldestRow, sealed.oldestReading].compactMap(\.self).min()
        let newestRow = try Self.end("DESC", of: days.reversed().map(\.partition), connection)
        newestReading = newestRow ?? sealed.newestBlock
        bytesPerDay = Self.growth(days.filter { (1...7).contains($0.age) }.map(\.bytes))
        (disk, diskUnknown) = Self.disk(connection)
        isFull = disk.map { $0.freeBytes < Self.fullBytes } ?? false
        // What is older than the first day with readings is not to be dropped before it is old enough.
        let oldest = max(days.first { $0.bytes > Self.emptyPartitionBytes }?.age ?? 0, sealed.oldestAge ?? 0)
        let growths = Self.growths(
            of: sealed, unsealed: bytesPerDay, steadyIn: max(0, retentionDays - oldest),
            rollupRetentionDays == 0 ? nil : max(rollupRetentionDays, retentionDays))
        let forecast = disk.flatMap { growths.isEmpty ? nil : DiskForecast(freeBytes: $0.freeBytes, growths) }
        daysUntilFull = isFull ? 0 : forecast?.daysUntilFull
        isKeptByRetention = !isFull && forecast != nil && daysUntilFull == nil
    }

    private struct Sizes {
        let database: String
        let bytes, defaultPartition: Int64
        let retiredDays: Int

        init(_ connection: PostgreSQLConnection) throws(PostgreSQLError) {
            let rows = try connection.query(
                """
                SELECT current_database() AS database, pg_database_size(current_database()) AS bytes,
                       pg_total_relation_size('heart_rate_readings_default') AS default_partition,
                       (SELECT count(*) FROM pg_inherits WHERE inhparent = 'heart_rate_readings_retired'::regclass)
                       AS retired_days
                """, unableTo: "measure the database")
            let sizes = try rows.map { row throws(PostgreSQLError) in
                (
                    database: try row["database"] as String, bytes: try row["bytes"] as Int64,
                    defaultPartition: try row["default_partition"] as Int64, retiredDays: try row["retired_days"] as Int
                )
            }
            (database, bytes, defaultPartition, retiredDays) = sizes[0]
        }
    }

    /// The partition of a day.
    private struct Day {
        let partition: String
        let bytes: Int64
        /// In days; negative for a day to come.
        let age: Int

        static func all(_ connection: PostgreSQLConnection) throws(PostgreSQLError) -> [Day] {
            try connection.query(
                """
                SELECT c.relname, pg_total_relation_size(c.oid) AS bytes,
                       ((now() AT TIME ZONE 'UTC')::date - to_date(right(c.relname, 8), 'YYYYMMDD')) AS age
                  FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
                 WHERE i.inhparent = 'heart_rate_readings'::regclass AND c.relname ~ '^heart_rate_readings_[0-9]{8}$'
                 ORDER BY c.relname
                """, unableTo: "measure the partitions"
            ).map { row throws(PostgreSQLError) in
                Day(partition: try row["relname"], bytes: try row["bytes"], age: try row["age"])
            }
        }
    }

    /// Four files of PostgreSQL's write-ahead log, which each transaction needs.
    private static let fullBytes: Int64 = 4 * 16_777_216

    /// A partition without rows has the first pages of its indexes.
    private static let emptyPartitionBytes: Int64 = 65_536

    private static func growth(_ sizes: [Int64]) -> Int64? {
        let filled = sizes.filter { $0 > emptyPartitionBytes }
        return filled.isEmpty ? nil : filled.reduce(0, +) / Int64(filled.count)
    }

    /// Readings and roll-ups; nothing when it is not known how readings grow.
    ///
    /// - Parameters:
    ///   - days: when readings stop growing.
    ///   - rollupDays: after how many days roll-ups are dropped; nil for never.
    private static func growths(
        of sealed: SealedDays, unsealed: Int64?, steadyIn days: Int, _ rollupDays: Int?
    ) -> [DiskForecast.Growth] {
        guard let bytes = sealed.bytesPerDay ?? unsealed, bytes > 0 else { return [] }
        let rollups = sealed.rollupBytesPerDay.map { bytes in
            DiskForecast.Growth(
                bytesPerDay: bytes, steadyIn: rollupDays.map { max(0, $0 - (sealed.oldestRollupAge ?? 0)) })
        }
        return [DiskForecast.Growth(bytesPerDay: bytes, steadyIn: days)] + [rollups].compactMap(\.self)
    }

    /// The time of the first reading, by one look into the index for each customer.
    private static func end(
        _ order: String, of partitions: [String], _ connection: PostgreSQLConnection
    ) throws(PostgreSQLError) -> String? {
        for name in partitions {
            let found: [String] = try connection.query(
                """
                SELECT to_char(recorded_at, 'YYYY-MM-DD"T"HH24:MI:SS"Z"') FROM customers c CROSS JOIN LATERAL (
                    SELECT recorded_at FROM heart_rate_readings r
                     WHERE r.customer_id = c.customer_id AND recorded_at >= timestamptz '\(day(of: name))Z'
                       AND recorded_at < timestamptz '\(day(of: name))Z' + interval '1 day'
                     ORDER BY recorded_at \(order) LIMIT 1) first
                 ORDER BY recorded_at \(order) LIMIT 1
                """, unableTo: "look for a reading in \"\(name)\""
            ).column()
            if let time = found.first { return time }
        }
        return nil
    }

    /// Only the server knows where its data are, and only on its own machine that means anything.
    private static func disk(_ connection: PostgreSQLConnection) -> (Disk?, String?) {
        let isLocal: Bool? = try? connection.query(
            "SELECT inet_server_addr() IS NULL", unableTo: "ask for the server's address"
        ).value()
        guard isLocal ?? true else { return (nil, "the server is reached over the network: look at its own disk") }
        let reported: String? = try? connection.query(
            "SELECT current_setting('data_directory')", unableTo: "ask for the server's folder"
        ).value()
        let path = reported ?? "/var/lib/postgresql"
        let attributes = try? FileManager.default.attributesOfFileSystem(forPath: path)
        guard let free = attributes?[.systemFreeSize] as? any BinaryInteger else {
            return (nil, "unable to look at \"\(path)\"")
        }
        let source =
            reported == nil
            ? "Debian's folder of clusters, since the role may not see data_directory" : "the server's data_directory"
        return (Disk(freeBytes: Int64(free), path: path, source: source), nil)
    }
}

extension DatabaseStatus {
    /// For people: a line for each thing, `NAME: TEXT`.
    public var text: String { lines.map { "\($0.name): \($0.text)" }.joined(separator: "\n") }

    /// The same in its parts.
    public var lines: [(name: String, text: String)] {
        var lines = [(name: "database \"\(database)\"", text: Self.size(bytes))]
        func add(_ name: String, _ text: String) { lines.append((name, text)) }
        add(
            "readings",
            oldestReading.flatMap { oldest in newestReading.map { "\(oldest) to \($0)" } } ?? "none in the kept days")
        add(
            "partitions",
            "\(partitions)" + (firstPartition.flatMap { first in lastPartition.map { ", \(first) to \($0)" } } ?? "")
                + "; default partition \(Self.size(defaultPartitionBytes))"
                + (retiredDays > 0 ? "; \(retiredDays) days wait to be dropped" : ""))
        if sealed.days > 0 {
            add("sealed", "\(sealed.days) days with \(sealed.readings) readings, \(Self.size(sealed.bytes))")
            add("roll-ups", "\(Self.size(sealed.rollupBytes)), one of each customer and sealed day")
        }
        add(
            "growth",
            (sealed.bytesPerDay.map { "\(Self.size($0)) a sealed day; " } ?? "")
                + (sealed.rollupBytesPerDay.map { "\(Self.size($0)) of roll-ups a day; " } ?? "")
                + (bytesPerDay.map { "\(Self.size($0)) a day (mean of the whole days of the last week)" }
                    ?? "not known before the first whole day"))
        add(
            "disk",
            disk.map { "\(Self.size($0.freeBytes)) free at \"\($0.path)\" (\($0.source))" }
                ?? "not known: \(diskUnknown ?? "")")
        add("full", full)
        return lines
    }

    private var full: String {
        if isFull { return "now" }
        if isKeptByRetention { return "never, at this growth: retention drops days before" }
        return daysUntilFull.map { "in \($0) days" } ?? "not known"
    }

    /// A number of bytes for people: `4.2 GB`.
    public static func size(_ bytes: Int64) -> String {
        var number = Double(bytes)
        for unit in ["bytes", "kB", "MB", "GB"] {
            if number < 1000 { return unit == "bytes" ? "\(bytes) bytes" : "\((number * 10).rounded() / 10) \(unit)" }
            number /= 1000
        }
        return "\((number * 10).rounded() / 10) TB"
    }
}
