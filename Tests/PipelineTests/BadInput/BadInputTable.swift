import Foundation
import Kafka

/// A message that is not as the contract's example, and what has to become of it.
struct OddMessage {
    enum Fate: Equatable {
        /// Stored with these values; the instant as PostgreSQL writes it in UTC.
        case stored(customer: String, at: String, bpm: Int, anomaly: String? = nil)
        /// Rejected with this code.
        case rejected(String)
    }

    let name: String
    let key: [UInt8]?
    let value: [UInt8]?
    let headers: [KafkaMessage.Header]
    let fate: Fate

    init(
        _ name: String, _ value: [UInt8]?, fate: Fate, key: [UInt8]? = Array("a key".utf8),
        headers: [KafkaMessage.Header] = []
    ) {
        self.name = name
        self.key = key
        self.value = value
        self.headers = headers
        self.fate = fate
    }

    init(_ name: String, _ value: String, fate: Fate) { self.init(name, Array(value.utf8), fate: fate) }
}

/// A message whose three fields are right unless they are given, as JSON.
private func message(
    id: String = #""odd""#, at: String = #""2026-02-19T15:53:03Z""#, bpm: String = "72", _ more: String = ""
) -> String {
    #"{"customer_id": \#(id), "timestamp": \#(at), "heart_rate": \#(bpm)\#(more)}"#
}

private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

private let stored = OddMessage.Fate.stored(customer: "odd", at: "2026-02-19 15:53:03+00", bpm: 72)

private func stored(as customer: String) -> OddMessage.Fate {
    .stored(customer: customer, at: "2026-02-19 15:53:03+00", bpm: 72)
}

private func stored(at instant: String) -> OddMessage.Fate { .stored(customer: "odd", at: instant, bpm: 72) }

private func stored(bpm: Int, _ anomaly: String? = nil) -> OddMessage.Fate {
    .stored(customer: "odd", at: "2026-02-19 15:53:03+00", bpm: bpm, anomaly: anomaly)
}

extension OddMessage {
    static let all = documents + heartRates + timestamps + ids + optionalFields + kafka

