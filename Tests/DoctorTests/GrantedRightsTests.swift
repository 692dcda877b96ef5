import Schema
import Testing

@testable import Doctor

@Suite("Rights that the migrations grant") struct GrantedRightsTests {
    @Test("are read from their statements")
    func read() {
        let rights = GrantedRights.rights(
            in: """
                GRANT SELECT, UPDATE (a, b)
                   ON one, two TO "reader",
                   "writer";
                GRANT USAGE ON SCHEMA public TO "reader";
                GRANT EXECUTE ON FUNCTION f(date) TO "reader";
                GRANT SELECT ON ALL TABLES IN SCHEMA public TO "reader";
                """)
        #expect(rights.count == 8)
        #expect(rights[1].statement == "GRANT UPDATE (a, b) ON one TO \"reader\"")
        #expect(rights[6].statement == "GRANT SELECT ON two TO \"writer\"")
    }

    @Test("the consumer's right to store readings is among them, and nothing is read that is none")
    func own() {
        let rights = Migration.all.flatMap { GrantedRights.rights(in: $0.sql) }
        #expect(rights.contains { $0.statement == "GRANT INSERT ON heart_rate_readings TO \"heartbeat-consumer\"" })
        for right in rights {
            #expect(["SELECT", "INSERT", "UPDATE", "DELETE"].contains(right.privilege), "\(right)")
            #expect(right.table.allSatisfy { $0.isLetter || $0 == "_" }, "\(right)")
            #expect(right.role.hasPrefix("heartbeat-"), "\(right)")
        }
    }
}
