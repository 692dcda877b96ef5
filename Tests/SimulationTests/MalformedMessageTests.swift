import HeartRate
import Simulation
import Testing

@Suite("Malformed messages") struct MalformedMessageTests {
    @Test("each kind of malformed message is rejected for its reason", arguments: MalformedMessage.allCases)
    func malformed(kind: MalformedMessage) throws {
        var decoder = ReadingDecoder()
        let now = Instant(microsecondsSince1970: 1_771_516_383_000_000)
        for microseconds in 0..<500 {
            let original = try #require(
                Reading(
                    customerID: CustomerID(#"a "quoted" id"#),
                    recordedAt: Instant(microsecondsSince1970: Int64(microseconds)),
                    heartRate: Int16(microseconds % 299 + 1)))
            let payload = kind.payload(for: original)
            do throws(RejectionReason) {
                _ = try decoder.decode(payload.span.bytes, receivedAt: now)
                Issue.record("accepted: \(String(decoding: payload, as: UTF8.self))")
            } catch {
                #expect(error.code == kind.code)
            }
        }
    }
}
