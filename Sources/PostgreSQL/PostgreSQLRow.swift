internal import CLibPQ
internal import Glibc

/// A row of a result, lent to a closure: `try row["heart_rate"]` is the column of that name, as the type that is wanted.
///
/// A column that is missing, NULL where no optional is wanted, or a text of another type is an error, never a default. Who
/// reads the columns in the statement's order has each name compared once.
@safe public struct PostgreSQLRow: ~Copyable {
    private let handle: OpaquePointer
    private let action: String
    private let columns: Int32
    private var number: Int32 = 0
    /// The column that is probably read next.
    private var next: Int32 = 0

    init(_ handle: OpaquePointer, _ action: String) {
        unsafe self.handle = handle
        self.action = action
        columns = unsafe PQnfields(handle)
    }

    mutating func move(to number: Int) {
        self.number = Int32(number)
        next = 0
    }

    /// The value of a column, as one of the types of `PostgreSQLValue`.
    public subscript<Value: PostgreSQLValue>(_ name: StaticString) -> Value {
        mutating get throws(PostgreSQLError) { try value(at: try column(name)) }
    }

    /// All values as text; nil for NULL.
    var texts: [String?] {
        (0..<columns).map { column in
            unsafe PQgetisnull(handle, number, column) != 0
                ? nil : unsafe String(cString: PQgetvalue(handle, number, column))
        }
    }

    func value<Value: PostgreSQLValue>(at column: Int32) throws(PostgreSQLError) -> Value {
        guard unsafe PQgetisnull(handle, number, column) == 0, let start = unsafe PQgetvalue(handle, number, column)
        else {
            guard let value = Value.null else { throw error(column, "is NULL") }
            return value
        }
        let length = Int(unsafe PQgetlength(handle, number, column))
        let bytes = unsafe UnsafeRawBufferPointer(start: start, count: length).assumingMemoryBound(to: UInt8.self)
        guard let value = unsafe Value(postgreSQLText: bytes.span) else {
            throw error(column, "is no \(Value.self): \(unsafe String(decoding: bytes.prefix(40), as: UTF8.self))")
        }
        return value
    }

    private mutating func column(_ name: StaticString) throws(PostgreSQLError) -> Int32 {
        for distance in 0..<columns {
            let column = (next + distance) % columns
            guard isColumn(column, name) else { continue }
            next = column + 1
            return column
        }
        throw PostgreSQLError(unableTo: action, cause: "there is no column \"\(name)\"")
    }

    private func isColumn(_ column: Int32, _ name: StaticString) -> Bool {
        guard let found = unsafe PQfname(handle, column) else { return false }
        // A static string's bytes end with a null.
        return unsafe strcmp(found, UnsafeRawPointer(name.utf8Start).assumingMemoryBound(to: CChar.self)) == 0
    }

    private func error(_ column: Int32, _ cause: String) -> PostgreSQLError {
        let name = unsafe PQfname(handle, column).map { unsafe String(cString: $0) } ?? ""
        return PostgreSQLError(unableTo: action, cause: "column \"\(name)\" \(cause)")
    }
}
