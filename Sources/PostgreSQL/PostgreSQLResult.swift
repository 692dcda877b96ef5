internal import CLibPQ

/// The rows of one statement, as text.
@safe public struct PostgreSQLResult: ~Copyable {
    private let handle: OpaquePointer

    /// Takes the result over.
    init(consuming handle: OpaquePointer) { unsafe self.handle = handle }

    deinit { unsafe PQclear(handle) }

    /// How many rows there are.
    public var count: Int { Int(unsafe PQntuples(handle)) }

    /// How many columns each row has.
    public var columnCount: Int { Int(unsafe PQnfields(handle)) }

    /// How many rows the statement touched.
    public var affectedRows: Int { Int(unsafe String(cString: PQcmdTuples(handle))) ?? 0 }

    /// A column's name.
    public func columnName(_ column: Int) -> String {
        unsafe PQfname(handle, Int32(column)).map { unsafe String(cString: $0) } ?? ""
    }

    /// A value as text; nil for NULL and outside of the rows and columns.
    public subscript(row: Int, column: Int) -> String? {
        guard row < count, column < columnCount, unsafe PQgetisnull(handle, Int32(row), Int32(column)) == 0
        else { return nil }
        return unsafe PQgetvalue(handle, Int32(row), Int32(column)).map { unsafe String(cString: $0) }
    }

    /// A value as a whole number; nil for NULL and for anything else.
    public func integer(_ row: Int, _ column: Int) -> Int64? { self[row, column].flatMap { Int64($0) } }

    func error(unableTo action: String) -> PostgreSQLError {
        func field(_ code: Character) -> String? {
            guard let code = code.asciiValue, let text = unsafe PQresultErrorField(handle, Int32(code)) else {
                return nil
            }
            return oneLine(unsafe String(cString: text))
        }
        // The fields' codes as in libpq's documentation of PQresultErrorField; M is the primary message, D the
        // detail, C the SQLSTATE, H the hint. A libpq error, as a lost connection, has none.
        let message = field("M") ?? oneLine(unsafe String(cString: PQresultErrorMessage(handle)))
        let detail = field("D").map { ": \($0)" } ?? ""
        return PostgreSQLError(
            unableTo: action, cause: message + detail, sqlState: field("C").map(SQLState.init(rawValue:)),
            hint: field("H"))
    }
}
