internal import CLibPQ
internal import Glibc

/// One session with the server. Used from one thread at a time; it ends when it is released.
@safe public final class PostgreSQLConnection {
    private let handle: OpaquePointer
    private let session: SessionParameters
    /// Whether a pooler lends a session for each transaction: see `SessionParameters`.
    public let isLent: Bool
    /// What a transaction in a lent session begins with.
    private var preamble = ""

    /// Connects and waits until the session is usable and set up.
    ///
    /// - Parameters:
    ///   - parameters: keywords and values as in libpq's "Parameter Key Words"; what is left out comes from libpq's own
    ///     environment variables, service and password files.
    ///   - session: what the session relies on; it wins over all of these, and over what the server's administrator has
    ///     set for the role and the database.
    /// - Throws: `PostgreSQLError` when the server cannot be reached or refuses.
    public init(_ parameters: [String: String], _ session: SessionParameters) throws(PostgreSQLError) {
        self.session = session
        var isRefused = false
        do throws(PostgreSQLError) {
            unsafe handle = try Self.connect(session.keywords(parameters, defaultOptions: Self.defaultOptions))
        } catch {
            // PgBouncer: "unsupported startup parameter: options". The server itself never says so.
            guard error.cause.contains("unsupported startup parameter") else { throw error }
            isRefused = true
            unsafe handle = try Self.connect(session.keywords(parameters, defaultOptions: nil, isLent: true))
        }
        // The default prints notices to stderr, as "relation already exists, skipping".
        unsafe PQsetNoticeProcessor(handle, { _, _ in }, nil)
        if isRefused { isLent = true } else { isLent = try unsafe !Self.isOwn(handle) }
        if isLent {
            preamble = session.lentTransaction(ofServer: version, role: nil)
            try run(session.lentSession, unableTo: "set up a session")
        } else {
            let remaining = session.remaining(ofServer: version) { name in
                unsafe PQparameterStatus(handle, name).map { unsafe String(cString: $0) }
            }
            try setUp(remaining)
        }
    }

    /// libpq's version: 150018 for 15.18.
    public static var libraryVersion: Int { Int(PQlibVersion()) }

    private var version: Int { Int(unsafe PQserverVersion(handle)) }

    private func setUp(_ settings: [SessionParameters.Setting]) throws(PostgreSQLError) {
        guard !settings.isEmpty else { return }
        try query(
            "SELECT "
                + settings.indices.map { "set_config($\(2 * $0 + 1), $\(2 * $0 + 2), false)" }.joined(separator: ", "),
            settings.flatMap { [$0.name, $0.value] }, unableTo: "set up a session")
    }

    /// Whether the server has got our options.
    private static func isOwn(_ handle: OpaquePointer) throws(PostgreSQLError) -> Bool {
        let mark = SessionParameters.mark
        let action = "set up a session"
        guard
            let answer = unsafe PQexec(
                handle, "SELECT coalesce(current_setting('\(mark.name)', true) = '\(mark.value)', false) AS own")
        else { throw PostgreSQLError(unableTo: action, cause: oneLine(unsafe String(cString: PQerrorMessage(handle)))) }
        let result = unsafe PostgreSQLResult(consuming: answer, of: action)
        guard unsafe PQresultStatus(answer) == PGRES_TUPLES_OK else { throw result.error(unableTo: action) }
        return try result.value()
    }

    private static func connect(_ keywords: [String: String]) throws(PostgreSQLError) -> OpaquePointer {
        let names = keywords.keys.sorted()
        let handle = unsafe withCStrings(names) { pointers in
            unsafe withCStrings(names.map { keywords[$0] ?? "" }) { values in
                unsafe PQconnectdbParams(pointers, values, 0)
            }
        }
        guard let handle = unsafe handle else {
            throw PostgreSQLError(unableTo: "connect to PostgreSQL", cause: "out of memory")
        }
        guard unsafe PQstatus(handle) == CONNECTION_OK else {
            let cause = oneLine(unsafe String(cString: PQerrorMessage(handle)))
            unsafe PQfinish(handle)
            throw PostgreSQLError(unableTo: "connect to PostgreSQL", cause: cause)
        }
        return unsafe handle
    }

    /// The `options` of PGOPTIONS or of the service file that PGSERVICE names.
    private static var defaultOptions: String? {
        guard let defaults = unsafe PQconndefaults() else { return nil }
        defer { unsafe PQconninfoFree(defaults) }
        var option = unsafe defaults
        while let keyword = unsafe option.pointee.keyword {
            if unsafe String(cString: keyword) == "options" {
                return unsafe option.pointee.val.map { unsafe String(cString: $0) }
            }
            unsafe option += 1
        }
        return nil
    }

    deinit { unsafe PQfinish(handle) }

    /// Whether libpq knows that the session is lost.
    public var isBroken: Bool { unsafe PQstatus(handle) != CONNECTION_OK }

    /// Whether a transaction is open, failed or not.
    public var isInTransaction: Bool {
        let status = unsafe PQtransactionStatus(handle)
        return status == PQTRANS_INTRANS || status == PQTRANS_INERROR || status == PQTRANS_ACTIVE
    }

