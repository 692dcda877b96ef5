public import PostgreSQL

/// The version of the schema that this program knows: the number of the last migration.
public let knownSchemaVersion = Migration.all.map(\.number).max() ?? 0

extension PostgreSQLConnection {
    /// The number of the last migration in `schema_version`; 0 when there is no schema.
    ///
    /// - Throws: `PostgreSQLError`.
    public func schemaVersion() throws(PostgreSQLError) -> Int {
        let exists: Bool = try query(
            "SELECT to_regclass('public.schema_version') IS NOT NULL", unableTo: "look for the schema"
        ).value()
        guard exists else { return 0 }
        return try query(
            "SELECT coalesce(max(version), 0) FROM schema_version", unableTo: "read the schema's version"
        ).value()
    }

    /// What is wrong with the database's schema; nil when it is the one that the program knows.
    ///
    /// - Throws: `PostgreSQLError`.
    public func schemaError() throws(PostgreSQLError) -> SchemaError? {
        let found = try schemaVersion()
        if found > knownSchemaVersion { return .tooNew(found: found) }
        return found < knownSchemaVersion ? .tooOld(found: found) : nil
    }

    /// Refuses a database whose schema is not the one that the program knows.
    ///
    /// - Throws: `PostgreSQLError`, whose fault is a lasting one.
    public func requireSchema() throws(PostgreSQLError) {
        guard let error = try schemaError() else { return }
        throw PostgreSQLError(
            unableTo: "use the database",
            cause: "it has schema version \(error.found), this program needs \(knownSchemaVersion)", hint: error.advice,
            fault: .lasting)
    }
}
