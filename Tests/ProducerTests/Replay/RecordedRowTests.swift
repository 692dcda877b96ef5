import HeartRate
import Testing

@testable import Producer

@Suite struct RecordedRowTests {
    @Test(
        "is published as it stands",
        arguments: [
            (
                "a,2020-01-01T00:00:00Z,72",
                #"{"customer_id": "a", "timestamp": "2020-01-01T00:00:00Z", "heart_rate": 72}"#
            ),
            // To refuse what no heart does is the consumer's work.
            ("a,t,0", #"{"customer_id": "a", "timestamp": "t", "heart_rate": 0}"#),
            ("a,t,-5", #"{"customer_id": "a", "timestamp": "t", "heart_rate": -5}"#),
            ("a,t,21600", #"{"customer_id": "a", "timestamp": "t", "heart_rate": 21600}"#),
            (
                "a,t,99999999999999999999",
                #"{"customer_id": "a", "timestamp": "t", "heart_rate": 99999999999999999999}"#
            ),
            // JSON has neither a plus sign nor leading zeros.
            ("a,t,+72", #"{"customer_id": "a", "timestamp": "t", "heart_rate": 72}"#),
            ("a,t,0072", #"{"customer_id": "a", "timestamp": "t", "heart_rate": 72}"#),
            ("a,t,-000", #"{"customer_id": "a", "timestamp": "t", "heart_rate": -0}"#),
            (",,1", #"{"customer_id": "", "timestamp": "", "heart_rate": 1}"#),
            // Tools that keep all numbers as floating ones write whole numbers so.
            ("a,t,72.0", #"{"customer_id": "a", "timestamp": "t", "heart_rate": 72}"#),
            (#""a","t","72""#, #"{"customer_id": "a", "timestamp": "t", "heart_rate": 72}"#),
            (#""a,""b""",t,1"#, #"{"customer_id": "a,\"b\"", "timestamp": "t", "heart_rate": 1}"#),
            (#""",t,1"#, #"{"customer_id": "", "timestamp": "t", "heart_rate": 1}"#),
            (
                "a\\b\t\u{1}\u{1f}é,t,1",
                #"{"customer_id": "a\\b\u0009\u0001\u001fé", "timestamp": "t", "heart_rate": 1}"#
            ),
        ])
    func stands(line: String, message: String) throws {
        #expect(try encoded(line) == message.replacing("{", with: #"{"schema_version": "1.0", "#))
    }

    @Test(
        arguments: [
            ("", .fieldCount(1, expected: 3)), ("a", .fieldCount(1, expected: 3)),
            ("a,t", .fieldCount(2, expected: 3)), ("a,t,1,", .fieldCount(4, expected: 3)),
            ("a,t,", .noHeartRate), ("a,t,NaN", .noHeartRate), ("a,t,null", .noHeartRate), (#"a,t,"""#, .noHeartRate),
            ("a,t,x", .heartRate("x")), ("a,t,72.5", .heartRate("72.5")), ("a,t,72.", .heartRate("72.")),
            ("a,t, 72", .heartRate(" 72")), ("a,t,72 ", .heartRate("72 ")), ("a,t,-", .heartRate("-")),
            ("a,t,+-1", .heartRate("+-1")), ("a,t,7e1", .heartRate("7e1")), ("a,t,٧", .heartRate("٧")),
            (#""a,t,1"#, .quotes), (#"a,t,1""#, .quotes), (#"a,b"c,t,1"#, .quotes), (#""a"b,t,1"#, .quotes),
            // A quotation mark with an accent behind it is one character, and a quotation mark all the same.
            ("\"a\"\u{301},t,1", .quotes),
        ] as [(String, RowProblem)])
    func isRefused(line: String, problem: RowProblem) {
        #expect(throws: problem) { try encoded(line) }
    }

    @Test("an error is not endless")
    func endless() {
        let cause = String(repeating: "x", count: 100) + "..."
        #expect(throws: RowProblem.heartRate(cause)) {
            try encoded("a,t," + String(repeating: "x", count: 9999))
        }
    }

    @Test("columns are where the header has them")
    func columns() throws {
        #expect(RecordedColumns(header: ["customer_id", "recorded_at"]) == nil)
        #expect(RecordedColumns(header: RecordedColumns.names + ["heart_rate"]) == nil)
        #expect(
            try encoded("72.0,home,a,t", header: ["heart_rate", "place", "customer_id", "recorded_at"])
                == #"{"schema_version": "1.0", "customer_id": "a", "timestamp": "t", "heart_rate": 72}"#)
    }

    @Test(
        "an activity is published when it is one of the contract's words",
        arguments: [
            ("walk", "walk"), (#""sleep""#, "sleep"), ("rest", "rest"), ("exercise", "exercise"), ("", nil),
            ("Walk", nil), (" walk", nil), ("walking", nil), ("NaN", nil), (#""a ""b"", c""#, nil), ("\u{1}\\", nil),
        ] as [(String, String?)])
    func activity(cell: String, word: String?) throws {
        let field = word.map { #", "activity": "\#($0)""# } ?? ""
        let message = #"{"schema_version": "1.0", "customer_id": "a", "timestamp": "t", "heart_rate": 72\#(field)}"#
        let names = ["activity", "heart_rate", "customer_id", "recorded_at"]
        #expect(try encoded(cell + ",72,a,t", header: names) == message)
        // Which of two columns is meant nobody knows.
        let plain = #"{"schema_version": "1.0", "customer_id": "a", "timestamp": "t", "heart_rate": 72}"#
        #expect(try encoded(cell + ",72,a,t,walk", header: names + ["activity"]) == plain)
    }

    /// Whoever reads the topic cannot tell a replayed reading from a simulated one.
    @Test("has the form of a simulated reading")
    func form() throws {
        let moment = Instant(microsecondsSince1970: 1_771_516_383_123_456)
        let reading = try #require(Reading(customerID: CustomerID("cust_0001"), recordedAt: moment, heartRate: 72))
        var encoder = MessageWriter()
        let expected = encoder.write(reading)
        let text = String(decoding: expected.byteOffsets.map { expected[$0] }, as: UTF8.self)
        #expect(try encoded("cust_0001,\(moment.iso8601),72") == text)
    }

    private func encoded(_ line: String, header: [String] = RecordedColumns.names) throws -> String {
        let bytes = Array(line.utf8)
        var splitter = CSVSplitter()
        let columns = try #require(RecordedColumns(header: header))
        let row = try RecordedRow(try splitter.split(bytes.span), columns)
        var encoder = RowEncoder()
        let message = encoder.encode(row, recordedAt: row.recordedAt)
        return String(
            decoding: message.byteOffsets.map { message.unsafeLoad(fromByteOffset: $0, as: UInt8.self) }, as: UTF8.self)
    }
}

extension RawSpan {
    fileprivate subscript(offset: Int) -> UInt8 { unsafeLoad(fromByteOffset: offset, as: UInt8.self) }
}
