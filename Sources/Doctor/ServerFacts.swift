import Daemon
import PostgreSQL

/// What the server says of itself, and what to say of it.
struct ServerFacts: Equatable {
    /// Who asks.
    var role = ""
    var database = ""
    /// Whether it is a standby, or has been told to take no writes.
    var isReadOnly = false
    var hasFsync = true
    var hasFullPageWrites = true
    var hasAutovacuum = true
    /// How many rows of `customer_state` the server has not cleaned yet, and how many there are besides.
    var deadStates: Int64 = 0
    var liveStates: Int64 = 0
    /// How many more sessions the server or the database takes from ordinary roles.
    var connectionsLeft = 100
    /// The version of the database's collation when it was made; nil when it has none.
    var collation: String?
    /// The same, as the system has it now.
    var collationNow: String?
    /// How far the server's clock is ahead of this one, in milliseconds.
    var clockAhead: Int64 = 0

    init() {}

    /// Asks the server.
    init(_ connection: PostgreSQLConnection) throws(PostgreSQLError) {
        let before = wallClockMicroseconds()
        let found = try connection.query(
            """
            SELECT current_user::text AS role, current_database()::text AS database,
                   pg_is_in_recovery() AS read_only,
                   current_setting('fsync')::boolean AS fsync,
                   current_setting('full_page_writes')::boolean AS full_page_writes,
                   current_setting('autovacuum')::boolean AS autovacuum,
                   least(current_setting('max_connections')::integer
                         - current_setting('superuser_reserved_connections')::integer
                         - (SELECT sum(numbackends) FROM pg_stat_database),
                         CASE WHEN datconnlimit < 0 THEN NULL ELSE datconnlimit
                              - (SELECT numbackends FROM pg_stat_database WHERE datname = current_database()) END
                   )::integer AS connections_left,
                   coalesce(s.n_dead_tup, 0) AS dead_states, coalesce(s.n_live_tup, 0) AS live_states,
                   datcollversion AS collation, pg_database_collation_actual_version(oid) AS collation_now,
                   (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS clock
              FROM pg_database LEFT JOIN pg_stat_user_tables AS s ON s.relid = to_regclass('customer_state')
             WHERE datname = current_database()
            """, unableTo: "ask the server for its settings")
        try found.forEach { row throws(PostgreSQLError) in
            role = try row["role"]
            database = try row["database"]
            isReadOnly = try row["read_only"]
            hasFsync = try row["fsync"]
            hasFullPageWrites = try row["full_page_writes"]
            hasAutovacuum = try row["autovacuum"]
            deadStates = try row["dead_states"]
            liveStates = try row["live_states"]
            connectionsLeft = try row["connections_left"]
            collation = try row["collation"]
            collationNow = try row["collation_now"]
            let clock: Int64 = try row["clock"]
            let now = wallClockMicroseconds()
            // The server has looked at some moment in between.
            clockAhead = clock > now ? (clock - now) / 1000 : min(0, (clock - before) / 1000)
        }
    }

    var checks: [Check] { [writable, fsync, autovacuum, cleaning, connections, collationCheck, clock] }

    private func reset(_ setting: String) -> String {
        "ALTER SYSTEM SET \(setting) = on; SELECT pg_reload_conf()"
    }

    private var writable: Check {
        let name = "postgresql.writable"
        guard !isReadOnly else {
            return .error(
                name, "the server is a standby: nothing can be stored",
                remedy: "name the primary server as POSTGRES_HOST, or promote this one: SELECT pg_promote()")
        }
        return .ok(name, "the server takes writes")
    }

    private var fsync: Check {
        let name = "postgresql.fsync"
        guard hasFsync else {
            return .error(
                name, "fsync is off: a crash of the machine can destroy the database",
                remedy: "as postgres in psql: " + reset("fsync"))
        }
        guard hasFullPageWrites else {
            return .error(
                name, "full_page_writes is off: a crash of the machine can destroy the database",
                remedy: "as postgres in psql: " + reset("full_page_writes"))
        }
        return .ok(name, "on")
    }

    private var autovacuum: Check {
        let name = "postgresql.autovacuum"
        guard hasAutovacuum else {
            return .warning(
                name, "off: the tables that each batch updates grow without limit",
                remedy: "as postgres in psql: " + reset("autovacuum"))
        }
        return .ok(name, "on")
    }

    /// Each batch updates the rows of its customers, and passes over what they were before as long as that is not cleaned.
    private var cleaning: Check {
        let name = "postgresql.cleaning"
        // Autovacuum comes each minute, and until then the server cleans a page when it is full.
        guard deadStates > 100_000, deadStates > 100 * liveStates else { return .ok(name, "\(deadStates) dead rows") }
        return .warning(
            name,
            """
            "customer_state" has \(deadStates) dead rows beside \(liveStates): an open transaction or a replication slot keeps \
            the server from cleaning them, and each batch takes longer
            """,
            remedy: """
                end what is old, with SELECT pg_terminate_backend(PID), and look into pg_prepared_xacts and pg_replication_slots; \
                as postgres in psql: SELECT pid, application_name, xact_start, query FROM pg_stat_activity \
                WHERE backend_xmin IS NOT NULL ORDER BY age(backend_xmin) DESC
                """)
    }

    private var connections: Check {
        let name = "postgresql.connections"
        guard connectionsLeft >= 5 else {
            return .warning(
                name, "\(connectionsLeft) left: heartbeat's daemons and maintenance may not get theirs",
                remedy: "raise max_connections, or the database's own: ALTER DATABASE \(quoted) CONNECTION LIMIT -1")
        }
        return .ok(name, "\(connectionsLeft) left")
    }

    private var quoted: String { PostgreSQLConnection.identifier(database) }

    private var collationCheck: Check {
        let name = "postgresql.collation"
        guard let collation, let collationNow, collation != collationNow else {
            return .ok(name, collation.map { "version \($0)" } ?? "it needs no version")
        }
        return .warning(
            name, "made with version \(collation), the system has \(collationNow): indexes of texts may be wrong",
            remedy: """
                as postgres in psql: REINDEX DATABASE \(quoted); ALTER DATABASE \(quoted) REFRESH COLLATION VERSION
                """)
    }

    private var clock: Check {
        let name = "postgresql.clock"
        guard abs(clockAhead) <= 2000 else {
            return .warning(
                name,
                "the server's clock is \(abs(clockAhead) / 1000) s \(clockAhead > 0 ? "ahead of" : "behind") this one",
                remedy: "let both machines get their time from a time server")
        }
        return .ok(name, "the same as here")
    }
}
