import Testing

@testable import HeartRate

/// 2026-02-19T16:00:00Z, shortly after the contract's example.
let now = Instant(microsecondsSince1970: 1_771_516_800_000_000)

func decode(_ payload: [UInt8], limits: DecodingLimits = DecodingLimits()) -> Result<Reading, RejectionReason> {
    var decoder = ReadingDecoder()
    do throws(RejectionReason) {
        return .success(try decoder.decode(payload.span.bytes, receivedAt: now, limits: limits))
    } catch {
        return .failure(error)
    }
}

func decode(_ payload: String) -> Result<Reading, RejectionReason> {
    decode(Array(payload.utf8))
}

extension Result where Success == Reading, Failure == RejectionReason {
    var reading: Reading? { try? get() }
    var reason: RejectionReason? { if case .failure(let reason) = self { reason } else { nil } }
}

/// A message whose three required fields are valid unless they are given, as JSON; `more` begins with a comma.
func message(
    id: String = #""cust_0001""#, timestamp: String = #""2026-02-19T15:53:03Z""#, bpm: String = "72",
    _ more: String = ""
) -> String {
    #"{"customer_id": \#(id), "timestamp": \#(timestamp), "heart_rate": \#(bpm)\#(more)}"#
}

func string(_ text: String) -> String { "\"" + text + "\"" }

