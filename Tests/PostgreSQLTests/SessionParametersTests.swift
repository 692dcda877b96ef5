import Foundation
import Harness
import Testing

@testable import PostgreSQL

@Suite("What a session is asked for") struct SessionParametersTests {
    private let session = SessionParameters(applicationName: "a name")

    @Test("ours come after the user's own options, with spaces and backslashes escaped")
    func options() throws {
        let odd = session.setting("x.y", to: #"a b\c"#)
        let options = try #require(odd.keywords(["options": "-c geqo=off"], defaultOptions: "-c geqo=on")["options"])
        #expect(options.hasPrefix("-c geqo=off -c client_encoding=UTF8 -c TimeZone=UTC -c DateStyle=ISO,\\ MDY "))
        #expect(options.hasSuffix(#" -c x.y=a\ b\\c -c heartbeat.session=own"#))
        #expect(session.keywords([:], defaultOptions: "-c geqo=on")["options"]?.hasPrefix("-c geqo=on -c ") == true)
        #expect(session.keywords(["host": "h"], defaultOptions: nil)["host"] == "h")
    }

    @Test("a setting and a limit of time replace what was there")
    func replaced() throws {
        let limited = session.limits(statement: .seconds(3), lock: .milliseconds(50))
        let options = try #require(limited.keywords([:], defaultOptions: nil)["options"])
        #expect(options.contains("-c statement_timeout=3000ms") && options.contains("-c lock_timeout=50ms"))
        #expect(!options.contains("-c statement_timeout=0") && options.contains("-c idle_session_timeout=0"))
    }

    @Test("what the server reports to be otherwise is set by a statement, and what is newer than options may say")
    func afterwards() {
        #expect(session.remaining(ofServer: 150_000) { _ in nil }.isEmpty)
        #expect(session.remaining(ofServer: 150_000) { $0 == "TimeZone" ? "UTC" : nil }.isEmpty)
        let found = session.remaining(ofServer: 150_000) { $0 == "TimeZone" ? "Europe/Berlin" : nil }
        #expect(found.map(\.name) == ["TimeZone"])
        #expect(session.remaining(ofServer: 170_000) { _ in nil }.map(\.name) == ["transaction_timeout"])
    }

    @Test("in a session that a pooler lends each transaction begins with all settings, the limits of time first")
    func lent() throws {
        let limited = session.limits(lock: .seconds(7)).setting("default_transaction_read_only", to: "on")
        let opening = limited.lentTransaction(ofServer: 170_000, role: "a\"b")
        #expect(opening.hasPrefix("SET LOCAL statement_timeout = '0';SET LOCAL "))
        for part in ["lock_timeout = '7000ms';", "search_path = public;"] {
            #expect(opening.contains("SET LOCAL " + part))
        }
        #expect(opening.contains("SET LOCAL transaction_timeout = '0';SET LOCAL client_encoding = 'UTF8';"))
        #expect(
            opening.hasSuffix(
                "SET TRANSACTION ISOLATION LEVEL READ COMMITTED, READ ONLY, NOT DEFERRABLE;SET LOCAL ROLE \"a\"\"b\";"))
        #expect(session.lentSession.split(separator: ";").count == 4)
        let given = limited.keywords(["options": "-c geqo=off"], defaultOptions: "x", isLent: true)
        #expect(given["options"] == "-c geqo=off")
        #expect(limited.keywords([:], defaultOptions: "x", isLent: true)["options"] == nil)
    }
}

extension ConnectionTests {
    @Test("whatever role, database and environment say, a session is what it was asked to be")
    func hostileDefaults() throws {
        let cluster = try #require(PrivatePostgreSQL.current)
        let asked = SessionParameters(applicationName: "asked").limits(lock: .seconds(7))
            .setting("default_transaction_read_only", to: "on")
        let name = cluster.newName()
        try connect().rows("CREATE DATABASE \(name)")
        try connect().setHostileDefaults(of: name, roles: ["postgres"])
        // libpq sends these two after the options.
        for (variable, value) in [("PGTZ", "Asia/Tokyo"), ("PGDATESTYLE", "German"), ("PGCLIENTENCODING", "LATIN1")] {
            setenv(variable, value, 1)
        }
        defer { for variable in ["PGTZ", "PGDATESTYLE", "PGCLIENTENCODING"] { unsetenv(variable) } }
        let connection = try PostgreSQLConnection(cluster.parameters(database: name), asked)
        let settings = try connection.rows(
            """
            SELECT current_setting(name) FROM unnest(ARRAY['TimeZone', 'DateStyle', 'IntervalStyle', 'client_encoding',
                'bytea_output', 'standard_conforming_strings', 'array_nulls', 'search_path', 'statement_timeout',
                'lock_timeout', 'default_transaction_read_only', 'default_transaction_isolation', 'application_name'])
                WITH ORDINALITY AS s (name, place) ORDER BY place
            """
        ).map { $0[0] }
        #expect(
            settings == [
                "UTC", "ISO, MDY", "iso_8601", "UTF8", "hex", "on", "on", "public", "0", "7s", "on",
                "read committed", "asked",
            ])
        #expect(try connection.rows("SELECT 'ä🫀', '\\x00'::bytea, pg_sleep(0.02)::text") == [["ä🫀", "\\x00", ""]])
    }
}
