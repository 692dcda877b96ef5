extension PostgreSQLConnection {
    /// The number of the last migration in `schema_version`; 0 when there is no schema.
    ///
    /// - Throws: `PostgreSQLError`.
    public func schemaVersion() throws(PostgreSQLError) -> Int {
        let exists = try query(
            "SELECT to_regclass('public.schema_version') IS NOT NULL", unableTo: "look for the schema")
        guard exists[0, 0] == "t" else { return 0 }
        let version = try query(
            "SELECT coalesce(max(version), 0) FROM schema_version", unableTo: "read the schema's version")
        return Int(version.integer(0, 0) ?? 0)
    }

    /// Refuses a database whose schema is not the one that the program knows.
    ///
    /// - Throws: `PostgreSQLError`, which says which of the two is the older one.
    public func requireSchemaVersion(_ known: Int) throws(PostgreSQLError) {
        let found = try schemaVersion()
        guard found != known else { return }
        throw PostgreSQLError(
            unableTo: "use the database", cause: "it has schema version \(found), this program needs \(known)",
            hint: found < known ? "run \"heartbeat database setup\"" : "install the newer heartbeat")
    }
}
