import Harness
import Testing

@testable import PostgreSQL

extension ConnectionTests {
    /// One row with a column of each kind.
    private static let row =
        "SELECT 7 AS number, NULL::integer AS nothing, 'x' AS text, true AS flag, '\\x0a'::bytea AS bytes"

    @Test("a row's columns are read by name, in any order and as often as one likes")
    func columnsByName() throws {
        let rows = try connect().query(Self.row, unableTo: "ask")
        let found = try rows.map { row throws(PostgreSQLError) in
            let bytes: [UInt8] = try row["bytes"]
            let (number, again): (Int, Int16?) = (try row["number"], try row["number"])
            let nothing: Int? = try row["nothing"]
            let (flag, text): (Bool, String) = (try row["flag"], try row["text"])
            return bytes == [10] && number == 7 && again == 7 && nothing == nil && flag && text == "x"
        }
        #expect(found == [true])
    }

    @Test("a column that is missing, NULL or of another type is an error that names it")
    func wrongColumns() throws {
        let connection = try connect()
        func cause<Value: PostgreSQLValue>(_ name: StaticString, _: Value.Type) throws -> String {
            try error { () throws(PostgreSQLError) in
                let rows = try connection.query(Self.row, unableTo: "ask")
                _ = try rows.map { row throws(PostgreSQLError) -> Value in try row[name] }
            }.description
        }
        #expect(try cause("nobody", Int.self) == #"unable to ask: there is no column "nobody""#)
        #expect(try cause("nothing", Int.self) == #"unable to ask: column "nothing" is NULL"#)
        #expect(try cause("text", Int.self) == #"unable to ask: column "text" is no Int: x"#)
        #expect(try cause("number", Bool.self) == #"unable to ask: column "number" is no Bool: 7"#)
    }

    @Test("a statement for one value gives one, and one for a column all of them")
    func values() throws {
        let connection = try connect()
        let seven: Int = try connection.query("SELECT 7", unableTo: "ask").value()
        let column: [Int] = try connection.query("SELECT generate_series(1, 3)", unableTo: "ask").column()
        #expect(seven == 7 && column == [1, 2, 3])
        for sql in ["SELECT 1 WHERE false", "SELECT generate_series(1, 2)", "SELECT 1, 2"] {
            let found = try error { () throws(PostgreSQLError) in
                let _: Int = try connection.query(sql, unableTo: "ask").value()
            }
            #expect(found.description.hasPrefix("unable to ask: expected one"))
        }
    }

    @Test("microseconds are exact in every year and zone")
    func exactMicroseconds() throws {
        for zone in ["UTC", "America/Sao_Paulo", "Australia/Lord_Howe"] {
            let connection = try connect()
            try connection.rows("SET TimeZone = '\(zone)'; SET DateStyle = German")
            for (text, expected) in [
                ("1970-01-01T00:00:00.000001Z", 1), ("0001-01-01T00:00:00Z", -62_135_596_800_000_000),
                ("9999-12-31T23:59:59.999999Z", 253_402_300_799_999_999),
            ] {
                let found: Int64 = try connection.query(
                    "SELECT \(microseconds(of: "$1::timestamptz"))", [text], unableTo: "ask"
                ).value()
                #expect(found == expected)
            }
        }
    }
}
