public import PostgreSQL

/// A session with the database that is opened when it is needed, and again after it broke.
public struct Session {
    private let keywords: [String: String]
    private let parameters: SessionParameters
    private var connection: PostgreSQLConnection?

    /// A session that is not open yet.
    ///
    /// - Parameters:
    ///   - keywords: libpq's.
    ///   - parameters: what the session relies on.
    public init(_ keywords: [String: String], _ parameters: SessionParameters) {
        self.keywords = keywords.merging(["connect_timeout": "5", "tcp_user_timeout": "10000"]) { $1 }
        self.parameters = parameters
    }

    /// Opens the session, unless it is open.
    ///
    /// - Throws: `PostgreSQLError`.
    public mutating func connected() throws(PostgreSQLError) -> PostgreSQLConnection {
        if let connection { return connection }
        let opened = try PostgreSQLConnection(keywords, parameters)
        try opened.requireSchema()
        connection = opened
        return opened
    }

    /// Asks the database; once more when the session turns out to be broken, as after a restart of the server.
    ///
    /// - Throws: `PostgreSQLError`.
    public mutating func ask<Answer>(
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
