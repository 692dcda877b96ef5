import Foundation
import Harness
import Testing

/// The clock of server and commands is moved by libfaketime; the databases' time zones are others than UTC.
@Suite("Days of a year", .ownFolder, .logsOnFailure) struct CalendarTests {
    /// A zone, and days before and on which its clocks change. Where they do not change in 2026, some days.
    struct Zone: Sendable, CustomTestStringConvertible {
        let name: String
        let days: [String]
        var testDescription: String { name }
    }

    private static let zones = [
        Zone(
            name: "Europe/Berlin",
            days: ["2026-03-22", "2026-03-28", "2026-03-29", "2026-10-18", "2026-10-24", "2026-10-25"]),
        Zone(name: "America/Sao_Paulo", days: ["2026-02-14", "2026-10-18"]),
        Zone(
            name: "Australia/Lord_Howe",
            days: ["2026-03-29", "2026-04-04", "2026-04-05", "2026-09-27", "2026-10-03", "2026-10-04"]),
        Zone(name: "Pacific/Apia", days: ["2026-01-01", "2026-12-31"]),
    ]
    private static let isLong = ProcessInfo.processInfo.environment["HEARTBEAT_TEST_LONG"] != nil

    @Test("whatever the day and the time zone, setup and maintenance make UTC days", arguments: zones)
    func days(zone: Zone) async throws {
        let file = try TestFolder.required().write("clock", "+0")
        let clock = try Faketime.settings(file: file)
        let cluster = try await PrivatePostgreSQL(environment: clock)
        let days = Self.isLong ? Self.year : zone.days
        try await PrivatePostgreSQL.$current.withValue(cluster) {
            // A setup under a later clock would have made the partitions of later days.
            try Self.set(file, to: days[0])
            let kept = try await Self.database(in: zone.name, clock)
            for day in days {
                try Self.set(file, to: day)
                try await Self.expectDays(kept, "\(zone.name), \(day)", from: day, clock: clock)
                let new = try await Self.database(in: zone.name, clock)
                try await Self.expectDays(new, "\(zone.name), \(day), new", from: day, clock: clock)
                new.disconnect()
                try kept.rows("DROP DATABASE \(new.name) WITH (FORCE)")
            }
        }
        print("\(days.count) days in \(zone.name)")
        try await cluster.stop(.fast)
    }

    private static let year = (0..<365).map { day in
        Date(timeIntervalSince1970: 1_767_225_600 + Double(day) * 86_400).formatted(.iso8601.year().month().day())
    }

    /// Moves the clock to a moment of a day at which it is another day in the zones.
    private static func set(_ file: String, to day: String) throws {
        let midnight = try Date("\(day)T00:00:00Z", strategy: .iso8601)
        let offset = midnight.timeIntervalSinceNow + 81_000
        // A server that reads the file meanwhile must not find half of it.
        try "\(offset < 0 ? "" : "+")\(Int(offset))".write(toFile: file, atomically: true, encoding: .utf8)
        chmod(file, 0o644)
    }

    private static func database(in zone: String, _ clock: [String: String]) async throws -> TestDatabase {
        let database = try TestDatabase.withoutSetup()
        try await run(["setup"], database, as: "postgres", clock: clock)
        try database.rows(
            """
            ALTER DATABASE \(database.name) SET TimeZone = '\(zone)';
            ALTER DATABASE \(database.name) SET DateStyle = 'SQL, DMY'
            """)
        return database
    }

    private static func expectDays(
        _ database: TestDatabase, _ label: String, from day: String, clock: [String: String]
    ) async throws {
        try await run(["setup"], database, as: "postgres", clock: clock)
        try await run(["maintain"], database, as: "heartbeat-maintenance", clock: clock)
        let wrong = try database.rows(
            """
            SELECT relname, pg_get_expr(relpartbound, oid) FROM pg_class
             WHERE relname ~ '^heart_rate_readings_[0-9]{8}$'
               AND pg_get_expr(relpartbound, oid) <> format('FOR VALUES FROM (%L) TO (%L)',
                       to_date(right(relname, 8), 'YYYYMMDD')::timestamp AT TIME ZONE 'UTC',
                       to_date(right(relname, 8), 'YYYYMMDD')::timestamp AT TIME ZONE 'UTC' + interval '24 hours')
            """)
        #expect(wrong.isEmpty, "\(label)")
        let coming = try database.rows(
            """
            SELECT min(day), count(*) FROM (SELECT right(relname, 8) AS day FROM pg_class
             WHERE relname ~ '^heart_rate_readings_[0-9]{8}$') AS partitions
             WHERE day >= to_char(now() AT TIME ZONE 'UTC', 'YYYYMMDD')
            """)
        #expect(coming == [[day.replacing("-", with: ""), "8"]], "\(label)")
    }

    private static func run(
        _ command: [String], _ database: TestDatabase, as role: String, clock: [String: String]
    ) async throws {
        let finished = try await Heartbeat.run(
            ["database"] + command, database.settings(as: role).merging(clock) { $1 })
        #expect(finished.end == .exited(0), "\(command): \(finished.log)")
    }
}
