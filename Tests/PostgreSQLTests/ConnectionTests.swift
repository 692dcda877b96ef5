import Foundation
import Harness
import Testing

@testable import PostgreSQL

@Suite("Against a real server", .serialized, .privatePostgreSQL, .ownFolder, .logsOnFailure)
struct ConnectionTests {
    func connect() throws -> PostgreSQLConnection {
        try PostgreSQLConnection(try #require(PrivatePostgreSQL.current).parameters(database: "postgres"), .test)
    }

    /// The error that a body throws.
    func error(_ body: () throws(PostgreSQLError) -> Void) throws -> PostgreSQLError {
        do throws(PostgreSQLError) {
            try body()
        } catch {
            return error
        }
        throw HarnessError("it was expected to fail")
    }

    @Test("the server takes COPY's bytes for what they are")
    func copy() throws {
        let connection = try connect()
        try connection.rows(
            """
            CREATE TEMP TABLE t (a smallint, b integer, c bigint, d boolean, e text, f varchar(50), g bytea, h jsonb,
                                 i timestamptz)
            """)
        let sql = "COPY t FROM STDIN (FORMAT binary)"
        var buffer = CopyBuffer(capacity: 1)
        for number: Int64 in [.min, -1, 0, 1, .max] {
            buffer.beginRow(fields: 9)
            buffer.append(Int16(clamping: number))
            buffer.append(Int32(clamping: number))
            buffer.append(number)
            buffer.append(number > 0)
            buffer.append("tab\t, \"quote\", \\N, 🫀")
            buffer.append(Array("ä".utf8).span)
            buffer.append([UInt8](0...255).span.bytes)
            buffer.append(jsonb: #"{"b": [1, null]}"#)
            buffer.append(Int64(1_000_001))
        }
        buffer.beginRow(fields: 9)
        for _ in 0..<9 { buffer.appendNull() }
        try connection.copyAll(sql, buffer, unableTo: "copy")
        let rows = try connection.rows(
            "SELECT a, b, c, d, e, f, g = decode('\((0...255).map { String($0 + 256, radix: 16).dropFirst() }.joined())', 'hex'), "
                + "h, i AT TIME ZONE 'UTC' FROM t ORDER BY c")
        let text: [String?] = [
            "tab\t, \"quote\", \\N, 🫀", "ä", "t", #"{"b": [1, null]}"#, "2000-01-01 00:00:01.000001",
        ]
        #expect(rows.count == 6)
        #expect(rows[0] == ["-32768", "-2147483648", "-9223372036854775808", "f"] + text)
        #expect(rows[1] == ["-1", "-1", "-1", "f"] + text)
        #expect(rows[4] == ["32767", "2147483647", "9223372036854775807", "t"] + text)
        #expect(rows[5] == Array(repeating: nil, count: 9))

        buffer.removeAll()
        try connection.copyAll(sql, buffer, unableTo: "copy no rows")
        buffer.beginRow(fields: 9)
        for _ in 0..<6 { buffer.appendNull() }
        buffer.append([UInt8](repeating: 7, count: 20_000_000).span.bytes)
        for _ in 0..<2 { buffer.appendNull() }
        try connection.copyAll(sql, buffer, unableTo: "copy 20 MB")
        #expect(try connection.rows("SELECT max(length(g)) FROM t") == [["20000000"]])
    }

    @Test("several COPYs and what follows them, in one query")
    func script() throws {
        let connection = try connect()
        try connection.rows("CREATE TEMP TABLE t (a integer); CREATE TEMP TABLE u (a integer)")
        func rows(_ numbers: ClosedRange<Int32>) -> CopyBuffer {
            var buffer = CopyBuffer()
            for number in numbers {
                buffer.beginRow(fields: 1)
                buffer.append(number)
            }
            return buffer
        }
        let copies = "COPY t FROM STDIN (FORMAT binary); COPY u FROM STDIN (FORMAT binary);"
        try connection.start("BEGIN; \(copies) INSERT INTO t SELECT a FROM u; COMMIT", unableTo: "start")
        try connection.copy(rows(1...3), unableTo: "copy into t")
        try connection.copy(rows(7...8), unableTo: "copy into u")
        try connection.finish(unableTo: "finish")
        #expect(!connection.isInTransaction)
        #expect(try connection.rows("SELECT a FROM t ORDER BY a").map { $0[0] } == ["1", "2", "3", "7", "8"])

        try connection.start("BEGIN; \(copies) SELECT 1 / 0; COMMIT", unableTo: "start")
        try connection.copy(rows(4...4), unableTo: "copy into t")
        try connection.copy(rows(9...9), unableTo: "copy into u")
        let late = try error { () throws(PostgreSQLError) in try connection.finish(unableTo: "finish") }
        #expect(late.sqlState?.rawValue == "22012" && connection.isInTransaction)
        try connection.rows("ROLLBACK")

        try connection.start("BEGIN; SELECT 1 / 0; \(copies) COMMIT", unableTo: "start")
        let early = try error { () throws(PostgreSQLError) in
            try connection.copy(rows(4...4), unableTo: "copy into t")
        }
        #expect(early.description.hasPrefix("unable to copy into t: division by zero"))
        try connection.rows("ROLLBACK")

        // Rows that nobody gives, and rows that nobody asked for.
        try connection.start(copies, unableTo: "start")
        let hungry = try error { () throws(PostgreSQLError) in try connection.finish(unableTo: "finish") }
        #expect(hungry.description == "unable to finish: the statements have a COPY without rows")
        try connection.start("SELECT 1", unableTo: "start")
        let idle = try error { () throws(PostgreSQLError) in try connection.copy(rows(4...4), unableTo: "copy") }
        #expect(idle.description == "unable to copy: the statements have no COPY for these rows")
        #expect(try connection.rows("SELECT count(*) FROM t") == [["5"]])
    }

    @Test("rows that are made while they are sent", arguments: [0, 1, 5000])
    func copyInParts(count: Int32) throws {
        let connection = try connect()
        try connection.rows("CREATE TEMP TABLE t (a integer)")
        try connection.start("BEGIN; COPY t FROM STDIN (FORMAT binary); COMMIT", unableTo: "start")
        var next: Int32 = 0
        try connection.copy(
            inParts: { buffer in
                while next < count, buffer.rowCount < 999 {
                    buffer.beginRow(fields: 1)
                    buffer.append(next)
                    next += 1
                }
                return next < count
            }, unableTo: "copy")
        try connection.finish(unableTo: "finish")
        let sum = Int(count) * (Int(count) - 1) / 2
        #expect(try connection.rows("SELECT count(*), coalesce(sum(a), 0) FROM t") == [["\(count)", "\(sum)"]])
    }

    @Test("rows that are not waited for: the server takes them meanwhile, and what fails is said at the end")
    func copyWithoutWaiting() throws {
        let (connection, other) = (try connect(), try connect())
        try other.rows(
            """
            CREATE TABLE slow (a integer CHECK (a >= 0), b text);
            CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN PERFORM pg_advisory_xact_lock_shared(1414); RETURN NEW; END $$;
            CREATE TRIGGER wait BEFORE INSERT ON slow FOR EACH ROW WHEN (NEW.a IN (0, -1)) EXECUTE FUNCTION wait()
            """)
        func rows(_ numbers: Range<Int32>) -> CopyBuffer {
            var buffer = CopyBuffer()
            for number in numbers {
                buffer.beginRow(fields: 2)
                buffer.append(number)
                buffer.append(String(repeating: "x", count: 1000))
            }
            return buffer
        }
        // So that it fails, and does not hang, when it waits.
        try connection.rows("SET lock_timeout = '20s'")
        for first: Int32 in [0, -1] {
            // The server stops at the first row; 20 MB do not fit in between.
            try other.rows("SELECT pg_advisory_lock(1414)")
            try connection.start("BEGIN; COPY slow FROM STDIN (FORMAT binary)", unableTo: "start")
            try connection.copy(rows(first..<20_000), waits: false, unableTo: "copy")
            connection.push()
            #expect(connection.isBusy)
            try other.rows("SELECT pg_advisory_unlock(1414)")
            if first == 0 {
                try connection.finish(unableTo: "finish")
            } else {
                let found = try error { () throws(PostgreSQLError) in try connection.finish(unableTo: "finish") }
                #expect(found.fault == .data && connection.isInTransaction)
            }
            #expect(!connection.isBusy)
            try connection.rows(first == 0 ? "COMMIT" : "ROLLBACK")
        }
        #expect(try other.rows("SELECT count(*), sum(a) FROM slow") == [["20000", "199990000"]])
        // The session waits again.
        try connection.copyAll("COPY slow FROM STDIN (FORMAT binary)", rows(0..<20_000), unableTo: "copy")
        #expect(try other.rows("SELECT count(*) FROM slow") == [["40000"]])
        try other.rows("DROP TABLE slow; DROP FUNCTION wait()")
    }

    @Test("rows in another order")
    func copyInOrder() throws {
        let connection = try connect()
        try connection.rows("CREATE TEMP TABLE t (id integer GENERATED ALWAYS AS IDENTITY, a integer)")
        var buffer = CopyBuffer()
        for number: Int32 in 0..<4 {
            buffer.beginRow(fields: 1)
            buffer.append(number)
        }
        try connection.copyAll("COPY t (a) FROM STDIN (FORMAT binary)", buffer, order: [2, 0, 3, 1], unableTo: "copy")
        #expect(try connection.rows("SELECT a FROM t ORDER BY id").map { $0[0] } == ["2", "0", "3", "1"])
    }

    @Test(
        "only classes 22 and 23 are the data's fault",
        arguments: [
            ("SELECT 1/0", "22012", Fault.data), ("SELECT 'x'::integer", "22P02", Fault.data),
            ("SELECT '40000'::smallint", "22003", Fault.data), ("INSERT INTO t VALUES (0)", "23514", Fault.data),
            ("INSERT INTO t VALUES (NULL)", "23502", Fault.lasting),
            ("INSERT INTO t VALUES (1), (1)", "23505", Fault.data),
            ("SELEC", "42601", Fault.lasting), ("SELECT * FROM nowhere", "42P01", Fault.lasting),
            ("SELECT nothing()", "42883", Fault.lasting), ("SELECT 1; ROLLBACK TO x", "25P01", Fault.passing),
            ("SET statement_timeout = 1; SELECT pg_sleep(1)", "57014", Fault.passing),
            ("DO $$ BEGIN RAISE EXCEPTION 'fenced' USING ERRCODE = 'HB001'; END $$", "HB001", Fault.passing),
            ("SET ROLE nobody_of_that_name", "22023", Fault.data),
        ])
    func classes(sql: String, state: String, fault: Fault) throws {
        let connection = try connect()
        try connection.rows("CREATE TEMP TABLE t (a integer NOT NULL UNIQUE CHECK (a > 0))")
        let found = try error { () throws(PostgreSQLError) in try connection.execute(sql, unableTo: "try") }
        #expect(found.sqlState?.rawValue == state, "\(found)")
        #expect(found.fault == fault, "\(found)")
        #expect(found.description.hasPrefix("unable to try: "))
        #expect(!found.description.contains("\n"))
        #expect(!connection.isBroken)
    }

    @Test("an error says what the server says: its message, its detail and its hint")
    func words() throws {
        let connection = try connect()
        let found = try error { () throws(PostgreSQLError) in
            try connection.execute(
                "DO $$ BEGIN RAISE EXCEPTION 'no' USING DETAIL = 'why' || chr(10) || 'else', HINT = 'do that'; END $$",
                unableTo: "try")
        }
        #expect(found.description == "unable to try: no: why; else (P0001). HINT: do that")
    }

    @Test("rows that the table does not take fail the transaction, and only that")
    func failingCopy() throws {
        let connection = try connect()
        try connection.rows("CREATE TEMP TABLE t (a integer CHECK (a > 0))")
        try connection.rows("BEGIN; INSERT INTO t VALUES (1)")
        var buffer = CopyBuffer()
        for number: Int32 in [1, 2, 0, 3] {
            buffer.beginRow(fields: 1)
            buffer.append(number)
        }
        let found = try error { () throws(PostgreSQLError) in
            try connection.copyAll("COPY t FROM STDIN (FORMAT binary)", buffer, unableTo: "copy 4 rows")
        }
        #expect(found.sqlState?.rawValue == "23514" && found.fault == .data)
        #expect(
            found.description.hasPrefix("unable to copy 4 rows: new row for relation \"t\" violates check constraint"))
        #expect(connection.isInTransaction && !connection.isBroken)
        try connection.rows("ROLLBACK")
        #expect(try connection.rows("SELECT count(*) FROM t") == [["0"]])
        let missing = try error { () throws(PostgreSQLError) in
            try connection.copyAll("COPY nowhere FROM STDIN (FORMAT binary)", buffer, unableTo: "copy")
        }
        #expect(missing.sqlState?.rawValue == "42P01" && missing.fault == .lasting)
        #expect(try connection.rows("SELECT 1") == [["1"]], "the session can still be used")
    }

    @Test("a session that was ended is broken, and its error is nobody's data")
    func terminated() throws {
        let connection = try connect()
        let backend = try #require(try connection.rows("SELECT pg_backend_pid()")[0][0])
        try connection.rows("CREATE TEMP TABLE t (a integer)")
        #expect(try connect().rows("SELECT pg_terminate_backend(\(backend), 10000)") == [["t"]])
        let found = try error { () throws(PostgreSQLError) in try connection.execute("SELECT 1", unableTo: "try") }
        #expect(found.sqlState == nil || found.sqlState?.rawValue == "57P01", "\(found)")
        #expect(found.fault == .passing && !found.description.contains("\n"))
        #expect(connection.isBroken)
        let again = try error { () throws(PostgreSQLError) in try connection.execute("SELECT 1", unableTo: "try") }
        #expect(again.fault == .passing)
    }

    @Test("a session that is ended in the midst of COPY")
    func terminatedInCopy() throws {
        let connection = try connect()
        let backend = try #require(try connection.rows("SELECT pg_backend_pid()")[0][0])
        try connection.rows(
            """
            CREATE TEMP TABLE t (a integer);
            CREATE FUNCTION pg_temp.last_words() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN PERFORM pg_terminate_backend(\(backend)); RETURN NEW; END $$;
            CREATE TRIGGER last_words BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION pg_temp.last_words()
            """)
        var buffer = CopyBuffer()
        for number: Int32 in 0..<500_000 {
            buffer.beginRow(fields: 1)
            buffer.append(number)
        }
        let found = try error { () throws(PostgreSQLError) in
            try connection.copyAll("COPY t FROM STDIN (FORMAT binary)", buffer, unableTo: "copy")
        }
        #expect(found.fault == .passing && connection.isBroken, "\(found)")
    }

    @Test("nobody there, or nobody of that name")
    func refused() throws {
        let nowhere = try error { () throws(PostgreSQLError) in
            _ = try PostgreSQLConnection(["host": "/nowhere", "user": "x"], .test)
        }
        #expect(nowhere.sqlState == nil && nowhere.fault == .passing && !nowhere.description.contains("\n"))
        #expect(nowhere.description.hasPrefix("unable to connect to PostgreSQL: "))
        let cluster = try #require(PrivatePostgreSQL.current)
        for parameters in [
            cluster.parameters(database: "nowhere"), cluster.parameters(database: "postgres", user: "nobody"),
            ["no_such_keyword": "x"],
        ] {
            let found = try error { () throws(PostgreSQLError) in _ = try PostgreSQLConnection(parameters, .test) }
            #expect(found.fault == .passing, "\(found)")
        }
    }

    @Test("several statements are one transaction, unless they say otherwise")
    func severalStatements() throws {
        let connection = try connect()
        try connection.rows("CREATE TEMP TABLE t (a integer)")
        _ = try error { () throws(PostgreSQLError) in
            try connection.execute("INSERT INTO t VALUES (1); SELECT 1/0", unableTo: "try")
        }
        #expect(try connection.rows("SELECT count(*) FROM t") == [["0"]])
        #expect(!connection.isInTransaction)
        try connection.rows("BEGIN")
        #expect(connection.isInTransaction)
        _ = try error { () throws(PostgreSQLError) in try connection.execute("SELECT 1/0", unableTo: "try") }
        #expect(connection.isInTransaction, "a failed transaction is one, too")
        try connection.rows("ROLLBACK")
        #expect(!connection.isInTransaction)
    }

    @Test("texts, names and parameters come through as they are")
    func quoting() throws {
        let connection = try connect()
        for text in ["", "it's", "\\", "$1", "\"", "🫀", "a\nb", "'; DROP TABLE t; --", "E'\\''"] {
            #expect(try connection.rows("SELECT \(try connection.literal(text))") == [[text]])
            let result = try connection.query(
                "SELECT $1::text, $2::text, ($3::text[])[1]", [text, String?.none, ArrayText([text])], unableTo: "ask")
            #expect(result.texts() == [[text, nil, text]])
            let name = PostgreSQLConnection.identifier(text.isEmpty ? "x" : text)
            #expect(throws: Never.self) { try connection.rows("CREATE TEMP TABLE \(name) (a integer)") }
        }
    }

    @Test("a result's edges")
    func results() throws {
        let connection = try connect()
        let result = try connection.execute("SELECT 1 AS one, NULL AS none, 'x' AS text", unableTo: "ask")
        #expect(result.count == 1 && result.affectedRows == 1 && result.texts() == [["1", nil, "x"]])
        let touched = try connection.execute("CREATE TEMP TABLE t AS SELECT generate_series(1, 7)", unableTo: "make")
        #expect(touched.affectedRows == 7 && touched.count == 0)
    }
}

extension PostgreSQLConnection {
    /// One COPY from its start to its end.
    fileprivate func copyAll(
        _ sql: String, _ rows: borrowing CopyBuffer, order: [Int] = [], unableTo action: String
    ) throws(PostgreSQLError) {
        try start(sql, unableTo: action)
        try copy(rows, order: order, unableTo: action)
        try finish(unableTo: action)
    }
}
