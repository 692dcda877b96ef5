internal import PostgreSQL

/// A session with the database that is opened when it is needed, and again after it broke.
struct Session {
    private let parameters: [String: String]
    private let schemaVersion: Int
    private let statementSeconds: Int
    private var connection: PostgreSQLConnection?

    /// - Parameters:
    ///   - schemaVersion: the version of the schema that the program knows.
    ///   - statementSeconds: how long one statement may take.
    init(_ parameters: [String: String], schemaVersion: Int, statementSeconds: Int) {
        self.parameters = parameters
        self.schemaVersion = schemaVersion
        self.statementSeconds = statementSeconds
    }

    /// Opens the session, unless it is open.
    ///
    /// - Throws: `PostgreSQLError`.
    mutating func connected() throws(PostgreSQLError) -> PostgreSQLConnection {
        if let connection { return connection }
        var parameters = parameters
        parameters["application_name"] = "heartbeat-dashboard"
        parameters["connect_timeout"] = "5"
        parameters["tcp_user_timeout"] = "10000"
        let opened = try PostgreSQLConnection(parameters)
        // The role can only read; this also holds for a role that somebody has lent us.
        try opened.execute(
            """
            SET default_transaction_read_only = on; SET statement_timeout = '\(statementSeconds)s'; \
            SET lock_timeout = '1s'; SET timezone = 'UTC'; SET client_min_messages = warning; SET jit = off
            """, unableTo: "prepare a session")
        try opened.requireSchemaVersion(schemaVersion)
        connection = opened
        return opened
    }

    /// Asks the database; once more when the session turns out to be broken, as after a restart of the server.
    ///
    /// - Throws: `PostgreSQLError`.
    mutating func ask<Answer>(
        _ question: (PostgreSQLConnection) throws(PostgreSQLError) -> Answer
    ) throws(PostgreSQLError) -> Answer {
        let isFresh = connection == nil
        let connection = try connected()
        do throws(PostgreSQLError) {
            return try question(connection)
        } catch {
            guard connection.isBroken else {
                if connection.isInTransaction { _ = try? connection.execute("ROLLBACK", unableTo: "roll back") }
                throw error
            }
            self.connection = nil
            guard !isFresh else { throw error }
        }
        return try question(connected())
    }
}

/// Texts as an array for `$1::text[]`.
func arrayLiteral(_ texts: [String]) -> String {
    let quoted = texts.map { text in
        "\"" + text.reduce(into: "") { $0 += $1 == "\"" || $1 == "\\" ? "\\\($1)" : "\($1)" } + "\""
    }
    return "{" + quoted.joined(separator: ",") + "}"
}

extension PostgreSQLResult {
    /// A boolean.
    borrowing func isTrue(_ row: Int, _ column: Int) -> Bool { self[row, column] == "t" }
}
