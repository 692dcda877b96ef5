import Testing

@testable import PostgreSQL

@Suite("What is at fault by an error's code") struct FaultTests {
    @Test(
        "errors that pass, whatever the rows are",
        arguments: [
            "08000", "08003", "08006", "08P01", "0B000", "24000", "25006", "25P02", "25P03", "25P04", "26000", "28000",
            "28P01", "3D000", "40001", "40002", "40003", "40P01", "53000", "53100", "53200", "53300", "53400", "55006",
            "55P03", "57000", "57014", "57P01", "57P02", "57P03", "57P04", "57P05", "58000", "58030", "58P01", "72000",
            "F0000", "HB001", "HV000",
        ])
    func passing(code: String) { #expect(SQLState(rawValue: code).fault == .passing) }

    @Test(
        "errors that the same rows would have again, and only they",
        arguments: [
            "09000", "20000", "21000", "22000", "22003", "22012", "22021", "22P02", "22P05", "23000", "23001", "23503",
            "23505", "23514", "23P01", "27000", "2F002", "38001", "44000", "54000", "54001", "P0001", "P0002", "P0003",
            "P0004",
            // What triggers raise by codes of their own.
            "45000", "UE001", "ZZZZZ", "99001", "D0001",
        ])
    func data(code: String) { #expect(SQLState(rawValue: code).fault == .data) }

    @Test(
        "errors that all rows have until a person changes the database",
        arguments: [
            "0A000", "0L000", "0P000", "22P03", "23502", "2B000", "2D000", "39P01", "3F000", "42501", "42601", "42703",
            "42704", "42804", "42883", "42P01", "42P10", "42P17", "55000", "XX000", "XX001", "XX002",
        ])
    func lasting(code: String) { #expect(SQLState(rawValue: code).fault == .lasting) }

    @Test("an error without a code is the connection's; the place may know better")
    func place() {
        let error = PostgreSQLError(unableTo: "try", cause: "server closed the connection unexpectedly")
        #expect(error.fault == .passing && error.with(.lasting).fault == .lasting)
        let known = PostgreSQLError(unableTo: "try", cause: "no", sqlState: SQLState(rawValue: "P0001"), hint: "do")
        #expect(known.with(.lasting).description == known.description)
    }
}
