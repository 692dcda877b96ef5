import Testing

@testable import HeartRate

@Suite("Rejection reasons") struct RejectionReasonTests {
    @Test(
        "sentences name the field and the value",
        arguments: [
            (message(bpm: "300"), "heart_rate is 300, expected 1 to 299"),
            (message(bpm: #""300""#), #"heart_rate is "300", expected 1 to 299"#),
            (message(bpm: "72.5"), "heart_rate is 72.5, expected a whole number"),
            (message(bpm: "true"), "heart_rate is true, expected a whole number"),
            (message(bpm: "[1]"), "heart_rate is an array, expected a whole number"),
            (message(bpm: "null"), "heart_rate is null"),
            (message(bpm: "1e400"), "heart_rate is 1e400, expected 1 to 299"),
            (message(bpm: "99999999999999999999"), "heart_rate is 99999999999999999999, expected 1 to 299"),
            (message(bpm: "1e400", #", "x": 1e500"#), "heart_rate is a number beyond 64 bits, expected 1 to 299"),
            (message(id: "{}"), "customer_id is an object, expected a string"),
            (
                message(id: string(String(repeating: "a", count: 51))),
                "customer_id \"\(String(repeating: "a", count: 40))…\" has 51 characters, expected 1 to 50"
            ),
            (message(id: string(#"a\u0000b"#)), #"customer_id "a\u{0}b" contains the character NUL"#),
            (
                message(timestamp: string(#"no\u001b[2Jw"#)),
                #"timestamp is "no\u{1b}[2Jw", expected a date and time like 2026-02-19T15:53:03+00:00"#
            ),
            (
                message(timestamp: string("2027-01-01T00:00:00Z")),
                "timestamp is 2027-01-01T00:00:00.000000+00:00, expected at most 300 s after 2026-02-19T16:00:00.000000+00:00"
            ),
            (message(#", "unit": "Hz""#), #"unit is "Hz", expected "bpm""#),
            (message(#", "schema_version": "2.0""#), #"schema_version is "2.0", expected "1.0""#),
            ("{}", "customer_id is missing"), ("[]", "payload is JSON, but not an object"),
            ("", "payload is not JSON: it is empty"),
        ])
    func sentences(payload: String, expected: String) {
        #expect(decode(payload).reason?.sentence == expected)
    }

    @Test("codes are what is stored")
    func codes() {
        #expect(
            RejectionReason.Code.allCases.map(\.rawValue) == [
                "malformed_json", "not_an_object", "missing_field", "wrong_type", "out_of_range", "bad_timestamp",
                "future_timestamp", "id_empty", "id_too_long", "id_contains_nul", "tombstone", "unknown_schema_version",
                "unknown_unit", "too_large", "refused_by_database", "repeated",
            ])
    }

    @Test("the first thing that is wrong is reported")
    func order() {
        let wrong: [(String, RejectionReason.Code)] = [
            (#""schema_version": "2.0""#, .unknownSchemaVersion), (#""customer_id": """#, .idEmpty),
            (#""timestamp": "now""#, .badTimestamp), (#""heart_rate": 300"#, .outOfRange),
            (#""unit": "Hz""#, .unknownUnit),
            (#""timestamp": "2027-01-01T00:00:00Z""#, .futureTimestamp),
        ]
        for first in wrong.indices {
            // Later keys win, so the valid fields come first and the earliest mistake last.
            let mistakes = wrong[first...].reversed().map { ", " + $0.0 }.joined()
            #expect(decode(message(mistakes)).reason?.code == wrong[first].1)
        }
    }

    @Test("the server's message is kept, on one line and not without end")
    func refusedByDatabase() {
        let reason = RejectionReason.refusedByDatabase("value out of range\nDETAIL: x")
        #expect(
            reason.description == #"refused_by_database: the database refused it: value out of range\nDETAIL: x"#)
        #expect(RejectionReason.refusedByDatabase(String(repeating: "x", count: 10_000)).sentence.count < 600)
    }
}