    /// Whether statements were started and are not finished.
    public var isBusy: Bool { unsafe PQtransactionStatus(handle) == PQTRANS_ACTIVE }

    /// Runs one or several statements in one round trip, as one simple query: the server starts when it has the
    /// whole text. Several statements without BEGIN are one transaction.
    ///
    /// - Returns: the last statement's rows.
    /// - Throws: `PostgreSQLError` of the first statement that fails.
    @discardableResult
    public func execute(_ sql: String, unableTo action: String) throws(PostgreSQLError) -> PostgreSQLResult {
        try run(opening + sql, unableTo: action)
    }

    /// Runs one statement as it is, which no transaction may surround, as CREATE DATABASE.
    ///
    /// - Throws: `PostgreSQLError`.
    @discardableResult
    public func executeAlone(_ sql: String, unableTo action: String) throws(PostgreSQLError) -> PostgreSQLResult {
        try run(sql, unableTo: action)
    }

    /// Acts as another role from the next transaction on.
    ///
    /// - Throws: `PostgreSQLError` when the session's role may not.
    public func act(as role: String) throws(PostgreSQLError) {
        let action = "become the role \"\(role)\""
        let name = Self.identifier(role)
        guard isLent else {
            try run("SET ROLE \(name)", unableTo: action)
            return
        }
        preamble = session.lentTransaction(ofServer: version, role: name)
        try execute("SELECT 1", unableTo: action)
    }

    /// Runs one statement with its parameters.
    ///
    /// - Throws: `PostgreSQLError`.
    @discardableResult
    public func query(
        _ sql: String, _ parameters: [any PostgreSQLParameter] = [], unableTo action: String
    ) throws(PostgreSQLError) -> PostgreSQLResult {
        guard !opening.isEmpty else { return try runOne(sql, parameters, unableTo: action) }
        // Parameters go by a protocol that takes one statement a message.
        try run(opening + "BEGIN", unableTo: action)
        do throws(PostgreSQLError) {
            let result = try runOne(sql, parameters, unableTo: action)
            try run("COMMIT", unableTo: action)
            return result
        } catch {
            _ = try? run("ROLLBACK", unableTo: "roll back")
            throw error
        }
    }

    /// What has to stand before the next statement: nothing in a session of our own and within a transaction.
    private var opening: String { isLent && !isInTransaction ? preamble : "" }

    @discardableResult
    private func run(_ sql: String, unableTo action: String) throws(PostgreSQLError) -> PostgreSQLResult {
        unsafe try result(PQexec(handle, sql), unableTo: action)
    }

    private func runOne(
        _ sql: String, _ parameters: [any PostgreSQLParameter], unableTo action: String
    ) throws(PostgreSQLError) -> PostgreSQLResult {
        let answer = unsafe withCStrings(parameters.map { $0.text }) { values in
            unsafe PQexecParams(handle, sql, Int32(parameters.count), nil, values, nil, nil, 0)
        }
        return unsafe try result(answer, unableTo: action)
    }

    // MARK: - Statements with COPY

    /// Sends one or several statements as one simple query. Each COPY ... FROM STDIN (FORMAT binary) among them waits
    /// for `copy`, in their order; then `finish` has to be called. The server goes on with the statement after a COPY
    /// as soon as it has the last row, without another round trip.
    ///
    /// - Throws: `PostgreSQLError`.
    public func start(_ sql: String, unableTo action: @autoclosure () -> String) throws(PostgreSQLError) {
        guard unsafe PQsendQuery(handle, opening + sql) == 1 else { throw currentError(unableTo: action()) }
    }

    /// Gives the next COPY its rows.
    ///
    /// - Parameters:
    ///   - order: the rows' numbers in the order in which to send them; none for the order of the buffer.
    ///   - waits: whether to wait until the server takes them. If not, the rest is kept in memory until `push` and `finish`
    ///     have sent it.
    /// - Throws: `PostgreSQLError`, of an earlier statement too; nothing is left to finish then.
    public func copy(
        _ rows: borrowing CopyBuffer, order: [Int] = [], waits: Bool = true, unableTo action: @autoclosure () -> String
    ) throws(PostgreSQLError) {
        try readResults(until: PGRES_COPY_IN, unableTo: action())
        if !waits { unsafe PQsetnonblocking(handle, 1) }
        let isSent = unsafe rows.send(order: order) { piece in unsafe put(piece) }
        guard isSent, unsafe PQputCopyEnd(handle, nil) == 1 else { throw currentError(unableTo: action()) }
    }

    /// The same for rows that are made while they are sent, so that they never are in memory together.
    ///
    /// - Parameter append: appends some rows to an empty buffer, and says whether there are more.
    /// - Throws: `PostgreSQLError`, of an earlier statement too; nothing is left to finish then.
    public func copy(
        inParts append: (inout CopyBuffer) -> Bool, unableTo action: @autoclosure () -> String
    ) throws(PostgreSQLError) {
        try readResults(until: PGRES_COPY_IN, unableTo: action())
        var rows = CopyBuffer()
        var part: CopyBuffer.Part = .first
        while !part.contains(.last) {
            rows.removeAll()
            if !append(&rows) { part.insert(.last) }
            let isSent = unsafe rows.send(part: part) { piece in unsafe put(piece) }
            guard isSent else { throw currentError(unableTo: action()) }
            part.remove(.first)
        }
        guard unsafe PQputCopyEnd(handle, nil) == 1 else { throw currentError(unableTo: action()) }
    }

