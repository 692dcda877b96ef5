/// What the server or libpq reports when something fails.
public struct PostgreSQLError: Error, Sendable, CustomStringConvertible {
    /// What was tried: `copy 5000 rows into "heart_rate_readings"`.
    public let action: String
    /// The server's or libpq's own words, on one line.
    public let cause: String
    /// The server's code; nil when the error is libpq's own, as a lost connection.
    public let sqlState: SQLState?
    /// What the server advises, where it does.
    public let hint: String?
    private let knownFault: Fault?

    /// An error with its parts.
    ///
    /// - Parameter fault: what is at fault; nil leaves it to the code.
    public init(
        unableTo action: String, cause: String, sqlState: SQLState? = nil, hint: String? = nil, fault: Fault? = nil
    ) {
        self.action = action
        self.cause = cause
        self.sqlState = sqlState
        self.hint = hint
        knownFault = fault
    }

    /// `unable to ACTION: CAUSE (SQLSTATE)`, then the hint.
    public var description: String {
        let state = sqlState.map { " (\($0.rawValue))" } ?? ""
        return "unable to \(action): \(cause)\(state)" + (hint.map { ". HINT: \($0)" } ?? "")
    }

    /// What is at fault, and so what helps.
    public var fault: Fault { knownFault ?? sqlState?.fault ?? .passing }

    /// The same error with another fault, where the place in which it happened says more than its code.
    public func with(_ fault: Fault) -> PostgreSQLError {
        PostgreSQLError(unableTo: action, cause: cause, sqlState: sqlState, hint: hint, fault: fault)
    }
}

/// A five-character code as the SQL standard and PostgreSQL's appendix A define it.
public struct SQLState: RawRepresentable, Hashable, Sendable {
    /// The five characters.
    public let rawValue: String

    /// A code by its five characters.
    public init(rawValue: String) { self.rawValue = rawValue }

    /// An object of this name exists already.
    public static let duplicateObject = SQLState(rawValue: "42710")
    /// A database of this name exists already.
    public static let duplicateDatabase = SQLState(rawValue: "42P04")
    /// A unique constraint refuses the row.
    public static let uniqueViolation = SQLState(rawValue: "23505")
    /// The statement took longer than `statement_timeout`.
    public static let queryCanceled = SQLState(rawValue: "57014")
    /// A lock was not granted within `lock_timeout`.
    public static let lockNotAvailable = SQLState(rawValue: "55P03")
}