@Suite("Decoding") struct ReadingDecoderTests {
    @Test("the contract's example")
    func contractExample() throws {
        let payload = #"""
            {"schema_version": "1.0", "customer_id": "cust_0001", "timestamp": "2026-02-19T15:53:03.123456+00:00", "heart_rate": 72}
            """#
        let reading = try decode(payload).get()
        #expect(reading.customerID.description == "cust_0001")
        #expect(reading.recordedAt.iso8601 == "2026-02-19T15:53:03.123456+00:00")
        #expect(reading.recordedAt.microsecondsSince1970 == 1_771_516_383_123_456)
        #expect(reading.heartRate == 72)
    }

    @Test("a null payload and a large one are not parsed")
    func payloadSize() {
        var decoder = ReadingDecoder()
        let tombstone = #expect(throws: RejectionReason.self) { _ = try decoder.decode(nil, receivedAt: now) }
        #expect(tombstone?.code == .tombstone)

        let padding = String(repeating: " ", count: 65_536 - message().utf8.count)
        #expect(decode(message() + padding).reading != nil)
        let reason = decode(message() + padding + " ").reason
        #expect(reason?.code == .tooLarge)
        #expect(reason?.sentence == "payload is 65537 bytes, expected at most 65536")
    }

    @Test(
        "accepted heart rates",
        arguments: [
            ("72", 72), ("72.0", 72), ("7.2e1", 72), ("720e-1", 72), (#""72""#, 72), (#""+72""#, 72), (#""072""#, 72),
            ("1", 1), ("299", 299), (#""1""#, 1), (#""299""#, 299), ("299.0", 299), ("2.99E2", 299), ("72.000", 72),
        ])
    func accepted(bpm: String, expected: Int16) {
        #expect(decode(message(bpm: bpm)).reading?.heartRate == expected)
    }

    @Test(
        "refused heart rates",
        arguments: [
            ("72.5", .wrongType), ("true", .wrongType), ("false", .wrongType), ("[]", .wrongType), ("[72]", .wrongType),
            ("{}", .wrongType), (#""abc""#, .wrongType), (#""72.5""#, .wrongType), (#""72.0""#, .wrongType),
            (#""""#, .wrongType), (#""+""#, .wrongType), (#""-""#, .wrongType), (#"" 72""#, .wrongType),
            (#""72 ""#, .wrongType), (#""7e1""#, .wrongType), (#""0x48""#, .wrongType), (#""٧٢""#, .wrongType),
            (#""+-72""#, .wrongType), ("0.5", .wrongType), ("299.5", .wrongType), ("1e-1", .wrongType),
            ("0", .outOfRange), ("-0", .outOfRange), ("-0.0", .outOfRange), ("0.0", .outOfRange), ("-5", .outOfRange),
            ("-1", .outOfRange), ("300", .outOfRange), ("21600", .outOfRange), ("32768", .outOfRange),
            ("65608", .outOfRange), ("4294967368", .outOfRange), ("1e300", .outOfRange), ("-1e300", .outOfRange),
            ("1e400", .outOfRange), ("-1e400", .outOfRange), ("1.5E+999", .outOfRange), ("0.1e400", .outOfRange),
            ("9223372036854775807", .outOfRange), ("9223372036854775808", .outOfRange),
            ("18446744073709551615", .outOfRange), ("18446744073709551616", .outOfRange),
            ("99999999999999999999", .outOfRange), ("-99999999999999999999", .outOfRange),
            (String(repeating: "9", count: 400), .outOfRange), ("1e-400", .outOfRange),
            (#""0""#, .outOfRange), (#""-72""#, .outOfRange), (#""300""#, .outOfRange),
            (#""99999999999999999999""#, .outOfRange), (#""-99999999999999999999""#, .outOfRange),
            ("null", .missingField), ("072", .malformedJSON), ("+72", .malformedJSON), ("72.", .malformedJSON),
            (".72", .malformedJSON), ("7e", .malformedJSON), ("NaN", .malformedJSON), ("Infinity", .malformedJSON),
            ("-", .malformedJSON), ("0x48", .malformedJSON), ("01e400", .malformedJSON), ("1e400.", .malformedJSON),
            ("1e400 1", .malformedJSON), ("-e400", .malformedJSON), ("1e+400-", .malformedJSON),
            ("True", .malformedJSON),
        ] as [(String, RejectionReason.Code)])
    func refused(bpm: String, expected: RejectionReason.Code) {
        #expect(decode(message(bpm: bpm)).reason?.code == expected)
    }

    @Test(
        "oversized numbers elsewhere do not matter", arguments: ["1e400", "99999999999999999999", "[-1e999, [1e400]]"])
    func oversizedElsewhere(number: String) {
        #expect(decode(message(#", "x": \#(number), "y": "1e400""#)).reading?.heartRate == 72)
        #expect(decode(message(bpm: "1e400", #", "x": \#(number)"#)).reason?.code == .outOfRange)
        #expect(
            decode(message(id: string(#"\"1e400"#), #", "x": \#(number)"#)).reading?.customerID.description == "\"1e400"
        )
    }

    @Test(
        "accepted ids",
        arguments: [
            "x", "cust_0001", "Robert'); DROP TABLE customers;--", "<script>alert(1)</script>", "🫀🫀🫀", "e\u{301}",
            String(repeating: "a", count: 50), String(repeating: "🫀", count: 50), String(repeating: "ß", count: 50),
            "tab\there", " ", "\u{FEFF}", "日本語", "\\N", "a\u{7F}",
        ])
    func acceptedID(id: String) throws {
        let escaped = id.replacing("\\", with: "\\\\").replacing("\t", with: "\\t")
        #expect(decode(message(id: string(escaped))).reading?.customerID == (try CustomerID(id)))
    }

    @Test(
        "refused ids",
        arguments: [
            (string(""), .idEmpty), (string(String(repeating: "a", count: 51)), .idTooLong),
            (string(String(repeating: "🫀", count: 51)), .idTooLong),
            (string(String(repeating: "a", count: 300)), .idTooLong),
            (string(String(repeating: "\\u0000", count: 51)), .idTooLong), (string(#"a\u0000b"#), .idContainsNUL),
            (string(#"\u0000"#), .idContainsNUL), ("null", .missingField), ("1", .wrongType), ("true", .wrongType),
            ("[]", .wrongType), (#"{"a": "b"}"#, .wrongType), (string("a\u{0}b"), .malformedJSON),
            (string(#"\ud800"#), .malformedJSON), (string(#"\udc00"#), .malformedJSON),
            (string("a\nb"), .malformedJSON),
            (string(#"\ud800\u0041"#), .malformedJSON), (string(#"\x41"#), .malformedJSON), ("'a'", .malformedJSON),
        ] as [(String, RejectionReason.Code)])
    func refusedID(id: String, expected: RejectionReason.Code) {
        #expect(decode(message(id: id)).reason?.code == expected)
    }

    @Test(
        "refused timestamps",
        arguments: [
            ("null", .missingField), ("1771516383", .wrongType), ("[]", .wrongType), (string(""), .badTimestamp),
            (string("now"), .badTimestamp), (string("infinity"), .badTimestamp),
            (string("9999999-01-01T00:00:00Z"), .badTimestamp),
            (string("2026-13-01T00:00:00Z"), .badTimestamp), (string("2026-02-19T15:53:03"), .badTimestamp),
            (string("2026-12-31T23:59:60Z"), .badTimestamp), (string("9999-12-31T23:59:59Z"), .futureTimestamp),
            (string("2026-02-19T16:05:00.000001Z"), .futureTimestamp),
        ] as [(String, RejectionReason.Code)])
    func refusedTimestamp(timestamp: String, expected: RejectionReason.Code) {
        #expect(decode(message(timestamp: timestamp)).reason?.code == expected)
    }

    @Test("a timestamp may be ahead by the allowed skew")
    func clockSkew() throws {
        let ahead = message(timestamp: string("2026-02-19T16:00:01Z"))
        #expect(decode(message(timestamp: string("2026-02-19T16:05:00Z"))).reading != nil)
        #expect(decode(Array(ahead.utf8), limits: DecodingLimits(maximumClockSkew: .seconds(1))).reading != nil)
        #expect(
            decode(Array(ahead.utf8), limits: DecodingLimits(maximumClockSkew: Microseconds(999_999))).reason?.code
                == .futureTimestamp)
        #expect(decode(Array(ahead.utf8), limits: DecodingLimits(maximumClockSkew: Microseconds(.max))).reading != nil)
        #expect(
            decode(Array(ahead.utf8), limits: DecodingLimits(maximumClockSkew: Microseconds(.min))).reason?.code
                == .futureTimestamp)
    }

    @Test(
        "unit and schema version",
        arguments: [
            (#", "unit": "bpm""#, nil), (#", "unit": "beats/min""#, nil), (#", "unit": "/min""#, nil),
            (#", "unit": null"#, nil),
            (#", "unit": "Hz""#, .unknownUnit), (#", "unit": """#, .unknownUnit), (#", "unit": "BPM""#, .unknownUnit),
            (#", "unit": "bpm ""#, .unknownUnit), (#", "unit": 1"#, .wrongType), (#", "unit": ["bpm"]"#, .wrongType),
            (#", "schema_version": "1.0""#, nil), (#", "schema_version": "1.7""#, nil),
            (#", "schema_version": "1""#, nil),
            (#", "schema_version": "1.10.3""#, nil), (#", "schema_version": null"#, nil),
            (#", "schema_version": "2.0""#, .unknownSchemaVersion),
            (#", "schema_version": "10.0""#, .unknownSchemaVersion),
            (#", "schema_version": "1.""#, .unknownSchemaVersion),
            (#", "schema_version": "1..0""#, .unknownSchemaVersion),
            (#", "schema_version": "1.x""#, .unknownSchemaVersion),
            (#", "schema_version": "1x""#, .unknownSchemaVersion),
            (#", "schema_version": """#, .unknownSchemaVersion), (#", "schema_version": "01""#, .unknownSchemaVersion),
            (#", "schema_version": "v1""#, .unknownSchemaVersion),
            (#", "schema_version": " 1""#, .unknownSchemaVersion),
            (#", "schema_version": 1.0"#, .wrongType), (#", "schema_version": {}"#, .wrongType),
            (#", "unknown": {"heart_rate": 400, "deep": [[[null]]]}"#, nil),
        ] as [(String, RejectionReason.Code?)])
    func optionalFields(more: String, expected: RejectionReason.Code?) {
        #expect(decode(message(more)).reason?.code == expected)
    }

    @Test(
        "activities; what is none of them is not told, and never a reason to reject",
        arguments: [
            ("", nil), (#", "activity": "rest""#, .rest), (#", "activity": "sleep""#, .sleep),
            (#", "activity": "walk""#, .walk), (#", "activity": "exercise""#, .exercise),
            (#", "activity": "\u0072est""#, .rest), (#", "activity": null"#, nil), (#", "activity": """#, nil),
            (#", "activity": "Rest""#, nil), (#", "activity": "rest ""#, nil), (#", "activity": "res""#, nil),
            (#", "activity": "swimming""#, nil), (#", "activity": 1"#, nil), (#", "activity": 1e400"#, nil),
            (#", "activity": true"#, nil), (#", "activity": ["rest"]"#, nil), (#", "activity": {"rest": "rest"}"#, nil),
            (#", "activity": "walk", "activity": "sleep""#, .sleep), (#", "activity": "walk", "activity": 7"#, nil),
            (#", "x": {"activity": "walk"}"#, nil),
        ] as [(String, Activity?)])
    func activities(more: String, expected: Activity?) throws {
        let reading = try decode(message(more)).get()
        #expect(reading.activity == expected)
        #expect(reading.heartRate == 72)
    }

    @Test(
        "of a key that is there twice the last value counts",
        arguments: [
            (#"{"heart_rate": 71, "customer_id": "a", "timestamp": "2026-02-19T15:53:03Z", "heart_rate": 72}"#, 72),
            (#"{"heart_rate": "x", "customer_id": "a", "timestamp": "2026-02-19T15:53:03Z", "heart_rate": 73}"#, 73),
            (#"{"heart\u005frate": 74, "customer_id": "a", "timestamp": "2026-02-19T15:53:03Z"}"#, 74),
            (
                #"{"heart_rate": 71, "customer_id": "a", "timestamp": "2026-02-19T15:53:03Z", "heart\u005frate": 75}"#,
                75
            ),
            (#"{"heart_rate": 71, "customer_id": "a", "timestamp": "2026-02-19T15:53:03Z", "heart_rate": null}"#, nil),
        ] as [(String, Int16?)])
    func duplicateKeys(payload: String, expected: Int16?) {
        #expect(decode(payload).reading?.heartRate == expected)
    }

    @Test(
        "documents",
        arguments: [
            ("", .malformedJSON), (" ", .malformedJSON), ("{", .malformedJSON), ("}", .malformedJSON),
            ("{}", .missingField),
            ("[]", .notAnObject), ("72", .notAnObject), (#""72""#, .notAnObject), ("null", .notAnObject),
            ("true", .notAnObject),
            ("1e400", .notAnObject), ("[1e400]", .notAnObject), ("nul", .malformedJSON), ("hello", .malformedJSON),
            ("\u{FEFF}", .malformedJSON), ("\u{FEFF}\u{FEFF}{}", .malformedJSON), ("{} {}", .malformedJSON),
            ("{},", .malformedJSON),
            ("{}\u{0}", .malformedJSON), (#"{"a": 1,}"#, .malformedJSON), (#"{"a" 1}"#, .malformedJSON),
            (#"{"a": }"#, .malformedJSON),
            (#"{a: 1}"#, .malformedJSON), (#"{"a": "b}"#, .malformedJSON), (#"{"a": "\"#, .malformedJSON),
            ("// {}", .malformedJSON),
            ("<html></html>", .malformedJSON), ("\u{0}", .malformedJSON), ("[1e400}", .malformedJSON),
            (String(repeating: "[", count: 10_000), .malformedJSON),
            (String(repeating: #"{"a":"#, count: 10_000), .malformedJSON),
            (String(repeating: "[", count: 10_000) + String(repeating: "]", count: 10_000), .malformedJSON),
            (
                message(#", "x": \#(String(repeating: "[", count: 2000) + String(repeating: "]", count: 2000))"#),
                .malformedJSON
            ),
        ] as [(String, RejectionReason.Code)])
    func documents(payload: String, expected: RejectionReason.Code) {
        #expect(decode(payload).reason?.code == expected)
    }

    @Test("a byte order mark is ignored, bytes that are not UTF-8 are not")
    func encoding() {
        #expect(decode("\u{FEFF}" + message()).reading != nil)
        for bad: [UInt8] in [
            [0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xE2, 0x82], [0x80],
        ] {
            let inString = Array(#"{"x": ""#.utf8) + bad + Array(#"", "customer_id": "a"}"#.utf8)
            #expect(decode(inString).reason?.code == .malformedJSON)
            #expect(decode(Array(message().utf8) + bad).reason?.code == .malformedJSON)
        }
        let utf16 = message().utf16.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }
        #expect(decode(utf16).reason?.code == .malformedJSON)
    }

    @Test("no beginning of a message is a message")
    func truncated() {
        let whole = Array(message(#", "schema_version": "1.0", "x": [1, {"y": 1e400}]"#).utf8)
        for length in 0..<whole.count {
            #expect(decode(Array(whole[..<length])).reason?.code == .malformedJSON)
        }
    }
}