    /// Sends as much as the server takes at once of what `copy` did not wait for.
    ///
    /// What fails is for `finish` to say.
    public func push() { _ = unsafe PQflush(handle) }

    private func put(_ piece: UnsafeRawBufferPointer) -> Bool {
        let start = unsafe piece.assumingMemoryBound(to: CChar.self).baseAddress
        return unsafe PQputCopyData(handle, start, Int32(piece.count)) == 1
    }

    /// Waits for the end of what `start` has sent.
    ///
    /// - Throws: `PostgreSQLError` of the first statement that fails.
    public func finish(unableTo action: @autoclosure () -> String) throws(PostgreSQLError) {
        defer { unsafe PQsetnonblocking(handle, 0) }
        try readResults(until: nil, unableTo: action())
    }

    /// Sends everything that `copy` did not wait for. libpq reads what comes meanwhile; when that is the answer already, and it
    /// had to send the rest itself, it would wait for another.
    private func flush() {
        while unsafe PQflush(handle) == 1 {
            var socket = pollfd(fd: unsafe PQsocket(handle), events: Int16(POLLIN | POLLOUT), revents: 0)
            _ = unsafe poll(&socket, 1, -1)
        }
    }

    /// Reads results until one has this status, or with nil until there are no more.
    private func readResults(
        until awaited: ExecStatusType?, unableTo action: @autoclosure () -> String
    ) throws(PostgreSQLError) {
        flush()
        while let answer = unsafe PQgetResult(handle) {
            let result = unsafe PostgreSQLResult(consuming: answer, of: "")
            let status = unsafe PQresultStatus(answer)
            if status == awaited { return }
            if status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK { continue }
            var error = result.error(unableTo: action())
            if status == PGRES_COPY_IN {
                error = PostgreSQLError(unableTo: action(), cause: "the statements have a COPY without rows")
                unsafe PQputCopyEnd(handle, "no rows")
            }
            // The protocol asks to read to the end, which comes next.
            while let rest = unsafe PQgetResult(handle) { unsafe PQclear(rest) }
            throw error
        }
        guard awaited == nil else {
            throw PostgreSQLError(unableTo: action(), cause: "the statements have no COPY for these rows")
        }
    }

    /// A text as an SQL literal with its quotes.
    ///
    /// - Throws: `PostgreSQLError` when the text is not valid in the session's encoding.
    public func literal(_ text: String) throws(PostgreSQLError) -> String {
        var text = text
        let escaped = text.withUTF8 { utf8 in
            unsafe utf8.withMemoryRebound(to: CChar.self) {
                unsafe PQescapeLiteral(handle, $0.baseAddress, $0.count)
            }
        }
        guard let escaped = unsafe escaped else { throw currentError(unableTo: "quote a text") }
        defer { unsafe PQfreemem(escaped) }
        return unsafe String(cString: escaped)
    }

    /// A name as an SQL identifier with its quotes.
    public static func identifier(_ name: String) -> String {
        "\"" + name.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
    }

    @discardableResult
    private func result(
        _ answer: OpaquePointer?, unableTo action: String
    ) throws(PostgreSQLError) -> PostgreSQLResult {
        guard let answer = unsafe answer else { throw currentError(unableTo: action) }
        let result = unsafe PostgreSQLResult(consuming: answer, of: action)
        let status = unsafe PQresultStatus(answer)
        guard status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK else { throw result.error(unableTo: action) }
        return result
    }

    private func currentError(unableTo action: String) -> PostgreSQLError {
        PostgreSQLError(unableTo: action, cause: oneLine(unsafe String(cString: PQerrorMessage(handle))))
    }
}

/// libpq's messages end with a line feed and may have several lines.
func oneLine(_ text: String) -> String {
    text.split(whereSeparator: \.isNewline).map { $0.drop { $0.isWhitespace } }.joined(separator: "; ")
}

/// Lends a null-terminated array of C strings, with null for nil.
private func withCStrings<Result>(
    _ strings: [String?], _ body: (UnsafePointer<UnsafePointer<CChar>?>?) -> Result
) -> Result {
    var bytes: [CChar] = []
    var starts: [Int?] = []
    for string in strings {
        starts.append(string == nil ? nil : bytes.count)
        if let string { bytes.append(contentsOf: string.utf8CString) }
    }
    return unsafe bytes.withUnsafeBufferPointer { bytes in
        let pointers =
            unsafe starts.map { start in unsafe start.flatMap { unsafe bytes.baseAddress?.advanced(by: $0) } } + [nil]
        return unsafe pointers.withUnsafeBufferPointer { unsafe body($0.baseAddress) }
    }
}
