import Logging
import PostgreSQL
import Schema

/// Makes the roles, the database and its schema. Every step looks first, so it can run again and twice at once; the schema
/// is made in one transaction, so what fails leaves nothing of it behind.
public struct DatabaseSetup {
    /// The role that owns the database; nobody can log in as it.
    public static let owner = "heartbeat"
    /// The roles that the daemons log in as.
    public static let daemonRoles = ["heartbeat-consumer", "heartbeat-dashboard", "heartbeat-notifier"]
    /// The role that maintenance logs in as, to become the owner: it has no rights of its own.
    public static let maintenanceRole = "heartbeat-maintenance"

    private let parameters: [String: String]
    private let database: String
    private let logger: Logger

    /// - Parameter parameters: libpq's keywords, with the database to make as `dbname`. The session needs the rights to
    ///   make roles and databases as far as these are missing.
    public init(_ parameters: [String: String]) {
        self.parameters = parameters
        database = parameters["dbname"] ?? "heartbeat_db"
        logger = Logger(label: "database")
    }

    /// Makes what is missing.
    ///
    /// - Throws: `PostgreSQLError`, or `SchemaError.tooNew`.
    public func run() throws {
        try makeRolesAndDatabase()
        let connection = try PostgreSQLConnection(parameters, .setup)
        try connection.execute("BEGIN", unableTo: "start the setup")
        // Another setup may be at work: what it makes is looked at when it is done.
        try connection.execute(AdvisoryLock.setup.wait, unableTo: "wait for another setup")
        try examine(connection)
        let applied = try migrate(connection)
        let misplaced = try connection.query(
            "SELECT drop_misplaced_partitions()", unableTo: "look at the partitions' bounds"
        ).map { row throws(PostgreSQLError) -> String in try row["drop_misplaced_partitions"] }
        let days = try makePartitions(connection)
        try connection.execute("COMMIT", unableTo: "end the setup")
        for migration in applied { logger.info("applied migration \(migration.number) (\(migration.name))") }
        for name in misplaced {
            logger.warning(
                """
                partition "\(name)" does not have the bounds of its UTC day, and has readings. It stays as it is; hours \
                that no partition has go to the default partition
                """)
        }
        logger.info("database \"\(database)\" is ready: schema version \(knownSchemaVersion), \(days) new partitions")
    }

    private func makeRolesAndDatabase() throws {
        var maintenance = parameters
        maintenance["dbname"] = "postgres"
        let connection: PostgreSQLConnection
        do {
            connection = try PostgreSQLConnection(maintenance, .setup)
        } catch {
            // Where only one database may be entered, roles and database were made by its administrator.
            guard (try? PostgreSQLConnection(parameters, .setup)) != nil else { throw error }
            return
        }
        let exists = try connection.query(
            "SELECT 1 FROM pg_database WHERE datname = $1", [database], unableTo: "look for database \"\(database)\"")
        if exists.count > 0 {
            try examine(PostgreSQLConnection(parameters, .setup))
        }
        try makeRole(Self.owner, "NOLOGIN", on: connection)
        for role in Self.daemonRoles { try makeRole(role, "LOGIN", on: connection) }
        let membership = "LOGIN NOINHERIT IN ROLE \(PostgreSQLConnection.identifier(Self.owner))"
        try makeRole(Self.maintenanceRole, membership, on: connection)
        guard exists.count == 0 else { return }
        try ignoring([.duplicateDatabase, .uniqueViolation]) { () throws(PostgreSQLError) in
            try allowActingAsOwner(connection)
            try connection.executeAlone(
                """
                CREATE DATABASE \(PostgreSQLConnection.identifier(database)) \
                OWNER \(PostgreSQLConnection.identifier(Self.owner)) ENCODING 'UTF8' LOCALE '\(try locale(connection))' \
                TEMPLATE template0
                """, unableTo: "create database \"\(database)\"")
            logger.info("created database \"\(database)\"")
        }
    }

    /// The server's own locale may be one that UTF-8 does not go with. This one does, and its order of texts stays the same
    /// when the C library gets a new version; where the server does not have it, C does.
    private func locale(_ connection: PostgreSQLConnection) throws(PostgreSQLError) -> String {
        try connection.query(
            """
            SELECT CASE WHEN EXISTS (SELECT FROM pg_collation WHERE lower(collcollate) IN ('c.utf-8', 'c.utf8')) \
            THEN 'C.UTF-8' ELSE 'C' END
            """, unableTo: "ask for the server's locales"
        ).value()
    }

    private func examine(_ connection: PostgreSQLConnection) throws(PostgreSQLError) {
        try DatabaseExamination(connection, database: database, owner: Self.owner).run()
    }

    private func makeRole(
        _ role: String, _ options: String, on connection: PostgreSQLConnection
    ) throws(PostgreSQLError) {
        let action = "create role \"\(role)\""
        let exists = try connection.query("SELECT 1 FROM pg_roles WHERE rolname = $1", [role], unableTo: action)
        guard exists.count == 0 else { return }
        try ignoring([.duplicateObject, .uniqueViolation]) { () throws(PostgreSQLError) in
            try connection.execute(
                "CREATE ROLE \(PostgreSQLConnection.identifier(role)) \(options)", unableTo: action)
            logger.info("created role \"\(role)\"")
        }
    }

    /// A superuser may act as any role, everybody else has to be a member.
    private func allowActingAsOwner(_ connection: PostgreSQLConnection) throws(PostgreSQLError) {
        let isMember: Bool = try connection.query(
            "SELECT pg_has_role($1, 'MEMBER')", [Self.owner], unableTo: "look at role \"\(Self.owner)\""
        ).value()
        guard !isMember else { return }
        try connection.execute(
            "GRANT \(PostgreSQLConnection.identifier(Self.owner)) TO CURRENT_USER",
            unableTo: "become a member of role \"\(Self.owner)\"")
    }

    /// - Returns: the migrations that were missing.
    private func migrate(_ connection: PostgreSQLConnection) throws -> [Migration] {
        try connection.execute(
            """
            SET LOCAL ROLE \(PostgreSQLConnection.identifier(Self.owner));
            CREATE TABLE IF NOT EXISTS schema_version (
                version integer PRIMARY KEY, name text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())
            """, unableTo: "create table \"schema_version\"")
        let found = try connection.schemaVersion()
        guard found <= knownSchemaVersion else { throw SchemaError.tooNew(found: found) }
        let missing = Migration.all.filter { $0.number > found }
        for migration in missing {
            try connection.execute(
                """
                \(migration.sql);
                INSERT INTO schema_version (version, name) VALUES (\(migration.number), '\(migration.name)')
                """, unableTo: "apply migration \(migration.number) (\(migration.name))")
        }
        return missing
    }

    /// Today's partition and those of the coming week.
    ///
    /// - Returns: how many were made.
    private func makePartitions(_ connection: PostgreSQLConnection) throws(PostgreSQLError) -> Int {
        try connection.query(
            """
            SELECT count(*) FILTER (WHERE create_readings_partition(day::date))
              FROM generate_series((now() AT TIME ZONE 'UTC')::date, (now() AT TIME ZONE 'UTC')::date + 7,
                                   interval '1 day') AS day
            """, unableTo: "create partitions of \"heart_rate_readings\""
        ).value()
    }

    private func ignoring(
        _ states: Set<SQLState>, _ body: () throws(PostgreSQLError) -> Void
    ) throws(PostgreSQLError) {
        do throws(PostgreSQLError) {
            try body()
        } catch {
            // Another setup was faster.
            guard let state = error.sqlState, states.contains(state) else { throw error }
        }
    }
}
