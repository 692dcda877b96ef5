internal import CLibPQ

/// The rows of one statement. Values are read by their columns' names: see `PostgreSQLRow`.
@safe public struct PostgreSQLResult: ~Copyable {
    private let handle: OpaquePointer
    private let action: String

    /// Takes the result over.
    init(consuming handle: OpaquePointer, of action: String) {
        unsafe self.handle = handle
        self.action = action
    }

    deinit { unsafe PQclear(handle) }

    /// How many rows there are.
    public var count: Int { Int(unsafe PQntuples(handle)) }

    /// How many rows the statement touched.
    public var affectedRows: Int { Int(unsafe String(cString: PQcmdTuples(handle))) ?? 0 }

    /// What `body` makes of each row, in their order.
    ///
    /// - Throws: what `body` throws, as `PostgreSQLError` of a value that is not of the expected type.
    public borrowing func map<Element>(
        _ body: (inout PostgreSQLRow) throws(PostgreSQLError) -> Element
    ) throws(PostgreSQLError) -> [Element] {
        var elements: [Element] = []
        elements.reserveCapacity(count)
        var row = unsafe PostgreSQLRow(handle, action)
        for number in 0..<count {
            row.move(to: number)
            elements.append(try body(&row))
        }
        return elements
    }

    /// Calls `body` for each row, in their order.
    ///
    /// - Throws: what `body` throws.
    public borrowing func forEach(
        _ body: (inout PostgreSQLRow) throws(PostgreSQLError) -> Void
    ) throws(PostgreSQLError) {
        var row = unsafe PostgreSQLRow(handle, action)
        for number in 0..<count {
            row.move(to: number)
            try body(&row)
        }
    }

    /// What `body` makes of the first row; nil when there is none.
    ///
    /// - Throws: what `body` throws.
    public borrowing func first<Element>(
        _ body: (inout PostgreSQLRow) throws(PostgreSQLError) -> Element
    ) throws(PostgreSQLError) -> Element? {
        guard count > 0 else { return nil }
        var row = unsafe PostgreSQLRow(handle, action)
        return try body(&row)
    }

    /// The values of the only column.
    ///
    /// - Throws: `PostgreSQLError` when there are more columns or a value is of another type.
    public borrowing func column<Value: PostgreSQLValue>() throws(PostgreSQLError) -> [Value] {
        guard unsafe PQnfields(handle) == 1 else {
            throw PostgreSQLError(unableTo: action, cause: "expected one column")
        }
        return try map { row throws(PostgreSQLError) in try row.value(at: 0) }
    }

    /// The only value of a statement that gives one row with one column.
    ///
    /// - Throws: `PostgreSQLError` when it gave something else.
    public borrowing func value<Value: PostgreSQLValue>() throws(PostgreSQLError) -> Value {
        let values: [Value] = try column()
        guard values.count == 1 else {
            throw PostgreSQLError(unableTo: action, cause: "expected one row, found \(values.count)")
        }
        return values[0]
    }

    /// All values as text, nil for NULL, row by row: for whoever does not know the columns.
    public borrowing func texts() -> [[String?]] {
        var row = unsafe PostgreSQLRow(handle, action)
        return (0..<count).map { number in
            row.move(to: number)
            return row.texts
        }
    }

    borrowing func error(unableTo action: String) -> PostgreSQLError {
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