    /// What is no JSON object at all.
    private static let documents = [
        OddMessage("a tombstone", nil, fate: .rejected("tombstone")),
        OddMessage("nothing", "", fate: .rejected("malformed_json")),
        OddMessage("a space", " ", fate: .rejected("malformed_json")),
        OddMessage("a line feed", "\n", fate: .rejected("malformed_json")),
        OddMessage("text", "hello", fate: .rejected("malformed_json")),
        OddMessage("HTML", "<!DOCTYPE html><p>502 Bad Gateway", fate: .rejected("malformed_json")),
        OddMessage("an array", "[]", fate: .rejected("not_an_object")),
        OddMessage("a message in an array", "[" + message() + "]", fate: .rejected("not_an_object")),
        OddMessage("null", "null", fate: .rejected("not_an_object")),
        OddMessage("a number", "5", fate: .rejected("not_an_object")),
        OddMessage("a string", #""72""#, fate: .rejected("not_an_object")),
        OddMessage("true", "true", fate: .rejected("not_an_object")),
        OddMessage("an empty object", "{}", fate: .rejected("missing_field")),
        OddMessage("truncated", String(message().dropLast(20)), fate: .rejected("malformed_json")),
        OddMessage("without its last brace", String(message().dropLast()), fate: .rejected("malformed_json")),
        OddMessage("two objects", message() + message(), fate: .rejected("malformed_json")),
        OddMessage("a comma too many", String(message().dropLast()) + ",}", fate: .rejected("malformed_json")),
        OddMessage("apostrophes for quotation marks", message(id: "'odd'"), fate: .rejected("malformed_json")),
        OddMessage("a comment", message() + " // 72", fate: .rejected("malformed_json")),
        OddMessage("NaN", message(bpm: "NaN"), fate: .rejected("malformed_json")),
        OddMessage("not UTF-8", [0xff, 0xfe, 0xfd], fate: .rejected("malformed_json")),
        OddMessage(
            "not UTF-8 in the id", bytes(#"{"customer_id": ""#) + [0xc3, 0x28] + bytes(#""}"#),
            fate: .rejected("malformed_json")),
        OddMessage(
            "Latin-1", bytes(#"{"customer_id": "J"#) + [0xfc] + bytes(#"rgen"}"#), fate: .rejected("malformed_json")),
        OddMessage("UTF-16", message().utf16.flatMap { [UInt8($0 & 0xff), 0] }, fate: .rejected("malformed_json")),
        OddMessage("a byte order mark", [0xef, 0xbb, 0xbf] + bytes(message()), fate: stored),
        OddMessage("only a byte order mark", [0xef, 0xbb, 0xbf], fate: .rejected("malformed_json")),
        OddMessage("NUL bytes", [0, 0, 0, 0], fate: .rejected("malformed_json")),
        OddMessage("NUL after the object", bytes(message()) + [0], fate: .rejected("malformed_json")),
        OddMessage("gzip", [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3], fate: .rejected("malformed_json")),
        OddMessage(
            "nested 10,000 deep",
            message(
                ", \"x\": " + String(repeating: "[", count: 10_000)
                    + String(repeating: "]", count: 10_000)), fate: .rejected("malformed_json")),
        OddMessage("10,000 opening brackets", String(repeating: "[", count: 10_000), fate: .rejected("malformed_json")),
        OddMessage(
            "65,536 bytes", message() + String(repeating: " ", count: 65_536 - message().utf8.count), fate: stored),
        OddMessage(
            "65,537 bytes", message() + String(repeating: " ", count: 65_537 - message().utf8.count),
            fate: .rejected("too_large")),
        OddMessage(
            "white space and another order",
            "\t{\n\"heart_rate\":72 ,\r\n\"timestamp\":\"2026-02-19T15:53:03Z\",\"customer_id\" : \"odd\"}\n",
            fate: stored),
    ]

    private static let heartRates = [
        OddMessage("a number as a string", message(bpm: #""72""#), fate: stored),
        OddMessage("72.0", message(bpm: "72.0"), fate: stored),
        OddMessage("7.2e1", message(bpm: "7.2e1"), fate: stored),
        OddMessage("72.5", message(bpm: "72.5"), fate: .rejected("wrong_type")),
        OddMessage("72.5 as a string", message(bpm: #""72.5""#), fate: .rejected("wrong_type")),
        OddMessage("1e400", message(bpm: "1e400"), fate: .rejected("out_of_range")),
        OddMessage("-0", message(bpm: "-0"), fate: .rejected("out_of_range")),
        OddMessage("0", message(bpm: "0"), fate: .rejected("out_of_range")),
        OddMessage("-72", message(bpm: "-72"), fate: .rejected("out_of_range")),
        OddMessage("1", message(bpm: "1"), fate: stored(bpm: 1, "bradycardia (bpm=1 < threshold=40)")),
        OddMessage("39", message(bpm: "39"), fate: stored(bpm: 39, "bradycardia (bpm=39 < threshold=40)")),
        OddMessage("40", message(bpm: "40"), fate: stored(bpm: 40)),
        OddMessage("180", message(bpm: "180"), fate: stored(bpm: 180)),
        OddMessage("181", message(bpm: "181"), fate: stored(bpm: 181, "tachycardia (bpm=181 > threshold=180)")),
        OddMessage("299", message(bpm: "299"), fate: stored(bpm: 299, "tachycardia (bpm=299 > threshold=180)")),
        OddMessage("300", message(bpm: "300"), fate: .rejected("out_of_range")),
        OddMessage("32840, which is -32696 in 16 bits", message(bpm: "32840"), fate: .rejected("out_of_range")),
        OddMessage("65608, which is 72 in 16 bits", message(bpm: "65608"), fate: .rejected("out_of_range")),
        OddMessage("2^64 + 72", message(bpm: "18446744073709551688"), fate: .rejected("out_of_range")),
        OddMessage("true for a heart rate", message(bpm: "true"), fate: .rejected("wrong_type")),
        OddMessage("null for a heart rate", message(bpm: "null"), fate: .rejected("missing_field")),
        OddMessage("an array for a heart rate", message(bpm: "[72]"), fate: .rejected("wrong_type")),
        OddMessage("an object for a heart rate", message(bpm: #"{"bpm": 72}"#), fate: .rejected("wrong_type")),
        OddMessage("an empty string for a heart rate", message(bpm: #""""#), fate: .rejected("wrong_type")),
        OddMessage("Arabic digits", message(bpm: #""٧٢""#), fate: .rejected("wrong_type")),
        OddMessage("a leading zero", message(bpm: "072"), fate: .rejected("malformed_json")),
        OddMessage("hexadecimal", message(bpm: "0x48"), fate: .rejected("malformed_json")),
        OddMessage("duplicate keys", message(#", "heart_rate": 73"#), fate: stored(bpm: 73)),
        OddMessage(
            "duplicate keys, the last one bad", message(#", "heart_rate": 300"#), fate: .rejected("out_of_range")),
    ]

    private static let timestamps = [
        OddMessage("month 13", message(at: #""2026-13-19T15:53:03Z""#), fate: .rejected("bad_timestamp")),
        OddMessage("30 February", message(at: #""2026-02-30T15:53:03Z""#), fate: .rejected("bad_timestamp")),
        OddMessage(
            "29 February of no leap year", message(at: #""2025-02-29T00:00:00Z""#), fate: .rejected("bad_timestamp")),
        OddMessage(
            "29 February of a leap year", message(at: #""2024-02-29T00:00:00Z""#),
            fate: stored(at: "2024-02-29 00:00:00+00")),
        OddMessage("year 9999999", message(at: #""9999999-01-01T00:00:00Z""#), fate: .rejected("bad_timestamp")),
        OddMessage("year 0", message(at: #""0000-01-01T00:00:00Z""#), fate: .rejected("bad_timestamp")),
        OddMessage("year 1", message(at: #""0001-01-01T00:00:00Z""#), fate: stored(at: "0001-01-01 00:00:00+00")),
        OddMessage(
            "before 1970", message(at: #""1969-12-31T23:59:59.999999Z""#),
            fate: stored(at: "1969-12-31 23:59:59.999999+00")),
        OddMessage("year 9999", message(at: #""9999-12-31T23:59:59Z""#), fate: .rejected("future_timestamp")),
        OddMessage("no zone", message(at: #""2026-02-19T15:53:03""#), fate: .rejected("bad_timestamp")),
        OddMessage(
            "a zone by name", message(at: #""2026-02-19T15:53:03 Europe/Berlin""#), fate: .rejected("bad_timestamp")),
        OddMessage("only a date", message(at: #""2026-02-19""#), fate: .rejected("bad_timestamp")),
        OddMessage("a leap second", message(at: #""2016-12-31T23:59:60Z""#), fate: .rejected("bad_timestamp")),
        OddMessage("24:00", message(at: #""2026-02-19T24:00:00Z""#), fate: .rejected("bad_timestamp")),
        OddMessage("infinity", message(at: #""infinity""#), fate: .rejected("bad_timestamp")),
        OddMessage("-infinity", message(at: #""-infinity""#), fate: .rejected("bad_timestamp")),
        OddMessage("now", message(at: #""now""#), fate: .rejected("bad_timestamp")),
        OddMessage("today", message(at: #""today""#), fate: .rejected("bad_timestamp")),
        OddMessage("epoch as a number", message(at: "1771516383"), fate: .rejected("wrong_type")),
        OddMessage("an empty timestamp", message(at: #""""#), fate: .rejected("bad_timestamp")),
        OddMessage("null for a timestamp", message(at: "null"), fate: .rejected("missing_field")),
        OddMessage(
            "an offset", message(at: #""2026-02-19T21:23:03.25+05:30""#), fate: stored(at: "2026-02-19 15:53:03.25+00")),
        OddMessage("a negative offset", message(at: #""2026-02-19T10:53:03-05:00""#), fate: stored),
        OddMessage(
            "nine digits", message(at: #""2026-02-19T15:53:03.123456789Z""#),
            fate: stored(at: "2026-02-19 15:53:03.123456+00")),
        OddMessage("ten digits", message(at: #""2026-02-19T15:53:03.1234567891Z""#), fate: .rejected("bad_timestamp")),
        OddMessage(
            "NUL in a timestamp", message(at: #""2026-02-19T15:53:03\u0000""#), fate: .rejected("bad_timestamp")),
    ]

    private static let ids = [
        OddMessage("an empty id", message(id: #""""#), fate: .rejected("id_empty")),
        OddMessage("a space as id", message(id: #"" ""#), fate: stored(as: " ")),
        OddMessage(
            "50 characters", message(id: "\"" + String(repeating: "a", count: 50) + "\""),
            fate: stored(as: String(repeating: "a", count: 50))),
        OddMessage(
            "51 characters", message(id: "\"" + String(repeating: "a", count: 51) + "\""),
            fate: .rejected("id_too_long")),
        OddMessage(
            "50 emoji", message(id: "\"" + String(repeating: "🫀", count: 50) + "\""),
            fate: stored(as: String(repeating: "🫀", count: 50))),
        OddMessage(
            "51 emoji", message(id: "\"" + String(repeating: "🫀", count: 51) + "\""), fate: .rejected("id_too_long")),
        OddMessage("an emoji as escapes", message(id: #""\ud83e\udec0""#), fate: stored(as: "🫀")),
        OddMessage("a lone high surrogate", message(id: #""\ud83e""#), fate: .rejected("malformed_json")),
        OddMessage("a lone low surrogate", message(id: #""\udec0""#), fate: .rejected("malformed_json")),
        OddMessage(
            "a surrogate as UTF-8", bytes(#"{"customer_id": ""#) + [0xed, 0xa0, 0x80] + bytes(#""}"#),
            fate: .rejected("malformed_json")),
        OddMessage("NUL in the id", message(id: #""odd\u0000id""#), fate: .rejected("id_contains_nul")),
        OddMessage("a bare NUL in the id", message(id: "\"odd\u{0}\""), fate: .rejected("malformed_json")),
        OddMessage("a tab and a line feed in the id", message(id: #""odd\tid\n""#), fate: stored(as: "odd\tid\n")),
        // Ids also travel as elements of an array.
        OddMessage(
            "a quote in the id", message(id: #""Conan \"Red\" O'Brien""#), fate: stored(as: #"Conan "Red" O'Brien"#)),
        OddMessage("backslashes in the id", message(id: #""a\\b\\""#), fate: stored(as: #"a\b\"#)),
        OddMessage("an array as the id", message(id: #""{a,\"b\"}""#), fate: stored(as: #"{a,"b"}"#)),
        OddMessage("NULL as the id", message(id: #""NULL""#), fate: stored(as: "NULL")),
        OddMessage("spaces as the id", message(id: #""  ""#), fate: stored(as: "  ")),
        OddMessage(
            "SQL in the id", message(id: #""x'); DROP TABLE customers; --""#),
            fate: stored(as: "x'); DROP TABLE customers; --")),
        OddMessage(
            "HTML in the id", message(id: #""<script>alert('1')</script>""#),
            fate: stored(as: "<script>alert('1')</script>")),
        OddMessage("quotation marks and backslashes", message(id: #""\"\\\"\\N\\.""#), fate: stored(as: #""\"\N\."#)),
        OddMessage("a right-to-left override", message(id: #""\u202eddo""#), fate: stored(as: "\u{202e}ddo")),
        OddMessage("a terminal's escape", message(id: #""\u001b[2J""#), fate: stored(as: "\u{1b}[2J")),
        OddMessage("the same letter composed", message(id: "\"caf\u{e9}\""), fate: stored(as: "caf\u{e9}")),
        OddMessage("and decomposed", message(id: "\"cafe\u{301}\""), fate: stored(as: "cafe\u{301}")),
        OddMessage("a number for an id", message(id: "1"), fate: .rejected("wrong_type")),
        OddMessage("null for an id", message(id: "null"), fate: .rejected("missing_field")),
        OddMessage("an array for an id", message(id: #"["odd"]"#), fate: .rejected("wrong_type")),
    ]

    private static let optionalFields = [
        OddMessage("bpm", message(#", "unit": "bpm""#), fate: stored),
        OddMessage("beats/min", message(#", "unit": "beats/min""#), fate: stored),
        OddMessage("/min", message(#", "unit": "/min""#), fate: stored),
        OddMessage("Hz", message(#", "unit": "Hz""#), fate: .rejected("unknown_unit")),
        OddMessage("a number as unit", message(#", "unit": 1"#), fate: .rejected("wrong_type")),
        OddMessage("version 1.1", message(#", "schema_version": "1.1""#), fate: stored),
        OddMessage("version 2.0", message(#", "schema_version": "2.0""#), fate: .rejected("unknown_schema_version")),
        OddMessage("unknown fields", message(#", "device": {"heart_rate": 300, "x": [null, 1e400]}"#), fate: stored),
        OddMessage("keys in upper case", #"{"CUSTOMER_ID": "odd"}"#, fate: .rejected("missing_field")),
        OddMessage("a key with escapes", message(bpm: "300", #", "heart\u005frate": 72"#), fate: stored),
    ]

    /// What is around the payload.
    private static let kafka = [
        OddMessage("no key", bytes("?"), fate: .rejected("malformed_json"), key: nil),
        OddMessage("an empty key", bytes("?"), fate: .rejected("malformed_json"), key: []),
        OddMessage("a key of bytes", bytes("?"), fate: .rejected("malformed_json"), key: [0, 0xff, 0x0a, 0x5c]),
        OddMessage("a good reading without a key", bytes(message()), fate: stored, key: nil),
        OddMessage("a tombstone without a key", nil, fate: .rejected("tombstone"), key: nil),
        OddMessage(
            "headers", bytes("?"), fate: .rejected("malformed_json"),
            headers: [
                .init(name: "trace", value: bytes("00-abc")), .init(name: "trace", value: bytes("again")),
                .init(name: "none", value: nil), .init(name: "empty", value: []),
                .init(name: "bytes \"ü\"", value: [0, 0xff, 0x80]),
            ]),
        OddMessage(
            "a tombstone with a header", nil, fate: .rejected("tombstone"),
            headers: [.init(name: "why", value: bytes("gone"))]),
        OddMessage(
            "a good reading with headers", bytes(message()), fate: stored, headers: [.init(name: "trace", value: [1])]),
    ]
}
