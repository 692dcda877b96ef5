import Simulation
import Testing

@testable import HeartRate

/// A million payloads that nobody meant: the decoder must neither crash nor take what it should not, and must say the
/// same of the same payload whatever it has seen before.
@Suite("Hostile input") struct HostileInputTests {
    static let seeds: [[UInt8]] = [
        message(), message(bpm: #""72""#), message(bpm: "72.0"), message(id: string(#"\ud83e\udec0\"\\"#)),
        message(timestamp: string("2026-02-19T15:53:03.123456+05:30"), #", "unit": "bpm", "schema_version": "1.0""#),
        message(#", "x": [1e400, -12345678901234567890, {"y": [null, true, "\u0000"]}]"#),
        message(bpm: "1e400"), "[" + message() + "]", "\u{FEFF}" + message(),
    ].map { Array($0.utf8) }

    static let pieces: [[UInt8]] = [
        "\"", "\\", "{", "}", "[", "]", ":", ",", "null", "1e999", "-", "\\u0000", "\\ud800", "\u{0}",
        "99999999999999999999",
        "heart_rate", "\"heart_rate\": 0,", "\"activity\": \"walk\",", "é", "🫀", "T", "Z", "+", ".", "e", "0", "9",
    ].map { Array($0.utf8) }

    static func payload(_ random: inout SplitMix64) -> [UInt8] {
        if Int.random(in: 0..<10, using: &random) == 0 {
            return (0..<Int.random(in: 0...150, using: &random)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
        }
        var bytes = seeds[Int.random(in: 0..<seeds.count, using: &random)]
        for _ in 0..<Int.random(in: 1...3, using: &random) {
            let place = Int.random(in: 0..<max(bytes.count, 1), using: &random)
            guard place < bytes.count else { break }
            switch Int.random(in: 0..<9, using: &random) {
            case 0: bytes[place] = UInt8(truncatingIfNeeded: random.next())
            case 1: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            case 2: bytes.removeSubrange(place..<min(place + Int.random(in: 1...8, using: &random), bytes.count))
            case 3: bytes.removeSubrange(place...)
            case 4: bytes.insert(contentsOf: pieces[Int.random(in: 0..<pieces.count, using: &random)], at: place)
            case 5: bytes.insert(contentsOf: bytes[place...].prefix(20), at: place)
            // What is left is mild, so that enough of them are still readings, and odd ones.
            default:
                if bytes[place] >= UInt8(ascii: "0") && bytes[place] <= UInt8(ascii: "9") {
                    bytes[place] = UInt8.random(in: UInt8(ascii: "0")...UInt8(ascii: "9"), using: &random)
                }
            }
        }
        return bytes
    }

    @Test("one million random and mutated payloads", arguments: 0..<4)
    func million(part: Int) throws {
        var random = SplitMix64(seed: 4, stream: UInt64(part))
        var decoder = ReadingDecoder()
        var other = ReadingDecoder()
        var encoder = MessageWriter()
        var (accepted, rejected) = (0, 0)
        for _ in 0..<250_000 {
            let payload = Self.payload(&random)
            do throws(RejectionReason) {
                let reading = try decoder.decode(payload.span.bytes, receivedAt: now)
                accepted += 1
                let valid =
                    Reading.storableHeartRates.contains(reading.heartRate)
                    && (1...50).contains(reading.customerID.description.unicodeScalars.count)
                    && !reading.customerID.description.unicodeScalars.contains("\u{0}")
                    && reading.recordedAt <= now.advanced(byMicroseconds: 300_000_000)
                let again = try other.decode(encoder.write(reading), receivedAt: now)
                if !valid || again != reading { Issue.record("\(payload)") }
            } catch {
                rejected += 1
                do throws(RejectionReason) {
                    _ = try other.decode(payload.span.bytes, receivedAt: now)
                    Issue.record("accepted the second time: \(payload)")
                } catch let again {
                    if again != error { Issue.record("\(payload): \(error), then \(again)") }
                }
                if error.sentence.utf8.contains(where: { $0 < 0x20 }) { Issue.record("\(error.sentence)") }
            }
        }
        // Otherwise the mutations would test nothing but one side.
        #expect(accepted > 10_000 && rejected > 10_000, "\(accepted) accepted, \(rejected) rejected")
    }
}
