public import PostgreSQL
import Schema

/// What setup looks at in a database that is there already, before it changes anything; each part also by itself.
public struct DatabaseExamination {
    private let connection: PostgreSQLConnection
    private let database: String
    private let owner: String

    /// - Parameter owner: the role that has to be able to make tables in the database.
    public init(_ connection: PostgreSQLConnection, database: String, owner: String) {
        self.connection = connection
        self.database = database
        self.owner = owner
    }

    /// The oldest server that has all that the schema needs, as `server_version_num` has it.
    private static let oldestServer = 150_000

    /// - Throws: `PostgreSQLError` that says what is wrong and how to put it right.
    func run() throws(PostgreSQLError) {
        try examineVersion()
        try examineEncoding()
        try examineRights()
        try examineNames()
    }

    /// The server has all that the schema needs.
    ///
    /// - Returns: its version, as `15`.
    /// - Throws: `PostgreSQLError` that says what is wrong and how to put it right; so do the others.
    @discardableResult
    public func examineVersion() throws(PostgreSQLError) -> Int {
        let version: Int = try value("SELECT current_setting('server_version_num')::integer")
        guard version >= Self.oldestServer else {
            throw refusal("the server is PostgreSQL \(version / 10_000)", hint: "PostgreSQL 15 or newer is needed")
        }
        return version / 10_000
    }

    /// The database can keep every customer's id.
    public func examineEncoding() throws(PostgreSQLError) {
        let encoding: String = try value("SELECT current_setting('server_encoding')")
        guard encoding == "UTF8" else {
            throw refusal(
                "its encoding is \(encoding), and UTF8 is needed",
                hint: "name another one as POSTGRES_DB, which setup makes; or make one with ENCODING 'UTF8'")
        }
    }

    /// The owner can make tables.
    public func examineRights() throws(PostgreSQLError) {
        let hasOwner: Bool = try value("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)", [owner])
        let mayCreate: Bool = try value(
            "SELECT has_schema_privilege($1, 'public', 'CREATE')", [hasOwner ? owner : "public"])
        guard !mayCreate else { return }
        let name: String = try value(
            "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()")
        let role = PostgreSQLConnection.identifier(owner)
        let statement = "ALTER DATABASE \(PostgreSQLConnection.identifier(database)) OWNER TO \(role)"
        throw refusal(
            "its owner is \"\(name)\", and role \"\(owner)\" may not create tables in it",
            hint: (hasOwner ? "" : "CREATE ROLE \(role) NOLOGIN; ") + statement)
    }

    /// A schema of ours is known by its table of versions; without one nothing else may have the names of our tables.
    private func examineNames() throws(PostgreSQLError) {
        let columns: Int = try value(
            """
            SELECT count(*) FROM pg_attribute WHERE attrelid = to_regclass('public.schema_version')
               AND attname IN ('version', 'name', 'applied_at') AND NOT attisdropped
            """)
        guard columns != 3 else { return }
        let found = try connection.query(
            """
            SELECT coalesce(string_agg(relname, ', ' ORDER BY relname), '') FROM pg_class
             WHERE relnamespace = 'public'::regnamespace AND relname = ANY ($1::text[])
            """, [ArrayText(Self.tables + ["schema_version"])], unableTo: "look for tables")
        let names: String = try found.value()
        guard !names.isEmpty else { return }
        throw refusal(
            "it has other tables of the names that heartbeat needs: \(names)",
            hint: "give heartbeat a database of its own: POSTGRES_DB")
    }

    /// The names of all tables that the migrations make.
    private static var tables: [String] {
        Migration.all.flatMap { migration in
            migration.sql.split(separator: "\n").compactMap { line in
                line.hasPrefix("CREATE TABLE ") ? line.dropFirst(13).split(separator: " ").first.map(String.init) : nil
            }
        }
    }

    private func value<Value: PostgreSQLValue>(
        _ statement: String, _ parameters: [any PostgreSQLParameter] = []
    ) throws(PostgreSQLError) -> Value {
        try connection.query(statement, parameters, unableTo: "look at database \"\(database)\"").value()
    }

    private func refusal(_ cause: String, hint: String) -> PostgreSQLError {
        PostgreSQLError(unableTo: "use database \"\(database)\"", cause: cause, hint: hint, fault: .lasting)
    }
}
