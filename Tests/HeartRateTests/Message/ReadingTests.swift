import Simulation
import Testing

@testable import HeartRate

func encode(_ reading: Reading) -> [UInt8] {
    var encoder = MessageWriter()
    return encoder.write(reading).withUnsafeBytes { Array($0) }
}

func reading(
    _ id: String = "cust_0001", at microseconds: Int64 = 1_771_516_383_123_456, bpm: Int16 = 72,
    _ activity: Activity? = nil
) throws -> Reading {
    let instant = Instant(microsecondsSince1970: microseconds)
    return try #require(
        Reading(customerID: try CustomerID(id), recordedAt: instant, heartRate: bpm, activity: activity))
}

@Suite("Readings") struct ReadingTests {
    @Test("the encoder writes the contract's example")
    func contractExample() throws {
        let expected = #"""
            {"schema_version": "1.0", "customer_id": "cust_0001", "timestamp": "2026-02-19T15:53:03.123456+00:00", "heart_rate": 72}
            """#
        #expect(String(decoding: encode(try reading()), as: UTF8.self) == expected)
    }

    @Test("the encoder tells an activity at the end")
    func activity() throws {
        let message = String(decoding: encode(try reading("a", bpm: 72, .exercise)), as: UTF8.self)
        #expect(message.hasSuffix(#""heart_rate": 72, "activity": "exercise"}"#))
        #expect(Activity.allCases.map(\.name) == ["sleep", "rest", "walk", "exercise"])
    }

    @Test("an activity makes a reading no larger")
    func size() {
        #expect(MemoryLayout<Reading>.stride == 224)
    }

    @Test(
        "what is encoded is decoded to the same",
        arguments: [
            "x", #"quote " and \ backslash"#, "tab\t, newline\n, escape\u{1B}", String(repeating: "\u{1}", count: 50),
            String(repeating: "🫀", count: 50), "日本語", "</script>", "\u{7F}\u{80}\u{2028}\u{FFFD}",
        ])
    func roundTrip(id: String) throws {
        var random = SplitMix64(seed: 3)
        let first = Instant.earliest.microsecondsSince1970
        for _ in 0..<1000 {
            let microseconds = Int64.random(in: first...now.microsecondsSince1970, using: &random)
            let activity = (Activity.allCases + [nil]).randomElement(using: &random) ?? nil
            let original = try reading(id, at: microseconds, bpm: Int16.random(in: 1...299, using: &random), activity)
            #expect(decode(encode(original)).reading == original)
        }
    }

    @Test("an encoder and a decoder keep nothing of the message before")
    func reuse() throws {
        var encoder = MessageWriter()
        var decoder = ReadingDecoder()
        let long = [String(repeating: "🫀", count: 50), String(repeating: "\u{1}", count: 50)]
        for (id, activity) in [(long[0], .exercise), ("a", nil), ("bc", .walk), (long[1], .exercise), ("d", nil)]
            as [(String, Activity?)]
        {
            let original = try reading(id, activity)
            let payload = encoder.write(original).withUnsafeBytes { Array($0) }
            #expect(payload == encode(original))
            #expect(try decoder.decode(payload.span.bytes, receivedAt: now) == original)
        }
    }

    @Test("a field that is absent is not taken from the message before")
    func absentFields() {
        var decoder = ReadingDecoder()
        func code(_ payload: String) -> RejectionReason.Code? {
            let bytes = Array(payload.utf8)
            do throws(RejectionReason) {
                _ = try decoder.decode(bytes.span.bytes, receivedAt: now)
                return nil
            } catch {
                return error.code
            }
        }
        #expect(code(message(#", "unit": "Hz""#)) == .unknownUnit)
        #expect(code(message()) == nil)
        #expect(code(message(#", "schema_version": "2.0""#)) == .unknownSchemaVersion)
        #expect(code(message()) == nil)
        #expect(code(#"{"customer_id": "a", "timestamp": "2026-02-19T15:53:03Z"}"#) == .missingField)
        #expect(code(#"{"customer_id": "a", "heart_rate": 72}"#) == .missingField)
        #expect(code(#"{"timestamp": "2026-02-19T15:53:03Z", "heart_rate": 72}"#) == .missingField)
        #expect(code("{}") == .missingField)
    }

    @Test("a reading holds no heart rate that cannot be stored")
    func heartRates() throws {
        let id = try CustomerID("a")
        for bpm: Int16 in [.min, -1, 0, 300, .max] {
            #expect(Reading(customerID: id, recordedAt: now, heartRate: bpm) == nil)
        }
        #expect(Reading(customerID: id, recordedAt: now, heartRate: 1)?.heartRate == 1)
        #expect(Reading(customerID: id, recordedAt: now, heartRate: 299)?.heartRate == 299)
    }

    @Test("customer ids")
    func customerIDs() throws {
        let id = try CustomerID("cust_0001")
        #expect(id == CustomerID(simulated: 1))
        #expect(Set([id, CustomerID(simulated: 1), CustomerID(simulated: 2)]).count == 2)
        #expect(CustomerID(simulated: 999).description == "cust_0999")
        #expect(CustomerID(simulated: 100_000).description == "cust_100000")
        #expect(CustomerID(simulated: .max).description == "cust_9223372036854775807")
        #expect(try CustomerID("ab") != CustomerID("abc"))
        // The same letter to a reader, and two customers to PostgreSQL.
        #expect(try CustomerID("\u{E9}") != CustomerID("e\u{301}"))
        #expect(throws: CustomerID.Invalid.empty) { try CustomerID("") }
        #expect(throws: CustomerID.Invalid.tooLong(characters: 51)) {
            try CustomerID(String(repeating: "🫀", count: 51))
        }
        #expect(throws: CustomerID.Invalid.containsNUL) { try CustomerID("a\u{0}") }
        let surrogate: [UInt8] = [0xED, 0xA0, 0x80]
        #expect(throws: CustomerID.Invalid.notUTF8) { try CustomerID(utf8: surrogate.span) }
        let bytes = Array("ß".utf8)
        let other = try CustomerID(utf8: bytes.span)
        #expect(other.utf8.count == 2 && other.description == "ß")
    }
}

@Suite("Anomalies") struct AnomalyRuleTests {
    @Test("the contract's reasons")
    func reasons() {
        let rule = AnomalyRule(minimum: 40, maximum: 180)
        #expect(rule.judge(34)?.reason == "bradycardia (bpm=34 < threshold=40)")
        #expect(rule.judge(207)?.reason == "tachycardia (bpm=207 > threshold=180)")
        #expect(rule.judge(39)?.kind == .bradycardia)
        #expect(rule.judge(181)?.kind == .tachycardia)
        for bpm: Int16 in [40, 72, 180] { #expect(rule.judge(bpm) == nil) }
        #expect(AnomalyRule() == rule)
    }

    @Test("the longest reason fits")
    func longest() {
        let anomaly = AnomalyRule(minimum: .max, maximum: .max).judge(.min)
        #expect(anomaly?.reason == "bradycardia (bpm=-32768 < threshold=32767)")
        #expect(anomaly?.withReason { $0.count } == 42)
    }
}
